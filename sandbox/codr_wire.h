/*
 * Frames on a job's stream socket: incoming ones whole, outgoing ones
 * buffered when the worker does not read.
 */

#ifndef CODR_WIRE_H
#define CODR_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "codr_event.h"
#include "codr_proto.h"

/* Most bytes that wait for a worker to read: one OUTPUT frame and a few
   answers. */
#define CODR_WIRE_PENDING_MAX   (4 * CODR_FRAME_MAX)

typedef struct codr_wire_s codr_wire_t;

typedef struct {
    /* A whole frame. 0, or negative errno, which codr_wire_read() returns. */
    int   (*frame)(codr_wire_t *wire, codr_frame_t frame,
                   const uint8_t *payload);
    /* Everything pending has been sent. */
    void  (*drained)(codr_wire_t *wire);
    /* The worker is gone, or does not keep to the format (error). */
    void  (*lost)(codr_wire_t *wire, int error);
} codr_wire_handlers_t;

struct codr_wire_s {
    codr_loop_t                 *loop;
    codr_event_t                 event;
    const codr_wire_handlers_t  *handlers;
    void                        *data;
    uint8_t                     *partial;       /* of an incoming frame */
    size_t                       partial_len;
    uint8_t                     *pending;       /* not yet sent */
    size_t                       pending_len;
    size_t                       pending_pos;
};


/* Takes the socket over, whatever happens.  0, or negative errno. */
int codr_wire_open(codr_wire_t *wire, codr_loop_t *loop, int sock,
    const codr_wire_handlers_t *handlers, void *data);

/* Takes what has come already; the handlers may have closed it then. */
void codr_wire_look(codr_wire_t *wire);

void codr_wire_close(codr_wire_t *wire);

/* Nothing more will be sent; the worker reads what is there, then the end. */
void codr_wire_shutdown(codr_wire_t *wire);

/* Sends or buffers one frame; small ones go together at the end of a turn.  0,
   -ENOBUFS when the worker has not read for too long, or another negative
   errno; handlers are not called. */
int codr_wire_send(codr_wire_t *wire, const void *frame, size_t len);

/* Does not wait for the end of the turn. */
void codr_wire_flush(codr_wire_t *wire);

/* drained() is called when more can be sent, though nothing is pending. */
void codr_wire_ask(codr_wire_t *wire);

static inline bool
codr_wire_is_drained(const codr_wire_t *wire)
{
    return wire->pending_len == 0;
}

#endif /* CODR_WIRE_H */
