/*
 * Who runs when: queue, places, and the room for waiting jobs' files.  Runs
 * in the broker.  A job counts from the moment it leaves the queue until its
 * sandbox is gone; the counts live here and nowhere else, so no worker that
 * dies can leave one behind.
 */

#include "codr_broker.h"

#include <errno.h>

#include "codr_answer.h"
#include "codr_charge.h"
#include "codr_compile.h"
#include "codr_figures.h"
#include "codr_util.h"

#define TELL_US         1000000     /* between two positions of one job */
#define RETRY_MS        1000        /* when nothing is known */
#define RETRY_MS_MAX    30000
#define UNAVAILABLE_MS  5000

/* All files and artefacts together: a share of what jobs may use. */
#define STORE_SHARE     4
#define STORE_MIN       (256ULL * 1024 * 1024)


static uint64_t
places_of(const codr_broker_t *broker, codr_kind_t kind)
{
    return kind == CODR_KIND_BATCH ? broker->capacity.batch
                                   : broker->capacity.jobs;
}


static bool
fits(codr_waiter_t *waiter, void *context)
{
    codr_job_t    *job = waiter->data;
    codr_broker_t *broker = context;

    if (broker->running[job->request.kind]
        >= places_of(broker, job->request.kind))
    {
        return false;
    }

    switch (codr_compile_needs(job)) {

    case CODR_COMPILE_NOTHING:
        return true;

    case CODR_COMPILE_PLACE:
        return broker->compiling < broker->capacity.compile;

    case CODR_COMPILE_PATIENCE:
        break;
    }

    return false;
}


/* Milliseconds until it is the turn of who is at this position; 0 = not known.
   Nobody waits longer than the queue lets him. */
static uint64_t
wait_ms(const codr_broker_t *broker, const codr_job_t *job, uint64_t position)
{
    codr_kind_t kind = job->request.kind;
    uint64_t    most = broker->config[0]->queue_ms;
    uint64_t    ms = codr_pace_wait_us(&broker->pace[kind],
                                       places_of(broker, kind), position,
                                       codr_now_us()) / 1000;

    return ms > most && !job->request.async ? most : ms;
}


/* Positions, counted apart by kind: who waits for a place of the other kind
   is not before anybody. */
typedef struct {
    codr_broker_t  *broker;
    uint64_t        seen[2];
    codr_waiter_t  *wanted;         /* only this one; NULL: all */
} count_t;


static bool
tell_position(codr_waiter_t *waiter, void *context)
{
    count_t    *count = context;
    codr_job_t *job = waiter->data;
    uint64_t    position = ++count->seen[job->request.kind];

    if (count->wanted && count->wanted != waiter) {
        return true;
    }

    /* one that was announced waits for a new spawner */
    if (position != job->position && !job->announced) {
        job->position = position;
        codr_answer_queued(job, position,
                           wait_ms(count->broker, job, position));
    }

    return count->wanted == NULL;
}


static void
tell_positions(codr_broker_t *broker, codr_waiter_t *wanted)
{
    count_t count = { .broker = broker, .wanted = wanted };

    codr_queue_visit(&broker->queue, tell_position, &count);
}


/* Positions move whenever somebody comes or goes: once a second is enough. */
static void
queue_ticked(codr_timer_t *timer)
{
    codr_broker_t *broker = timer->data;

    tell_positions(broker, NULL);

    if (broker->queue.count > 0) {
        (void) codr_timer_set(&broker->loop.timers, timer,
                              codr_now_us() + TELL_US);
    }
}


static void
start_ticking(codr_broker_t *broker)
{
    if (codr_timer_is_set(&broker->queue_timer)) {
        return;
    }

    broker->queue_timer.handler = queue_ticked;
    broker->queue_timer.data = broker;
    (void) codr_timer_set(&broker->loop.timers, &broker->queue_timer,
                          codr_now_us() + TELL_US); /* without: no news */
}


/* When all who wait have had their turn, it could be its own. */
static uint64_t
retry_ms(const codr_job_t *job)
{
    const codr_broker_t *broker = job->broker;
    uint64_t             wait = wait_ms(broker, job, broker->queue.count);

    if (wait < RETRY_MS) {
        return RETRY_MS;
    }

    return wait > RETRY_MS_MAX ? RETRY_MS_MAX : wait;
}


static void
waited_too_long(codr_timer_t *timer)
{
    codr_job_t *job = timer->data;

    codr_job_refuse(job, CODR_ERROR_BUSY, "no place became free in time",
                    retry_ms(job));
}


static bool
can_run(const codr_broker_t *broker)
{
    return broker->link && broker->link->state == CODR_LINK_READY;
}


/* Waiting would not help: somebody has to do something about it. */
static bool
is_unavailable(const codr_broker_t *broker)
{
    if (broker->link) {
        return broker->link->state == CODR_LINK_LACKING;
    }

    return broker->cause[0] != '\0';
}


