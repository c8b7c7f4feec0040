
/*
 * A job begins: what it is, its first frames, its socket to the broker.  What
 * comes over that is read in ngx_http_codr_job.c.  Runs in workers.
 */

#include "ngx_http_codr_job_open.h"
#include "ngx_http_codr_distant.h"
#include "ngx_http_codr_drain.h"
#include "ngx_http_codr_hold.h"
#include "ngx_http_codr_records_list.h"


#define NGX_HTTP_CODR_JOB_POOL    1024

/* A job of at most so many bytes is kept until it starts. */

#define NGX_HTTP_CODR_JOB_KEEP    (256 * 1024)


static ngx_http_codr_job_t *ngx_http_codr_job_create(
    ngx_http_codr_main_conf_t *mcf,
    const ngx_http_codr_job_handler_t *handler, void *data, ngx_log_t *log);
static ngx_int_t ngx_http_codr_job_open(ngx_http_codr_job_t *job,
    ngx_log_t *log, ngx_http_codr_answer_t *refusal);
static ngx_int_t ngx_http_codr_job_init(ngx_http_codr_job_t *job,
    ngx_http_codr_execute_t *x);


ngx_int_t
ngx_http_codr_job_start(ngx_http_codr_job_t **ret, ngx_http_codr_execute_t *x,
    const ngx_http_codr_job_handler_t *handler, void *data, ngx_log_t *log,
    ngx_http_codr_answer_t *refusal)
{
    ngx_http_codr_job_t  *job;

    ngx_http_codr_answer_error(refusal, CODR_ERROR_INTERNAL, "out of memory");

    job = ngx_http_codr_job_create(x->mcf, handler, data, log);
    if (job == NULL) {
        return NGX_ERROR;
    }

    if (ngx_http_codr_job_init(job, x) != NGX_OK
        || ngx_http_codr_execute_frames(x, &job->out, log) != NGX_OK
        || ngx_http_codr_hold(job, x, refusal) != NGX_OK
        || ngx_http_codr_job_open(job, log, refusal) != NGX_OK)
    {
        (void) ngx_http_codr_records_ended(job, refusal);
        ngx_http_codr_sendq_free(&job->out);
        ngx_destroy_pool(job->pool);
        return NGX_ERROR;
    }

    *ret = job;

    return NGX_OK;
}


ngx_int_t
ngx_http_codr_job_attach(ngx_http_codr_job_t **ret,
    ngx_http_codr_main_conf_t *mcf, ngx_http_codr_attach_t *attach,
    const ngx_http_codr_job_handler_t *handler, void *data, ngx_log_t *log,
    ngx_http_codr_answer_t *refusal)
{
    u_char                buf[256];
    codr_writer_t         w;
    ngx_http_codr_job_t  *job;

    ngx_http_codr_answer_error(refusal, CODR_ERROR_INTERNAL, "out of memory");

    job = ngx_http_codr_job_create(mcf, handler, data, log);
    if (job == NULL) {
        return NGX_ERROR;
    }

    job->attached = 1;
    job->viewer = attach->viewer ? 1 : 0;
    ngx_memcpy(job->id, attach->job_id.data, CODR_JOB_ID_LEN);
    job->remote = ngx_http_codr_distant_wanted(mcf, job->id) ? 1 : 0;

    codr_writer_init(&w, buf, sizeof(buf));
    codr_frame_begin(&w, CODR_FRAME_ATTACH);
    codr_put_bytes(&w, CODR_FIELD_JOB_ID, attach->job_id.data,
                   attach->job_id.len);
    codr_put_bytes(&w, attach->viewer ? CODR_FIELD_VIEW_TOKEN
                                      : CODR_FIELD_ATTACH_TOKEN,
                   attach->token.data, attach->token.len);
    codr_put_number(&w, CODR_FIELD_OFFSET, attach->offset);

    if (ngx_http_codr_sendq_put(&job->out, buf, codr_frame_end(&w), log)
        != NGX_OK
        || ngx_http_codr_job_open(job, log, refusal) != NGX_OK)
    {
        ngx_http_codr_sendq_free(&job->out);
        ngx_destroy_pool(job->pool);
        return NGX_ERROR;
    }

    *ret = job;

    return NGX_OK;
}


