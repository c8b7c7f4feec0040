/*
 * Output on its way through the broker: a few pieces go at once, the pieces of
 * a flood wait for each other.  A terminal gives 4 KB at a time, and to pass
 * those on costs several times what reading them does.  An unbuffered program
 * writes a line in several pieces, of which the last one matters.
 */

#ifndef CODR_BATCH_H
#define CODR_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "codr_proto.h"
#include "codr_timer.h"

/* Writable bytes before the data that are passed on: room for their frame. */
#define CODR_BATCH_HEADROOM     (CODR_FRAME_HEADER + CODR_OUTPUT_HEADER)
#define CODR_BATCH_MAX          (CODR_FRAME_MAX - CODR_OUTPUT_HEADER)

#define CODR_BATCH_US           1000    /* that a byte waits at most */
#define CODR_BATCH_FEW          8       /* pieces in quick succession */

typedef struct codr_batch_s codr_batch_t;

/* Bytes of one stream, as they came. */
typedef void (*codr_batch_pt)(codr_batch_t *batch, uint8_t stream,
    uint8_t *data, size_t len);

struct codr_batch_s {
    codr_timers_t  *timers;
    codr_timer_t    timer;
    codr_batch_pt   pass;
    void           *data;
    uint8_t        *buffer;     /* NULL: no flood, or it is passed on */
    bool            flood;
    size_t          len;        /* bytes that wait in it */
    uint8_t         stream;     /* whose they are */
    uint64_t        since_us;   /* when the first of them came */
    uint64_t        passed_us;  /* when others were passed on; 0 = never */
    unsigned        quick;      /* passed on at once, though soon after them */
    bool            urgent;
    bool            paused;
    bool            closed;
};


void codr_batch_init(codr_batch_t *batch, codr_timers_t *timers,
    codr_batch_pt pass, void *data);

/* Where to read bytes of a stream to, and how many: at least one.  What waits
   of the other stream is passed on first. */
uint8_t *codr_batch_room(codr_batch_t *batch, uint8_t stream,
    size_t *ret_size);

/* So many have been read to there. */
void codr_batch_add(codr_batch_t *batch, size_t len);

/* Whether there is a flood. */
bool codr_batch_is_flood(const codr_batch_t *batch);

/* What comes next does not wait. */
void codr_batch_urge(codr_batch_t *batch);

/* Passes on what waits. */
void codr_batch_flush(codr_batch_t *batch);

/* While paused nothing that waits is passed on by itself. */
void codr_batch_pause(codr_batch_t *batch, bool paused);

/* Forgets what waits; can be called while bytes are passed on. */
void codr_batch_close(codr_batch_t *batch);

#endif /* CODR_BATCH_H */
