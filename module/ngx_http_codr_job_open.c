
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


/* A job's buffer, and where it goes. */

typedef struct {
    ngx_http_codr_drain_t     *drain;
    u_char                    *buf;
} ngx_http_codr_job_used_t;


static ngx_http_codr_job_t *ngx_http_codr_job_create(
    ngx_http_codr_main_conf_t *mcf,
    const ngx_http_codr_job_handler_t *handler, void *data, ngx_log_t *log);
static ngx_int_t ngx_http_codr_job_open(ngx_http_codr_job_t *job,
    ngx_log_t *log, ngx_http_codr_answer_t *refusal);
static ngx_int_t ngx_http_codr_job_init(ngx_http_codr_job_t *job,
    ngx_http_codr_execute_t *x);
static u_char *ngx_http_codr_job_buffer(ngx_pool_t *pool,
    ngx_http_codr_drain_t *drain);
static void ngx_http_codr_job_spare(void *data);
static void ngx_http_codr_job_close_sockets(ngx_socket_t sv[2],
    ngx_log_t *log);


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
    ngx_pool_t             *pool;
    ngx_http_codr_job_t    *job;
    ngx_http_codr_drain_t  *drain;

    drain = ngx_http_codr_drain(mcf);
    if (drain == NULL) {
        return NULL;
    }

    pool = ngx_create_pool(NGX_HTTP_CODR_JOB_POOL, log);
    if (pool == NULL) {
        return NULL;
    }

    job = ngx_pcalloc(pool, sizeof(ngx_http_codr_job_t));

    if (job == NULL
        || (job->buf = ngx_http_codr_job_buffer(pool, drain)) == NULL)
    {
        ngx_destroy_pool(pool);
        return NULL;
    }

    job->pool = pool;
    job->mcf = mcf;
    job->out.spares = &drain->spares;
    job->handler = handler;
    job->data = data;

    return job;
}


/* One that was used, if there is: as large as it is, it would go back to the
   kernel with each job, and come anew, page by page. */

static u_char *
ngx_http_codr_job_buffer(ngx_pool_t *pool, ngx_http_codr_drain_t *drain)
{
    ngx_pool_cleanup_t        *cln;
    ngx_http_codr_job_used_t  *used;

    cln = ngx_pool_cleanup_add(pool, sizeof(ngx_http_codr_job_used_t));
    if (cln == NULL) {
        return NULL;
    }

    used = cln->data;
    used->drain = drain;

    if (drain->nbuffers > 0) {
        used->buf = drain->buffers[--drain->nbuffers];

    } else {
        used->buf = ngx_alloc(NGX_HTTP_CODR_JOB_BUFFER, pool->log);
        if (used->buf == NULL) {
            return NULL;
        }
    }

    cln->handler = ngx_http_codr_job_spare;

    return used->buf;
}


static void
ngx_http_codr_job_spare(void *data)
{
    ngx_http_codr_job_used_t *used = data;

    ngx_http_codr_drain_t  *drain;

    drain = used->drain;

    if (drain->nbuffers == NGX_HTTP_CODR_JOB_SPARES) {
        ngx_free(used->buf);
        return;
    }

    drain->buffers[drain->nbuffers++] = used->buf;
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

    job->out.keep = (job->out.size <= NGX_HTTP_CODR_JOB_KEEP);

    if (ngx_http_codr_job_connect(job, log) != NGX_OK) {
        ngx_http_codr_answer_error(refusal, CODR_ERROR_UNAVAILABLE,
                                   "programs cannot be run at the moment");
        return NGX_ERROR;
    }

    ngx_queue_insert_tail(&drain->jobs, &job->queue);

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
    ngx_socket_t       sv[2];
    ngx_connection_t  *c;

    sv[1] = -1;

    if (job->remote) {
        sv[0] = ngx_http_codr_distant_open(job->mcf, log);

        if (sv[0] == -1) {
            return NGX_ERROR;
        }

    } else if (ngx_http_codr_helper_pair(sv, log) != NGX_OK) {
        return NGX_ERROR;
    }

    c = ngx_http_codr_get_connection(sv[0], job,
                                     ngx_http_codr_job_read_handler,
                                     ngx_http_codr_job_write_handler,
                                     log);

    if (c == NULL) {
        ngx_http_codr_job_close_sockets(sv, log);
        return NGX_ERROR;
    }

    c->number = ngx_atomic_fetch_add(ngx_connection_counter, 1);

    /* both ends are there: it takes what is written, and says when it cannot,
       but not each time that the broker has read something */

    c->write->ready = 1;

    job->connection = c;

    if (ngx_handle_read_event(c->read, 0) != NGX_OK) {
        sv[0] = -1;
        ngx_http_codr_job_close_sockets(sv, log);
        goto failed;
    }

    /* the broker finds all of the job where it finds its socket: it is woken
       once, and does not wait for the rest */

    ngx_http_codr_job_flush(job);

    if (!job->remote
        && ngx_http_codr_helper_give(job->mcf, sv[1], log) != NGX_OK)
    {
        goto failed;
    }

    /* never cancelable: it also keeps a worker that leaves until the end */

    ngx_add_timer(c->read, job->mcf->queue_timeout + NGX_HTTP_CODR_JOB_GRACE);

    return NGX_OK;

failed:

    ngx_close_connection(c);
    job->connection = NULL;

    return NGX_ERROR;
}


static void
ngx_http_codr_job_close_sockets(ngx_socket_t sv[2], ngx_log_t *log)
{
    ngx_uint_t  i;

    for (i = 0; i < 2; i++) {

        if (sv[i] != -1 && close(sv[i]) == -1) {
            ngx_log_error(NGX_LOG_ALERT, log, ngx_socket_errno,
                          "close() of a job socket failed");
        }
    }
}
