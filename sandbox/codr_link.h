/*
 * The broker's connection to a spawner.
 *
 * There is one that takes new sandboxes and, after a reload that changed what
 * a spawner is started with, older ones whose sandboxes come to their end.
 */

#ifndef CODR_LINK_H
#define CODR_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "codr_event.h"
#include "codr_ipc.h"
#include "codr_meter.h"
#include "codr_slot.h"

typedef struct codr_link_s codr_link_t;
typedef struct codr_sandbox_s codr_sandbox_t;

typedef enum {
    CODR_LINK_STARTING = 0,     /* READY has not come */
    CODR_LINK_READY,
    CODR_LINK_LACKING,          /* a required layer is missing */
    CODR_LINK_LOST
} codr_link_state_t;

struct codr_link_s {
    codr_doomed_t       doomed;
    codr_link_t        *next;
    codr_loop_t        *loop;
    codr_slots_t       *slots;
    codr_event_t        event;
    codr_link_state_t   state;
    bool                retired;    /* leaves with its last sandbox */
    bool                known;      /* its owner has seen it READY */
    uint32_t            zygote[CODR_INTERPRETER_COUNT]; /* CODR_ZYGOTE_* */
    uint8_t             layer[CODR_LAYER_COUNT];    /* codr_layer_state_t */
    codr_sandbox_t    **sandbox;    /* by slot */
    size_t              size;       /* of that table */
    size_t              alive;      /* sandboxes in it, and those that leave */
    uint64_t           *leaving;    /* by slot: codr_leaving.c */
    size_t              leavers;
    codr_timer_t        sweep;
    codr_meter_t        usage;      /* bytes of all of them together */
    void              (*changed)(codr_link_t *link);
    void               *data;
};


/* Takes the socket over, also on failure.  NULL: no memory, or errno. */
codr_link_t *codr_link_open(codr_loop_t *loop, codr_slots_t *slots, int sock,
    void (*changed)(codr_link_t *link), void *data);

/* No more sandboxes for this one; it is lost with its last. */
void codr_link_retire(codr_link_t *link);

/* Ends it and everything on it. */
void codr_link_lose(codr_link_t *link);

/* Frees a lost one after the present event. */
void codr_link_free(codr_link_t *link);

/* For codr_sandbox.c: who sits in which slot. */
int codr_link_attach(codr_link_t *link, codr_sandbox_t *sandbox,
    uint32_t slot);
void codr_link_detach(codr_link_t *link, uint32_t slot);
void codr_link_move(codr_link_t *link, codr_sandbox_t *sandbox,
    uint32_t slot);

/* Asks the spawner to end a sandbox.  0, or negative errno. */
int codr_link_kill(codr_link_t *link, uint64_t id);

/* Asks for EPOLLOUT: a request found the socket full. */
void codr_link_retry(codr_link_t *link);

#endif /* CODR_LINK_H */