void
codr_dispatch_add(codr_broker_t *broker, codr_job_t *job)
{
    int            result;
    codr_config_t *config = broker->config[0];

    if (is_unavailable(broker)) {
        codr_job_refuse(job, CODR_ERROR_UNAVAILABLE,
                        "no sandbox can be had now", UNAVAILABLE_MS);
        return;
    }

    result = codr_charge_begin(job);
    if (result < 0) {
        codr_job_refuse(job, result == -EDQUOT ? CODR_ERROR_RATE_LIMITED
                                               : CODR_ERROR_INTERNAL,
                        result == -EDQUOT ? "too many jobs at once"
                                          : "out of memory", RETRY_MS);
        return;
    }

    /* one that can start at once does not count as waiting */
    result = codr_queue_add(&broker->queue, &job->waiter, job->request.owner,
                            job->request.owner_len,
                            config->queue_length + 1);
    if (result == 0) {
        codr_dispatch(broker);
        if (job->waiter.line && broker->queue.count > config->queue_length) {
            job->alone = true;          /* nowhere to wait for an equal one */
            codr_dispatch(broker);
        }
        if (job->waiter.line && broker->queue.count > config->queue_length) {
            result = -1;
        }
    }
    if (result < 0) {
        codr_job_refuse(job, CODR_ERROR_BUSY, "too many jobs wait already",
                        retry_ms(job));
        return;
    }

    if (job->waiter.line == NULL) {
        return;
    }

    job->timer.handler = waited_too_long;
    job->timer.data = job;
    if (!job->request.async
        && codr_timer_set(&broker->loop.timers, &job->timer,
                          codr_now_us() + config->queue_ms * 1000) < 0)
    {
        codr_job_refuse(job, CODR_ERROR_INTERNAL, "out of memory", 0);
        return;
    }

    tell_positions(broker, &job->waiter);
    start_ticking(broker);
    codr_figures_changed(broker);
}


void
codr_dispatch(codr_broker_t *broker)
{
    codr_job_t    *job;
    codr_waiter_t *waiter;

    while (can_run(broker)) {
        waiter = codr_queue_take(&broker->queue, fits, broker);
        if (waiter == NULL) {
            return;
        }

        job = waiter->data;
        codr_timer_clear(&broker->loop.timers, &job->timer);

        job->holds_place = true;
        job->begun_us = codr_now_us();
        broker->running[job->request.kind]++;
        codr_pace_enter(&broker->pace[job->request.kind], job->begun_us);
        if (codr_compile_needs(job) == CODR_COMPILE_PLACE) {
            job->holds_compile = true;
            broker->compiling++;
        }

        codr_figures_changed(broker);
        codr_stage_begin(job);
    }
}


void
codr_dispatch_leave(codr_broker_t *broker, codr_job_t *job)
{
    job->holds_place = false;
    broker->running[job->request.kind]--;
    codr_pace_leave(&broker->pace[job->request.kind], job->begun_us,
                    codr_now_us());
    codr_dispatch_soon(broker);
    codr_pool_refill(&broker->pool);
}


static void
dispatch_due(codr_timer_t *timer)
{
    codr_dispatch(timer->data);
}


void
codr_dispatch_soon(codr_broker_t *broker)
{
    codr_figures_changed(broker);

    if (broker->queue.count == 0
        || codr_timer_is_set(&broker->dispatch_timer))
    {
        return;
    }

    broker->dispatch_timer.handler = dispatch_due;
    broker->dispatch_timer.data = broker;
    if (codr_timer_set(&broker->loop.timers, &broker->dispatch_timer,
                       codr_now_us()) < 0)
    {
        codr_dispatch(broker);
    }
}


static void
refuse_waiter(codr_waiter_t *waiter, void *context)
{
    (void) context;
    codr_job_refuse(waiter->data, CODR_ERROR_UNAVAILABLE,
                    "no sandbox can be had now", UNAVAILABLE_MS);
}


void
codr_dispatch_refuse_all(codr_broker_t *broker)
{
    if (is_unavailable(broker)) {
        codr_queue_each(&broker->queue, refuse_waiter, broker);
    }
}


bool
codr_dispatch_store(codr_broker_t *broker, codr_job_t *job, uint64_t bytes)
{
    uint64_t most = broker->capacity.memory / STORE_SHARE;

    if (most < STORE_MIN) {
        most = STORE_MIN;
    }

    if (broker->stored > most || bytes > most - broker->stored) {
        return false;
    }

    /* what might be useful gives way to what is needed */
    codr_cache_shrink(&broker->cache, most - broker->stored - bytes);

    broker->stored += bytes;
    job->stored += bytes;
    return true;
}
