/*
 * Collects the pieces of a flood.  Runs in the broker.  There is a buffer for
 * a program only while its flood lasts; who writes now and then has none.
 */

#include "codr_batch.h"

#include <stdlib.h>
#include <string.h>

#include "codr_util.h"

#define SIZE    (CODR_BATCH_HEADROOM + CODR_BATCH_MAX)
#define OVER_US (16 * CODR_BATCH_US)    /* without a byte: it is over */


/* For what does not wait: one process, one thread. */
static uint8_t shared[SIZE];


static void ticked(codr_timer_t *timer);


void
codr_batch_init(codr_batch_t *batch, codr_timers_t *timers,
    codr_batch_pt pass, void *data)
{
    *batch = (codr_batch_t) {
        .timers = timers,
        .timer = { .handler = ticked, .data = batch },
        .pass = pass,
        .data = data,
    };
}


static void
pass_on(codr_batch_t *batch, uint8_t *buffer, size_t len)
{
    /* whoever gets them may close the batch: they are its no more */
    batch->buffer = NULL;
    batch->len = 0;
    batch->urgent = false;
    batch->passed_us = codr_now_us();

    batch->pass(batch, batch->stream, buffer + CODR_BATCH_HEADROOM, len);

    if (buffer != shared && batch->closed) {
        free(buffer);
    } else if (buffer != shared) {
        batch->buffer = buffer;
    }
}


void
codr_batch_flush(codr_batch_t *batch)
{
    if (batch->len > 0) {
        pass_on(batch, batch->buffer, batch->len);
    }
}


uint8_t *
codr_batch_room(codr_batch_t *batch, uint8_t stream, size_t *ret_size)
{
    uint8_t *buffer;

    if (stream != batch->stream) {
        codr_batch_flush(batch);
        batch->stream = stream;
    }

    buffer = batch->buffer ? batch->buffer : shared;
    *ret_size = CODR_BATCH_MAX - batch->len;
    return buffer + CODR_BATCH_HEADROOM + batch->len;
}


/* No later than at this time. */
static bool
wake_at(codr_batch_t *batch, uint64_t at_us)
{
    if (codr_timer_is_set(&batch->timer) && batch->timer.at_us <= at_us) {
        return true;
    }

    return codr_timer_set(batch->timers, &batch->timer, at_us) == 0;
}


/* Bytes that have been read behind what waits already wait, too. */
static bool
keep(codr_batch_t *batch, size_t len, uint64_t now_us)
{
    if (!wake_at(batch, now_us + CODR_BATCH_US)) {
        return false;
    }

    if (batch->buffer == NULL) {
        batch->buffer = malloc(SIZE);
        if (batch->buffer == NULL) {
            return false;
        }
        batch->flood = true;
        memcpy(batch->buffer + CODR_BATCH_HEADROOM,
               shared + CODR_BATCH_HEADROOM, len);
    }

    batch->since_us = batch->len == 0 ? now_us : batch->since_us;
    batch->len += len;
    return true;
}


/* Not yet a flood, or no more. */
static bool
is_one_of_few(codr_batch_t *batch, uint64_t now_us)
{
    if (now_us >= batch->passed_us + CODR_BATCH_US) {
        batch->quick = 0;
        return true;
    }

    return batch->buffer == NULL && ++batch->quick < CODR_BATCH_FEW;
}


void
codr_batch_add(codr_batch_t *batch, size_t len)
{
    uint64_t now = codr_now_us();
    size_t   all = batch->len + len;
    uint8_t *buffer = batch->buffer ? batch->buffer : shared;

    if (batch->urgent || all == CODR_BATCH_MAX || is_one_of_few(batch, now)
        || !keep(batch, len, now))
    {
        pass_on(batch, buffer, all);
    }
}


bool
codr_batch_is_flood(const codr_batch_t *batch)
{
    return batch->flood;
}


void
codr_batch_urge(codr_batch_t *batch)
{
    batch->urgent = true;
}


/* The timer is set once a batch at most, and is left where it is when others
   than time have passed the batch on: then it comes too early. */
static void
ticked(codr_timer_t *timer)
{
    uint64_t      now = codr_now_us();
    codr_batch_t *batch = timer->data;

    if (batch->paused) {
        return;
    }

    if (batch->len > 0 && now < batch->since_us + CODR_BATCH_US
        && wake_at(batch, batch->since_us + CODR_BATCH_US))
    {
        return;
    }

    codr_batch_flush(batch);

    if (batch->buffer && (now >= batch->passed_us + OVER_US
                          || !wake_at(batch, now + OVER_US)))
    {
        free(batch->buffer);
        batch->buffer = NULL;
        batch->flood = false;
    }
}


void
codr_batch_pause(codr_batch_t *batch, bool paused)
{
    batch->paused = paused;

    /* not now: whoever gets it may have asked for this */
    if (!paused && batch->buffer && !wake_at(batch, codr_now_us())) {
        codr_batch_flush(batch);
    }
}


void
codr_batch_close(codr_batch_t *batch)
{
    if (batch->timers) {
        codr_timer_clear(batch->timers, &batch->timer);
    }

    free(batch->buffer);
    batch->buffer = NULL;
    batch->len = 0;
    batch->flood = false;
    batch->closed = true;
}
