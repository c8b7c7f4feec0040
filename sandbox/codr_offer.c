/*
 * Ends that nobody has heard of.  Runs in the broker.
 *
 * All workers are told, and whichever takes hold of the record asks for the
 * end and says when it is written; until then they are told again, less and
 * less often, as long as the result is kept.  A worker that claims what it has
 * not recorded does harm to records only, which it can write anyway.
 */

#include "codr_offer.h"

#include <errno.h>

#include "codr_client.h"
#include "codr_proto.h"
#include "codr_util.h"

#define AGAIN_US    2000000     /* after the first offer, then twice that */
#define AGAIN_MAX   5           /* times */
#define IDS         512         /* in one frame */
#define FRAME       (CODR_FRAME_HEADER \
                     + IDS * (CODR_FIELD_HEADER + CODR_JOB_ID_LEN))


static bool
is_told(const codr_result_t *result)
{
    const codr_client_t *client;

    for (client = result->clients; client; client = client->right) {
        if (codr_client_reports(client)) {
            return true;
        }
    }

    return false;
}


static void
put_off(codr_result_t *result, uint64_t now)
{
    unsigned times = result->offers < AGAIN_MAX ? result->offers : AGAIN_MAX;

    result->offers++;
    result->offer_us = now + ((uint64_t) AGAIN_US << times);
}


/* Those that are due, as many as fit into one frame; the time of the earliest
   of the others, 0 when there are none. */
static uint64_t
collect(codr_broker_t *broker, codr_writer_t *writer, size_t *ret_count)
{
    size_t         count = 0;
    uint64_t       next = 0, now = codr_now_us();
    codr_result_t *result;

    for (result = broker->results.offered; result; result = result->after) {
        if (result->offer_us <= now && count < IDS) {
            codr_put_bytes(writer, CODR_FIELD_JOB_ID, result->id,
                           CODR_JOB_ID_LEN);
            put_off(result, now);
            count++;
        }
        if (next == 0 || result->offer_us < next) {
            next = result->offer_us;
        }
    }

    *ret_count = count;
    return next;
}


static void set(codr_broker_t *broker, uint64_t at_us);


static void
due(codr_timer_t *timer)
{
    size_t         count, len;
    uint64_t       next;
    static uint8_t frame[FRAME];
    codr_writer_t  writer;
    codr_broker_t *broker = timer->data;

    /* the first worker that comes makes it due again */
    if (broker->channels == NULL) {
        return;
    }

    codr_writer_init(&writer, frame, sizeof(frame));
    codr_frame_begin(&writer, CODR_FRAME_END);
    next = collect(broker, &writer, &count);
    len = codr_frame_end(&writer);

    /* who had no room for it is told the next time */
    if (count > 0) {
        (void) codr_channel_tell_all(broker, frame, len);
    }

    if (next != 0) {
        set(broker, next);
    }
}


/* Without memory the next offer sets it. */
static void
set(codr_broker_t *broker, uint64_t at_us)
{
    codr_timer_t *timer = &broker->offer_timer;

    if (codr_timer_is_set(timer) && timer->at_us <= at_us) {
        return;
    }

    timer->handler = due;
    timer->data = broker;
    (void) codr_timer_set(&broker->loop.timers, timer, at_us);
}


void
codr_offer(codr_broker_t *broker, codr_result_t *result)
{
    if (result->completed_ms == 0 || !result->outlives || result->claimed
        || result->offered || !result->listed || is_told(result))
    {
        return;
    }

    codr_results_offer(&broker->results, result);
    set(broker, codr_now_us());
}


void
codr_offer_again(codr_broker_t *broker)
{
    uint64_t       now = codr_now_us();
    codr_result_t *result;

    for (result = broker->results.offered; result; result = result->after) {
        result->offer_us = now;
    }

    if (broker->results.offered) {
        set(broker, now);
    }
}


int
codr_offer_claimed(codr_broker_t *broker, const uint8_t *payload, size_t len)
{
    int            result;
    codr_field_t   field;
    codr_fields_t  fields;
    codr_result_t *found;

    codr_fields_init(&fields, payload, len);

    while ((result = codr_fields_next(&fields, &field)) > 0) {
        if (field.tag != CODR_FIELD_JOB_ID || codr_field_id(&field) != 0) {
            return -EPROTO;
        }

        found = codr_results_find(&broker->results, field.data, field.length);
        if (found && found->completed_ms != 0) {
            codr_results_claim(&broker->results, found);
        }
    }

    return result < 0 ? -EPROTO : 0;
}
