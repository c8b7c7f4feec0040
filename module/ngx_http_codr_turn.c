
/*
 * The turns of jobs that flood.  Runs in workers.
 */

#include "ngx_http_codr_turn.h"


static void ngx_http_codr_turn_handler(ngx_event_t *ev);


void
ngx_http_codr_turn_init(ngx_http_codr_drain_t *drain)
{
    ngx_queue_init(&drain->floods);

    drain->turn.handler = ngx_http_codr_turn_handler;
    drain->turn.data = drain;
    drain->turn.log = ngx_cycle->log;
}


void
ngx_http_codr_turn_wait(ngx_http_codr_job_t *job)
{
    ngx_http_codr_drain_t  *drain;

    if (job->waits) {
        return;
    }

    drain = job->mcf->drain;               /* since the job was opened */

    job->waits = 1;
    ngx_queue_insert_tail(&drain->floods, &job->turn);

    ngx_post_event(&drain->turn, &ngx_posted_next_events);
}


void
ngx_http_codr_turn_leave(ngx_http_codr_job_t *job)
{
    if (job->waits) {
        ngx_queue_remove(&job->turn);
        job->waits = 0;
    }
}


static void
ngx_http_codr_turn_handler(ngx_event_t *ev)
{
    ngx_event_t            *rev;
    ngx_queue_t            *q;
    ngx_http_codr_job_t    *job;
    ngx_http_codr_drain_t  *drain;

    drain = ev->data;

    if (ngx_queue_empty(&drain->floods)) {     /* they have gone */
        return;
    }

    q = ngx_queue_head(&drain->floods);
    job = ngx_queue_data(q, ngx_http_codr_job_t, turn);

    ngx_http_codr_turn_leave(job);

    if (!ngx_queue_empty(&drain->floods)) {
        ngx_post_event(ev, &ngx_posted_next_events);
    }

    job->flood = 0;

    rev = job->connection->read;
    rev->handler(rev);
}
