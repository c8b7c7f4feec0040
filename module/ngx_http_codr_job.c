
/*
 * The job socket: its first frames go out through a queue (those that follow
 * are in ngx_http_codr_input.c), frames come in and are handed to the job's
 * owner, a WebSocket or a POST.  The socket, its buffer and its timer belong to
 * the job; the job is closed no later than the clean-up of its owner's request,
 * and its owner never closes it while a frame is being read (see
 * ngx_http_codr_job_handler_t).  Runs in workers.
 */

#include "ngx_http_codr_job.h"
#include "ngx_http_codr_distant.h"
#include "ngx_http_codr_hold.h"
#include "ngx_http_codr_drain.h"
#include "ngx_http_codr_records_list.h"
#include "ngx_http_codr_redis_save.h"


#define NGX_HTTP_CODR_JOB_POOL    1024

/* A frame, and a bit more: a read that does not fill the buffer has got all
   there is, which need not be asked for once more. */

#define NGX_HTTP_CODR_JOB_BUFFER  (2 * CODR_FRAME_HEADER + CODR_FRAME_MAX)

/* How much longer than it may the broker takes before it counts as hung. */

#define NGX_HTTP_CODR_JOB_GRACE   30000

/* A job of at most so many bytes is kept until it starts; one whose socket
   ends before is sent once more, when the end of a broker is known to all. */

#define NGX_HTTP_CODR_JOB_KEEP    (256 * 1024)
#define NGX_HTTP_CODR_JOB_AGAIN   100          /* milliseconds */

/* A job that was joined while it waits may wait for long. */

#define NGX_HTTP_CODR_JOB_WAIT    (24 * 3600 * 1000)


static ngx_http_codr_job_t *ngx_http_codr_job_create(
    ngx_http_codr_main_conf_t *mcf,
    const ngx_http_codr_job_handler_t *handler, void *data, ngx_log_t *log);
static ngx_int_t ngx_http_codr_job_open(ngx_http_codr_job_t *job,
    ngx_log_t *log, ngx_http_codr_answer_t *refusal);
static ngx_int_t ngx_http_codr_job_init(ngx_http_codr_job_t *job,
    ngx_http_codr_execute_t *x);
static ngx_int_t ngx_http_codr_job_connect(ngx_http_codr_job_t *job,
    ngx_log_t *log);
static void ngx_http_codr_job_read_handler(ngx_event_t *rev);
static void ngx_http_codr_job_timeout(ngx_http_codr_job_t *job);
static void ngx_http_codr_job_again(ngx_http_codr_job_t *job);
static ngx_int_t ngx_http_codr_job_read(ngx_http_codr_job_t *job);
static ngx_int_t ngx_http_codr_job_frame(ngx_http_codr_job_t *job,
    codr_frame_t *frame, u_char *payload);
static ngx_int_t ngx_http_codr_job_note(ngx_http_codr_job_t *job,
    ngx_http_codr_answer_t *a);
static ngx_int_t ngx_http_codr_job_started(ngx_http_codr_job_t *job,
    ngx_http_codr_answer_t *a);
static void ngx_http_codr_job_ended(ngx_http_codr_job_t *job,
    ngx_http_codr_answer_t *a);
static ngx_int_t ngx_http_codr_job_joined(ngx_http_codr_job_t *job,
    ngx_http_codr_answer_t *a);
static void ngx_http_codr_job_lost(ngx_http_codr_job_t *job,
    codr_error_t code, const char *reason);


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


static ngx_int_t
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


static void
ngx_http_codr_job_read_handler(ngx_event_t *rev)
{
    void                               *data;
    ngx_int_t                           rc;
    ngx_connection_t                   *c;
    ngx_http_codr_job_t                *job;
    const ngx_http_codr_job_handler_t  *handler;

    c = rev->data;
    job = c->data;

    data = job->data;
    handler = job->handler;

    if (c->close) {                            /* worker_shutdown_timeout */
        ngx_http_codr_job_lost(job, CODR_ERROR_INTERNAL,
                               "the server is going away");

    } else if (rev->timedout) {
        ngx_http_codr_job_timeout(job);

    } else if (job->paused || job->again) {
        return;

    } else {
        rc = ngx_http_codr_job_read(job);

        if (rc == NGX_DECLINED && job->out.keep) {
            job->again = 1;
            ngx_add_timer(rev, NGX_HTTP_CODR_JOB_AGAIN);

        } else if (rc != NGX_OK) {
            ngx_http_codr_job_lost(job, CODR_ERROR_INTERNAL,
                                   "the connection to the helper was lost");
        }
    }

    if (job->ended) {
        ngx_http_codr_job_close(job);

    } else if (job->connection->read->ready && !job->again) {

        /* let others have their turn */

        ngx_post_event(job->connection->read, &ngx_posted_next_events);
    }

    handler->flush(data);
}