static ngx_http_codr_job_t *
ngx_http_codr_job_create(ngx_http_codr_main_conf_t *mcf,
    const ngx_http_codr_job_handler_t *handler, void *data, ngx_log_t *log)
{
    ngx_pool_t           *pool;
    ngx_http_codr_job_t  *job;

    pool = ngx_create_pool(NGX_HTTP_CODR_JOB_POOL, log);
    if (pool == NULL) {
        return NULL;
    }

    job = ngx_pcalloc(pool, sizeof(ngx_http_codr_job_t));

    if (job == NULL
        || (job->buf = ngx_palloc(pool, NGX_HTTP_CODR_JOB_BUFFER)) == NULL)
    {
        ngx_destroy_pool(pool);
        return NULL;
    }

    job->pool = pool;
    job->mcf = mcf;
    job->handler = handler;
    job->data = data;

    return job;
}


static ngx_int_t
ngx_http_codr_job_open(ngx_http_codr_job_t *job, ngx_log_t *log,
    ngx_http_codr_answer_t *refusal)
{
    ngx_http_codr_drain_t  *drain;

    drain = ngx_http_codr_drain(job->mcf);
    if (drain == NULL) {
        return NGX_ERROR;
    }

    if (ngx_http_codr_job_connect(job, log) != NGX_OK) {
        ngx_http_codr_answer_error(refusal, CODR_ERROR_UNAVAILABLE,
                                   "programs cannot be run at the moment");
        return NGX_ERROR;
    }

    job->out.keep = (job->out.size <= NGX_HTTP_CODR_JOB_KEEP);

    ngx_queue_insert_tail(&drain->jobs, &job->queue);

    ngx_http_codr_job_flush(job);

    return NGX_OK;
}


static ngx_int_t
ngx_http_codr_job_init(ngx_http_codr_job_t *job, ngx_http_codr_execute_t *x)
{
    job->tag.data = ngx_pstrdup(job->pool, &x->tag);
    job->language.data = ngx_pstrdup(job->pool, &x->language->name);
    job->owner.data = ngx_pstrdup(job->pool, &x->who.owner);
    job->key_id.data = ngx_pstrdup(job->pool, &x->who.key_id);
    job->trace.data = ngx_pstrdup(job->pool, &x->trace);

    if (job->tag.data == NULL || job->language.data == NULL
        || job->owner.data == NULL || job->key_id.data == NULL
        || job->trace.data == NULL)
    {
        return NGX_ERROR;
    }

    job->tag.len = x->tag.len;
    job->language.len = x->language->name.len;
    job->owner.len = x->who.owner.len;
    job->key_id.len = x->who.key_id.len;
    job->trace.len = x->trace.len;
    job->async = x->async;
    job->outlives = (x->async || x->detach > 0);
    ngx_memcpy(job->id, x->who.job_id.data, CODR_JOB_ID_LEN);
    ngx_memcpy(job->sha256, x->sha256, sizeof(job->sha256));

    job->terminal = (x->terminal != CODR_TERMINAL_NONE);
    job->closed = x->closed;
    job->input_max = x->caps.value[CODR_LIMIT_STDIN];
    job->input_size = x->input.len;
    job->detach = (x->detach > 0);
    job->reports = 1;

    job->longest = x->caps.value[CODR_LIMIT_COMPILE_MS]
                   + (x->closed ? x->caps.value[CODR_LIMIT_WALL_MS]
                                : x->caps.value[CODR_LIMIT_MAX_MS])
                   + NGX_HTTP_CODR_JOB_GRACE;

    return NGX_OK;
}


ngx_int_t
ngx_http_codr_job_connect(ngx_http_codr_job_t *job, ngx_log_t *log)
{
    int                fd;
    ngx_connection_t  *c;

    fd = job->remote ? ngx_http_codr_distant_open(job->mcf, log)
                     : ngx_http_codr_helper_open_job(job->mcf, log);
    if (fd == -1) {
        return NGX_ERROR;
    }

    c = ngx_http_codr_get_connection(fd, job,
                                     ngx_http_codr_job_read_handler,
                                     ngx_http_codr_job_write_handler,
                                     log);

    if (c == NULL) {
        if (close(fd) == -1) {
            ngx_log_error(NGX_LOG_ALERT, log, ngx_socket_errno,
                          "close() of a job socket failed");
        }

        return NGX_ERROR;
    }

    c->number = ngx_atomic_fetch_add(ngx_connection_counter, 1);

    /* both ends are there: it takes what is written, and says when it cannot,
       but not each time that the broker has read something */

    c->write->ready = 1;

    job->connection = c;

    if (ngx_handle_read_event(c->read, 0) != NGX_OK) {
        ngx_close_connection(c);
        job->connection = NULL;
        return NGX_ERROR;
    }

    /* never cancelable: it also keeps a worker that leaves until the end */

    ngx_add_timer(c->read, job->mcf->queue_timeout + NGX_HTTP_CODR_JOB_GRACE);

    return NGX_OK;
}
