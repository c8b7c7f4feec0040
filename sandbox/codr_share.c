/*
 * The turns of an owner's floods.  Runs in the broker.  What an owner's floods
 * write is not lost and not held here: who rests is not read, and blocks.
 */

#define _GNU_SOURCE

#include "codr_share.h"

#include <stdlib.h>
#include <string.h>

#include "codr_client.h"
#include "codr_job.h"
#include "codr_stage.h"
#include "codr_util.h"

#define TURN_US     10000
#define REST_US     70000       /* at most; then it is read beside others */

/* Of one owner. */
struct codr_sharers_s {
    codr_sharers_t  *next;
    size_t           count;         /* jobs */
    size_t           awake;
    codr_job_t      *first;         /* of those that rest */
    codr_job_t      *last;
    size_t           owner_len;
    char             owner[CODR_OWNER_MAX];
};


static void turn_over(codr_timer_t *timer);
static void rest_over(codr_timer_t *timer);


static codr_sharers_t *
sharers_of(codr_job_t *job)
{
    codr_sharers_t       *sharers;
    const codr_request_t *request = &job->request;

    for (sharers = job->broker->sharers; sharers; sharers = sharers->next) {
        if (sharers->owner_len == request->owner_len
            && memcmp(sharers->owner, request->owner, request->owner_len) == 0)
        {
            return sharers;
        }
    }

    sharers = calloc(1, sizeof(*sharers));
    if (sharers) {
        sharers->owner_len = request->owner_len;
        memcpy(sharers->owner, request->owner, request->owner_len);
        sharers->next = job->broker->sharers;
        job->broker->sharers = sharers;
    }

    return sharers;
}


static void
forget(codr_broker_t *broker, codr_sharers_t *sharers)
{
    codr_sharers_t **at = &broker->sharers;

    while (*at != sharers) {
        at = &(*at)->next;
    }

    *at = sharers->next;
    free(sharers);
}


/* Half of the processors are for everybody else. */
static size_t
most_awake(const codr_job_t *job)
{
    size_t cpus = (size_t) job->broker->host.cpus;

    return cpus > 2 ? cpus / 2 : 1;
}


static bool
wake_at(codr_job_t *job, uint64_t us, void (*handler)(codr_timer_t *timer))
{
    codr_timer_t *timer = &job->share.timer;

    timer->handler = handler;
    timer->data = job;

    return codr_timer_set(&job->broker->loop.timers, timer,
                          codr_now_us() + us) == 0;
}


static void
unlink_resting(codr_job_t *job)
{
    codr_sharers_t *sharers = job->share.sharers;
    codr_job_t     *before = NULL, **at = &sharers->first;

    while (*at != job) {
        before = *at;
        at = &before->share.next;
    }

    *at = job->share.next;
    if (sharers->last == job) {
        sharers->last = before;
    }

    job->share.next = NULL;
    job->share.rests = false;
    sharers->awake++;
}


/* The last thing that is done with the job by whoever calls it. */
static void
wake(codr_job_t *job)
{
    unlink_resting(job);

    if (!wake_at(job, TURN_US, turn_over)) {
        codr_share_leave(job);      /* it goes on without turns */
    }
    codr_stage_flow(job);
}


static void
rest(codr_job_t *job)
{
    codr_sharers_t *sharers = job->share.sharers;

    if (!wake_at(job, REST_US, rest_over)) {
        codr_share_leave(job);
        return;
    }

    job->share.rests = true;
    sharers->awake--;

    if (sharers->last) {
        sharers->last->share.next = job;
    } else {
        sharers->first = job;
    }
    sharers->last = job;

    codr_stage_flow(job);
}


static void
turn_over(codr_timer_t *timer)
{
    codr_job_t     *job = timer->data, *next;
    codr_sharers_t *sharers = job->share.sharers;
    size_t          most = most_awake(job);

    /* who waits for its client needs no turn */
    if (!codr_batch_is_flood(&job->io.batch)
        || (job->control && codr_pump_blocks(job->control)))
    {
        codr_share_leave(job);
        return;
    }

    next = sharers->awake <= most ? sharers->first : NULL;

    if (next == NULL && sharers->awake <= most) {
        if (!wake_at(job, TURN_US, turn_over)) {
            codr_share_leave(job);
        }
        return;
    }

    rest(job);

    /* pausing a job may have ended others */
    if (next && next->share.rests) {
        wake(next);
    }
}


static void
rest_over(codr_timer_t *timer)
{
    wake(timer->data);
}


void
codr_share_output(codr_job_t *job)
{
    codr_share_t *share = &job->share;

    if (share->sharers || !codr_batch_is_flood(&job->io.batch)
        || job->sandbox.state != CODR_SANDBOX_RUNNING)
    {
        return;
    }

    share->sharers = sharers_of(job);
    if (share->sharers == NULL) {
        return;                     /* no memory: it goes on without turns */
    }

    share->sharers->count++;
    share->sharers->awake++;
    if (!wake_at(job, TURN_US, turn_over)) {
        codr_share_leave(job);
    }
}


bool
codr_share_rests(const codr_job_t *job)
{
    return job->share.rests;
}


void
codr_share_leave(codr_job_t *job)
{
    codr_job_t     *next;
    codr_sharers_t *sharers = job->share.sharers;
    bool            rested = job->share.rests;

    if (sharers == NULL) {
        return;
    }

    codr_timer_clear(&job->broker->loop.timers, &job->share.timer);
    if (rested) {
        unlink_resting(job);
    }
    job->share.sharers = NULL;
    sharers->awake--;
    sharers->count--;

    next = sharers->awake < most_awake(job) ? sharers->first : NULL;
    if (sharers->count == 0) {
        forget(job->broker, sharers);
    }

    if (rested) {
        codr_stage_flow(job);
    }
    if (next && next->share.rests) {
        wake(next);
    }
}