static void
ngx_http_codr_job_timeout(ngx_http_codr_job_t *job)
{
    ngx_event_t  *rev;

    rev = job->connection->read;
    rev->timedout = 0;

    if (job->again) {
        ngx_http_codr_job_again(job);
        return;
    }

    /* it is the client who waits, or one who may wait for ever */

    if (job->paused || (job->async && !job->started)) {
        ngx_add_timer(rev, NGX_HTTP_CODR_JOB_GRACE);
        return;
    }

    ngx_log_error(NGX_LOG_ERR, rev->log, 0,
                  "codr: no answer from the helper in time");

    ngx_http_codr_job_lost(job, job->started ? CODR_ERROR_INTERNAL
                                             : CODR_ERROR_UNAVAILABLE,
                           "no answer from the helper in time");
}


/* A broker that ended before the job began took only the job's first frames
   with it; they and what followed go to the next one. */

static void
ngx_http_codr_job_again(ngx_http_codr_job_t *job)
{
    ngx_connection_t  *c;

    c = job->connection;
    job->again = 0;

    if (ngx_http_codr_job_connect(job, c->log) != NGX_OK) {
        job->connection = c;
        ngx_http_codr_job_lost(job, CODR_ERROR_UNAVAILABLE,
                               "programs cannot be run at the moment");
        return;
    }

    ngx_close_connection(c);

    job->len = 0;

    ngx_http_codr_sendq_again(&job->out);
    ngx_http_codr_job_flush(job);
}


/* Once: at most a buffer full, so that one event stays short.  NGX_DECLINED at
   the end of the socket. */

static ngx_int_t
ngx_http_codr_job_read(ngx_http_codr_job_t *job)
{
    u_char            *p, *last;
    ssize_t            n;
    codr_frame_t       frame;
    ngx_connection_t  *c;

    c = job->connection;

    n = c->recv(c, job->buf + job->len, NGX_HTTP_CODR_JOB_BUFFER - job->len);

    if (n == NGX_AGAIN) {
        return ngx_handle_read_event(c->read, 0);
    }

    if (n <= 0) {
        return NGX_DECLINED;
    }

    p = job->buf;
    last = job->buf + job->len + n;

    while (!job->ended && last - p >= CODR_FRAME_HEADER) {

        if (codr_frame_decode(&frame, p) != 0) {
            ngx_log_error(NGX_LOG_ERR, c->log, 0,
                          "codr: the helper sent what is no frame");
            return NGX_ERROR;
        }

        if ((size_t) (last - p) < CODR_FRAME_HEADER + frame.length) {
            break;
        }

        p += CODR_FRAME_HEADER;

        if (ngx_http_codr_job_frame(job, &frame, p) != NGX_OK) {
            ngx_log_error(NGX_LOG_ERR, c->log, 0,
                          "codr: the helper sent a frame of type %ui that is "
                          "malformed or not due", (ngx_uint_t) frame.type);
            return NGX_ERROR;
        }

        p += frame.length;
    }

    job->len = last - p;
    ngx_memmove(job->buf, p, job->len);

    return NGX_OK;
}


static ngx_int_t
ngx_http_codr_job_frame(ngx_http_codr_job_t *job, codr_frame_t *frame,
    u_char *payload)
{
    codr_output_t           output;
    ngx_http_codr_answer_t  a;

    if (frame->type == CODR_FRAME_OUTPUT) {

        if (!job->started
            || codr_output_decode(&output, payload, frame->length) != 0)
        {
            return NGX_ERROR;
        }

        job->handler->output(job->data, &output);
        ngx_http_codr_publish(job, &output);

        return NGX_OK;
    }

    if (ngx_http_codr_answer_decode(&a, frame, payload) != NGX_OK
        || ngx_http_codr_job_note(job, &a) != NGX_OK)
    {
        return NGX_ERROR;
    }

    job->handler->answer(job->data, &a);

    return NGX_OK;
}


/* What the job itself must know of an answer; NGX_ERROR for one that cannot
   come now. */

