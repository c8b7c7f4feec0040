/*
 * FETCH: what a worker asks of a job for itself, to answer somebody who may
 * know it: the worker has looked into that.  Its record, its output, its end,
 * or to stop it.
 */

#define _GNU_SOURCE

#include "codr_client.h"

#include <errno.h>
#include <string.h>

#include "codr_answer.h"
#include "codr_job.h"
#include "codr_util.h"

#define FRAMES      8           /* before others get their turn */
#define WAIT_MS     3600000     /* most anybody may wait */

typedef struct {
    const uint8_t  *id;
    const uint8_t  *owner;
    size_t          owner_len;
    uint64_t        stop;
    uint64_t        live;
    uint64_t        wait_ms;
    uint64_t        offset;
    uint64_t        size;
    bool            output;
} fetch_t;


static int
take_field(fetch_t *fetch, const codr_field_t *field)
{
    switch (field->tag) {

    case CODR_FIELD_JOB_ID:
        fetch->id = field->data;
        return codr_field_id(field) ? -EPROTO : 0;

    case CODR_FIELD_OWNER:
        fetch->owner = field->data;
        fetch->owner_len = field->length;
        return 0;

    case CODR_FIELD_STOP:
        return codr_field_number(field, 0, 1, &fetch->stop) ? -EPROTO : 0;

    case CODR_FIELD_LIVE:
        return codr_field_number(field, 0, 1, &fetch->live) ? -EPROTO : 0;

    case CODR_FIELD_WAIT_MS:
        return codr_field_number(field, 0, WAIT_MS, &fetch->wait_ms)
               ? -EPROTO : 0;

    case CODR_FIELD_OFFSET:
        fetch->output = true;
        return codr_field_number(field, 0, UINT64_MAX, &fetch->offset)
               ? -EPROTO : 0;

    case CODR_FIELD_SIZE:
        return codr_field_number(field, 0, UINT64_MAX, &fetch->size)
               ? -EPROTO : 0;

    default:
        return -EPROTO;
    }
}


static int
decode(fetch_t *fetch, const uint8_t *payload, size_t len)
{
    int           result;
    codr_field_t  field;
    codr_fields_t fields;

    codr_fields_init(&fields, payload, len);

    while ((result = codr_fields_next(&fields, &field)) > 0) {
        result = take_field(fetch, &field);
        if (result < 0) {
            return result;
        }
    }

    return result < 0 || fetch->id == NULL ? -EPROTO : 0;
}


static codr_result_t *
find(codr_broker_t *broker, const fetch_t *fetch)
{
    codr_result_t *result;

    result = codr_results_find(&broker->results, fetch->id, CODR_JOB_ID_LEN);

    if (result && fetch->owner
        && (result->owner_len != fetch->owner_len
            || memcmp(result->owner, fetch->owner, fetch->owner_len) != 0))
    {
        return NULL;
    }

    return result;
}


static void
waited(codr_timer_t *timer)
{
    codr_client_t *client = timer->data;

    client->due = true;
    codr_pump(client);
}


/* The answer comes at the end of the job, or at the end of the time. */
static void
wait_for_end(codr_client_t *client, uint64_t wait_ms)
{
    client->timer.handler = waited;
    client->timer.data = client;

    client->due = wait_ms == 0
                  || codr_timer_set(&client->broker->loop.timers,
                                    &client->timer,
                                    codr_now_us() + wait_ms * 1000) < 0;
    codr_pump(client);
}


int
codr_fetch_take(codr_client_t *client, const uint8_t *payload, size_t len)
{
    int            result;
    fetch_t        fetch = { .size = UINT64_MAX };
    codr_broker_t *broker = client->broker;
    codr_result_t *found;

    result = decode(&fetch, payload, len);
    if (result < 0) {
        return result;
    }

    codr_timer_clear(&broker->loop.timers, &client->timer);

    found = find(broker, &fetch);
    if (found == NULL) {
        codr_client_refuse(client, CODR_ERROR_NOT_FOUND,
                           "there is no such job");
        return 0;
    }
    if (fetch.live) {
        client->trusted = true;
        codr_attach_view(client, found, fetch.offset);
        return 0;
    }
    if (broker->watcher_count >= CODR_BROKER_WATCHERS) {
        codr_client_refuse(client, CODR_ERROR_BUSY, "too many watch jobs");
        return 0;
    }

    client->output = fetch.output;
    client->room[0] = client->room[1] = fetch.size;
    client->place = codr_tape_place(fetch.offset);
    codr_client_join(client, found, CODR_CLIENT_FETCH);

    if (fetch.stop && found->job) {
        codr_stage_stop(found->job);
    }

    /* where that was the job's end its answer is on its way, or it is gone */
    if (!client->ended) {
        wait_for_end(client, fetch.wait_ms);
    }
    return 0;
}


static void
say_end(codr_client_t *client)
{
    codr_result_t *result = client->result;

    if (result->completed_ms == 0) {
        codr_answer_fetched(client);
    } else if (result->final) {
        (void) codr_wire_send(&client->wire, result->final,
                              result->final_len);
    }

    codr_client_finish(client);
}


void
codr_fetch_pump(codr_client_t *client)
{
    unsigned     said;
    codr_wire_t *wire = &client->wire;

    if (!client->due && client->result->completed_ms == 0) {
        return;
    }

    if (!client->started) {
        client->started = true;
        client->due = true;
        codr_timer_clear(&client->broker->loop.timers, &client->timer);
        codr_answer_record(client);
    }

    for (said = 0; codr_wire_is_drained(wire) && said < FRAMES; said++) {
        if (!client->output || !codr_pump_pieces(client, client->room)) {
            say_end(client);
            return;
        }
    }

    if (codr_wire_is_drained(wire)) {
        codr_wire_ask(wire);
    }
}
