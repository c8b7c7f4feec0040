/*
 * Workers' sockets in the broker: how they come, what they may say, how they
 * go.  What a worker sends is hostile; what it does not read waits within
 * bounds.
 */

#define _GNU_SOURCE

#include "codr_client.h"

#include <errno.h>
#include <stdlib.h>

#include "codr_answer.h"
#include "codr_io.h"
#include "codr_job.h"
#include "codr_log.h"
#include "codr_offer.h"
#include "codr_util.h"

#define LINGER_US   2000000     /* for a worker to read the final message */
#define SUBMIT_US   30000000    /* for all frames of a job to come */
#define TELL_US     1000000     /* between two lines of the log */
#define SPARE       256         /* whose frames are still on the way, and
                                   again as many that are refused */


static void
recount(codr_client_t *client, bool open)
{
    bool loose = open && client->job == NULL
                 && client->role <= CODR_CLIENT_OBSERVER;

    if (loose != client->counted) {
        client->broker->loose_count += loose ? 1 : (size_t) -1;
        client->counted = loose;
    }
}


void
codr_client_set_job(codr_client_t *client, codr_job_t *job)
{
    client->job = job;
    recount(client, true);
}


static bool
watches(const codr_client_t *client)
{
    return client->role >= CODR_CLIENT_VIEWER;
}


void
codr_client_join(codr_client_t *client, codr_result_t *result,
    codr_client_role_t role)
{
    client->role = role;
    client->result = result;
    client->left = NULL;
    client->right = result->clients;
    if (client->right) {
        client->right->left = client;
    }
    result->clients = client;

    client->broker->watcher_count += watches(client);
    recount(client, true);
}


static void
leave(codr_client_t *client)
{
    codr_result_t *result = client->result;

    if (result == NULL) {
        return;
    }

    if (client->left) {
        client->left->right = client->right;
    } else {
        result->clients = client->right;
    }
    if (client->right) {
        client->right->left = client->left;
    }

    client->broker->watcher_count -= watches(client);
    client->result = NULL;
    codr_offer(client->broker, result);
    codr_results_leave(&client->broker->results, result);
}


static void
destroy(codr_doomed_t *doomed)
{
    codr_client_t *client = (codr_client_t *) doomed;

    codr_wire_close(&client->wire);
    codr_config_unref(client->config);
    free(client);
}


void
codr_client_close(codr_client_t *client)
{
    codr_broker_t *broker = client->broker;

    if (client->doomed.destroy) {
        return;
    }

    leave(client);
    client->job = NULL;
    recount(client, false);
    codr_timer_clear(&broker->loop.timers, &client->timer);
    codr_wire_close(&client->wire);

    if (client->prev) {
        client->prev->next = client->next;
    } else {
        broker->clients = client->next;
    }
    if (client->next) {
        client->next->prev = client->prev;
    }

    client->ended = true;
    codr_loop_doom(&broker->loop, &client->doomed, destroy);
}


static void
lingered(codr_timer_t *timer)
{
    codr_client_close(timer->data);
}


/* Closing at once, with frames of the worker unread, would look to it like an
   error after the final message. */
static void
linger(codr_client_t *client)
{
    codr_wire_shutdown(&client->wire);

    client->timer.handler = lingered;
    client->timer.data = client;
    if (codr_timer_set(&client->broker->loop.timers, &client->timer,
                       codr_now_us() + LINGER_US) < 0)
    {
        codr_client_close(client);
    }
}


void
codr_client_finish(codr_client_t *client)
{
    if (client->ended) {
        return;
    }

    client->ended = true;
    codr_timer_clear(&client->broker->loop.timers, &client->timer);

    codr_wire_flush(&client->wire);

    /* else a client reads slowly: that is its worker's to time out */
    if (codr_wire_is_drained(&client->wire)) {
        linger(client);
    }
}


void
codr_client_refuse(codr_client_t *client, codr_error_t code,
    const char *message)
{
    codr_answer_refusal(client, code, message);
    codr_client_finish(client);
}


/* Frames */


static int
first_frame(codr_client_t *client, codr_frame_t frame, const uint8_t *payload)
{
    switch (frame.type) {

    case CODR_FRAME_EXECUTE:
        return codr_job_begin(client, payload, frame.length);

    case CODR_FRAME_ATTACH:
        return codr_attach_take(client, payload, frame.length);

    case CODR_FRAME_FETCH:
        return codr_fetch_take(client, payload, frame.length);

    default:
        return -EPROTO;
    }
}


static int
viewer_frame(codr_client_t *client, codr_frame_t frame)
{
    switch (frame.type) {

    case CODR_FRAME_INPUT:
    case CODR_FRAME_EOF:
    case CODR_FRAME_RESIZE:
    case CODR_FRAME_SIGNAL:
    case CODR_FRAME_STOP:
        codr_answer_notice(client, CODR_NOTICE_READ_ONLY,
                           "who views a program cannot control it");
        return 0;

    default:
        return -EPROTO;
    }
}