static ngx_int_t
ngx_http_codr_job_note(ngx_http_codr_job_t *job, ngx_http_codr_answer_t *a)
{
    if (ngx_http_codr_has(a, JOB_ID)) {

        if (a->job_id.len != CODR_JOB_ID_LEN
            || ngx_memcmp(job->id, a->job_id.data, CODR_JOB_ID_LEN) != 0)
        {
            return NGX_ERROR;
        }

        job->identified = 1;
    }

    switch (a->type) {

    case CODR_FRAME_QUEUED:

        if (job->started) {
            return NGX_ERROR;
        }

        ngx_http_codr_records_accepted(job);

        if (job->attached) {
            ngx_add_timer(job->connection->read, NGX_HTTP_CODR_JOB_WAIT);
        }

        return NGX_OK;

    case CODR_FRAME_ACCEPTED:
        ngx_http_codr_records_tokens(job, a);
        ngx_http_codr_records_accepted(job);
        return NGX_OK;

    case CODR_FRAME_STARTED:
        return ngx_http_codr_job_started(job, a);

    case CODR_FRAME_STAGE:

        if (ngx_http_codr_has(a, CACHED)) {
            job->cached = a->cached;
        }

        return job->started ? NGX_OK : NGX_ERROR;

    case CODR_FRAME_COMPLETE:

        /* a job that is stopped while it waits ends without a start */

    case CODR_FRAME_ERROR:

        job->ended = 1;
        ngx_http_codr_job_ended(job, a);
        return NGX_OK;

    case CODR_FRAME_TAKEN:
        job->taken = 1;
        job->outlives = 1;
        job->ended = 1;
        return NGX_OK;

    case CODR_FRAME_NOTICE:
        return NGX_OK;

    default:
        return NGX_ERROR;
    }
}


static ngx_int_t
ngx_http_codr_job_started(ngx_http_codr_job_t *job, ngx_http_codr_answer_t *a)
{
    if (job->started) {
        return NGX_ERROR;
    }

    if (job->attached && ngx_http_codr_job_joined(job, a) != NGX_OK) {
        return NGX_ERROR;
    }

    job->started = 1;
    ngx_http_codr_sendq_forget(&job->out);
    ngx_http_codr_records_tokens(job, a);
    ngx_http_codr_records_started(job);

    ngx_add_timer(job->connection->read, job->longest);

    return NGX_OK;
}


/* Whoever hears first of the end of a job that began elsewhere records it. */

static void
ngx_http_codr_job_ended(ngx_http_codr_job_t *job, ngx_http_codr_answer_t *a)
{
    if (!job->attached) {

        if (ngx_http_codr_records_ended(job, a) == NGX_DECLINED) {
            job->reports = 0;
        }

    } else if (job->started) {
        job->reports = (ngx_http_codr_records_end(job->mcf, job->id, a, job)
                        == NGX_OK);
    }
}


/* What this worker would know, had the job begun on it. */

static ngx_int_t
ngx_http_codr_job_joined(ngx_http_codr_job_t *job, ngx_http_codr_answer_t *a)
{
    if (!ngx_http_codr_has(a, OFFSET) || !ngx_http_codr_has(a, TERMINAL)
        || !ngx_http_codr_has(a, INPUT_BYTES)
        || !ngx_http_codr_has(a, INPUT_CLOSED))
    {
        return NGX_ERROR;
    }

    job->tag.data = ngx_pstrdup(job->pool, &a->tag);
    job->language.data = ngx_pstrdup(job->pool, &a->language);

    if (job->tag.data == NULL || job->language.data == NULL) {
        return NGX_ERROR;
    }

    job->tag.len = a->tag.len;
    job->language.len = a->language.len;

    job->terminal = (a->terminal != CODR_TERMINAL_NONE);
    job->closed = (a->input_closed != 0);
    job->input_max = a->limits.value[CODR_LIMIT_STDIN];
    job->input_size = ngx_min(a->input_bytes, job->input_max);

    job->longest = a->limits.value[CODR_LIMIT_COMPILE_MS]
                   + a->limits.value[CODR_LIMIT_WALL_MS]
                   + a->limits.value[CODR_LIMIT_MAX_MS]
                   + NGX_HTTP_CODR_JOB_GRACE;

    ngx_http_codr_records_joined(job);

    return NGX_OK;
}


static void
ngx_http_codr_job_lost(ngx_http_codr_job_t *job, codr_error_t code,
    const char *reason)
{
    ngx_http_codr_answer_t  a;

    if (job->ended) {
        return;
    }

    job->ended = 1;

    ngx_http_codr_answer_error(&a, code, reason);

    if (!job->attached) {                      /* else it may well go on */
        ngx_http_codr_job_ended(job, &a);
    }

    job->handler->answer(job->data, &a);
}


void
ngx_http_codr_job_deny(ngx_http_codr_job_t *job, codr_error_t code,
    const char *reason)
{
    void                               *data;
    const ngx_http_codr_job_handler_t  *handler;

    data = job->data;
    handler = job->handler;

    ngx_http_codr_job_lost(job, code, reason);
    ngx_http_codr_job_close(job);

    handler->flush(data);
}


void
ngx_http_codr_job_close(ngx_http_codr_job_t *job)
{
    ngx_http_codr_records_left(job);
    ngx_queue_remove(&job->queue);
    ngx_http_codr_sendq_free(&job->out);
    ngx_close_connection(job->connection);
    ngx_destroy_pool(job->pool);
}


void
ngx_http_codr_job_pause(ngx_http_codr_job_t *job, ngx_uint_t pause)
{
    if (job->paused && !pause) {
        ngx_post_event(job->connection->read, &ngx_posted_events);
    }

    job->paused = pause ? 1 : 0;
}
