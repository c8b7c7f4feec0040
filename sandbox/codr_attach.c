/*
 * ATTACH: a socket joins a job that began on another one, or its result.  An
 * id that is not known and a token that is wrong look alike, and take the
 * same time.
 */

#define _GNU_SOURCE

#include "codr_client.h"

#include <errno.h>

#include "codr_answer.h"
#include "codr_job.h"

typedef struct {
    const uint8_t  *id;
    const uint8_t  *attach_token;       /* one of the two */
    const uint8_t  *view_token;
    uint64_t        offset;
} attach_t;


static int
take_token(const uint8_t **ret, const codr_field_t *field)
{
    if (*ret || codr_field_id(field) != 0) {
        return -EPROTO;
    }

    *ret = field->data;
    return 0;
}


static int
take_field(attach_t *attach, const codr_field_t *field)
{
    switch (field->tag) {

    case CODR_FIELD_JOB_ID:
        return take_token(&attach->id, field);

    case CODR_FIELD_ATTACH_TOKEN:
        return take_token(&attach->attach_token, field);

    case CODR_FIELD_VIEW_TOKEN:
        return take_token(&attach->view_token, field);

    case CODR_FIELD_OFFSET:
        return codr_field_number(field, 0, UINT64_MAX, &attach->offset)
               ? -EPROTO : 0;

    default:
        return -EPROTO;
    }
}


static int
decode(attach_t *attach, const uint8_t *payload, size_t len)
{
    int           result;
    codr_field_t  field;
    codr_fields_t fields;

    codr_fields_init(&fields, payload, len);

    while ((result = codr_fields_next(&fields, &field)) > 0) {
        result = take_field(attach, &field);
        if (result < 0) {
            return result;
        }
    }

    return result < 0 || attach->id == NULL
           || !attach->attach_token == !attach->view_token ? -EPROTO : 0;
}


/* NULL, as well when the token is not its. */
static codr_result_t *
find(codr_broker_t *broker, const attach_t *attach)
{
    bool           same;
    codr_result_t *result;

    static const char nobody[CODR_TOKEN_LEN + 1];

    result = codr_results_find(&broker->results, attach->id,
                               CODR_JOB_ID_LEN);

    if (attach->attach_token) {
        same = codr_results_token_same(result ? result->attach_token : nobody,
                                       attach->attach_token, CODR_TOKEN_LEN);
    } else {
        same = codr_results_token_same(result ? result->view_token : nobody,
                                       attach->view_token, CODR_TOKEN_LEN);
    }

    return same ? result : NULL;
}


static size_t
viewers(const codr_result_t *result)
{
    size_t               count = 0;
    const codr_client_t *client;

    for (client = result->clients; client; client = client->right) {
        count += client->role == CODR_CLIENT_VIEWER && !client->ended;
    }

    return count;
}


/* Whoever controlled it until now is told so. */
static void
take_over(codr_result_t *result)
{
    codr_client_t *client, *next;

    for (client = result->clients; client; client = next) {
        next = client->right;
        if (client->role == CODR_CLIENT_CONTROL && !client->ended) {
            codr_client_set_job(client, NULL);
            codr_answer_taken(client);
            codr_client_finish(client);
        }
    }
}


static void
join(codr_client_t *client, codr_result_t *result, uint64_t offset,
    codr_client_role_t role)
{
    uint64_t    end = result->tape.end;
    codr_job_t *job = result->job;

    client->joined = true;
    client->place = codr_tape_place(offset < end ? offset : end);

    codr_client_join(client, result, role);
    if (job && role == CODR_CLIENT_CONTROL) {
        codr_job_control(job, client);
    }

    if (job && job->state == CODR_JOB_QUEUED && job->position > 0) {
        codr_answer_queued(job, job->position, 0);
    }

    codr_pump(client);
}


static bool
may_watch(codr_client_t *client)
{
    bool may = client->broker->watcher_count < CODR_BROKER_WATCHERS;

    if (!may) {
        codr_client_refuse(client, CODR_ERROR_BUSY, "too many watch jobs");
    }

    return may;
}


void
codr_attach_view(codr_client_t *client, codr_result_t *result,
    uint64_t offset)
{
    if (viewers(result) >= CODR_VIEWERS_MAX) {
        codr_client_refuse(client, CODR_ERROR_BUSY,
                           "the job has all the viewers it may have");
    } else if (may_watch(client)) {
        join(client, result, offset, CODR_CLIENT_VIEWER);
    }
}


int
codr_attach_take(codr_client_t *client, const uint8_t *payload, size_t len)
{
    int            result;
    attach_t       attach = { .offset = 0 };
    codr_broker_t *broker = client->broker;
    codr_result_t *found;

    result = decode(&attach, payload, len);
    if (result < 0) {
        return result;
    }

    codr_timer_clear(&broker->loop.timers, &client->timer);

    found = find(broker, &attach);
    if (found == NULL) {
        codr_client_refuse(client, CODR_ERROR_NOT_FOUND,
                           "there is no such job");
    } else if (attach.view_token) {
        codr_attach_view(client, found, attach.offset);
    } else if (may_watch(client)) {
        take_over(found);
        join(client, found, attach.offset, CODR_CLIENT_CONTROL);
    }

    return 0;
}