static int
frame_came(codr_wire_t *wire, codr_frame_t frame, const uint8_t *payload)
{
    codr_client_t *client = wire->data;

    /* the worker could not know yet that it is over */
    if (client->ended) {
        return 0;
    }

    switch (client->role) {

    case CODR_CLIENT_NEW:
        if (client->job == NULL) {
            return first_frame(client, frame, payload);
        }
        return codr_job_frame(client->job, frame, payload);

    case CODR_CLIENT_CONTROL:
    case CODR_CLIENT_OBSERVER:
        return client->job ? codr_job_frame(client->job, frame, payload) : 0;

    case CODR_CLIENT_VIEWER:
        return viewer_frame(client, frame);

    case CODR_CLIENT_FETCH:
        break;
    }

    return -EPROTO;
}


static void
wire_drained(codr_wire_t *wire)
{
    codr_client_t *client = wire->data;

    if (client->ended) {
        linger(client);
    } else if (client->result) {
        codr_pump(client);
    }
}


static void
wire_lost(codr_wire_t *wire, int error)
{
    codr_client_t *client = wire->data;
    codr_job_t    *job = client->job;

    if (error == -EPROTO && !client->ended) {
        codr_log(CODR_LEVEL_PANIC, -error, "read job from worker");
    }

    /* the kernel says it when a worker has left something unread */
    if (error == -EPIPE && client->ended
        && codr_wire_is_drained(&client->wire) && codr_client_reports(client))
    {
        codr_results_claim(&client->broker->results, client->result);
    }

    codr_client_close(client);

    if (job && job->control == client) {
        codr_job_alone(job);
    }
}


static const codr_wire_handlers_t wire_handlers = {
    frame_came, wire_drained, wire_lost,
};


bool
codr_client_reports(const codr_client_t *client)
{
    return client->result && !client->joined
           && client->role <= CODR_CLIENT_OBSERVER;
}


/* Sockets */


static bool
too_many(const codr_broker_t *broker, size_t spare)
{
    const codr_capacity_t *capacity = &broker->capacity;

    return broker->job_count + broker->loose_count
           >= capacity->jobs + capacity->batch
              + broker->config[0]->queue_length + spare;
}


/* A worker could fill the log otherwise. */
static void
tell_no_room(codr_broker_t *broker)
{
    uint64_t now = codr_now_us();

    broker->turned_away++;
    if (broker->turned_away_us != 0
        && now - broker->turned_away_us < TELL_US)
    {
        return;
    }

    codr_log(CODR_LEVEL_WARNING, 0, "no room for another job: %zu turned"
             " away", broker->turned_away);
    broker->turned_away = 0;
    broker->turned_away_us = now;
}


static void
came_too_slowly(codr_timer_t *timer)
{
    codr_client_t *client = timer->data;

    if (client->job) {
        codr_job_refuse(client->job, CODR_ERROR_BAD_MESSAGE,
                        "the job did not come complete in time", 0);
    } else {
        codr_client_refuse(client, CODR_ERROR_BAD_MESSAGE,
                           "the job did not come complete in time");
    }
}


/* The one whose frames have been coming for longest gives way: what is honest
   comes in milliseconds, and what a hostile worker holds open makes room. */
static bool
evict_unfinished(codr_broker_t *broker)
{
    codr_client_t *client, *oldest = NULL;

    for (client = broker->clients; client; client = client->next) {
        if (client->role == CODR_CLIENT_NEW && !client->ended) {
            oldest = client;
        }
    }

    if (oldest) {
        wire_lost(&oldest->wire, 0);
    }

    return oldest != NULL;
}


/* Takes the socket over, whatever happens. */
static int
begin(codr_client_t *client, int sock)
{
    int            result;
    codr_broker_t *broker = client->broker;

    client->next = broker->clients;
    if (client->next) {
        client->next->prev = client;
    }
    broker->clients = client;
    recount(client, true);

    result = codr_wire_open(&client->wire, &broker->loop, sock,
                            &wire_handlers, client);
    if (result == 0) {
        client->timer.handler = came_too_slowly;
        client->timer.data = client;
        result = codr_timer_set(&broker->loop.timers, &client->timer,
                                codr_now_us() + SUBMIT_US);
    }
    if (result < 0) {
        codr_log(CODR_LEVEL_ERROR, -result, "take a job's socket");
        codr_client_close(client);
    }

    return result;
}


void
codr_client_accept(codr_broker_t *broker, codr_config_t *config, int sock)
{
    bool           refused = too_many(broker, SPARE)
                             && !evict_unfinished(broker);
    codr_client_t *client = NULL;

    if (refused) {
        tell_no_room(broker);
    }
    if (!too_many(broker, 2 * SPARE)) {
        client = calloc(1, sizeof(*client));
    }
    if (client == NULL) {
        codr_io_discard(&sock);
        return;
    }

    client->broker = broker;
    client->config = codr_config_ref(config);

    if (begin(client, sock) < 0) {
        return;
    }

    if (refused) {
        codr_client_refuse(client, CODR_ERROR_BUSY,
                           "no room for another job");
    } else {
        codr_wire_look(&client->wire);  /* a job's frames are there by now */
    }
}
