
/*
 * Jobs whose client has its answer already: they belong to nobody but the
 * worker, which hears of their end for the record.  A worker that leaves lets
 * go of them, and they go on.
 */

#include "ngx_http_codr_job.h"
#include "ngx_http_codr_hold.h"
#include "ngx_http_codr_drain.h"


static void
ngx_http_codr_async_output(void *data, codr_output_t *output)
{
    /* none was asked for */
}


static void
ngx_http_codr_async_answer(void *data, ngx_http_codr_answer_t *a)
{
    ngx_http_codr_job_t  *job = data;

    if (job->ended && job->reports) {
        ngx_http_codr_record_alone(job, a);
    }
}


static void
ngx_http_codr_async_flush(void *data)
{
    /* nobody waits */
}


static const ngx_http_codr_job_handler_t  ngx_http_codr_async_handler = {
    ngx_http_codr_async_output,
    ngx_http_codr_async_answer,
    ngx_http_codr_async_flush
};


/* The request's log goes with the request. */

void
ngx_http_codr_async(ngx_http_codr_job_t *job)
{
    ngx_log_t  *log;

    log = ngx_cycle->log;

    job->handler = &ngx_http_codr_async_handler;
    job->data = job;
    job->async = 1;
    job->pool->log = log;
    job->connection->log = log;
    job->connection->read->log = log;
    job->connection->write->log = log;
}


void
ngx_http_codr_async_leave(ngx_http_codr_drain_t *drain)
{
    ngx_queue_t          *q, *next;
    ngx_http_codr_job_t  *job;

    for (q = ngx_queue_head(&drain->jobs);
         q != ngx_queue_sentinel(&drain->jobs);
         q = next)
    {
        next = ngx_queue_next(q);
        job = ngx_queue_data(q, ngx_http_codr_job_t, queue);

        if (job->handler == &ngx_http_codr_async_handler) {
            ngx_http_codr_job_close(job);
        }
    }
}


ngx_http_codr_job_t *
ngx_http_codr_job_find(ngx_http_codr_main_conf_t *mcf, const u_char *id)
{
    ngx_queue_t            *q;
    ngx_http_codr_job_t    *job;
    ngx_http_codr_drain_t  *drain;

    drain = ngx_http_codr_drain(mcf);

    if (drain == NULL) {
        return NULL;
    }

    for (q = ngx_queue_head(&drain->jobs);
         q != ngx_queue_sentinel(&drain->jobs);
         q = ngx_queue_next(q))
    {
        job = ngx_queue_data(q, ngx_http_codr_job_t, queue);

        if (ngx_memcmp(job->id, id, CODR_JOB_ID_LEN) == 0
            && !job->viewer && !job->remote && !job->ended)
        {
            return job;
        }
    }

    return NULL;
}
