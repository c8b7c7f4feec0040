
/*
 * The job socket, once it is open (ngx_http_codr_job_open.c): frames come in
 * and are handed to the job's owner, a WebSocket or a POST; what goes out is in
 * ngx_http_codr_input.c.  The socket, its buffer and its timer belong to the
 * job; the job is closed no later than the clean-up of its owner's request, and
 * its owner never closes it while a frame is being read (see
 * ngx_http_codr_job_handler_t).  Runs in workers.
 */

#include "ngx_http_codr_job_open.h"
#include "ngx_http_codr_records_list.h"
#include "ngx_http_codr_redis_save.h"
#include "ngx_http_codr_turn.h"


/* A job that was kept and whose socket ends before it starts is sent once more,
   when the end of a broker is known to all. */

#define NGX_HTTP_CODR_JOB_AGAIN   100          /* milliseconds */

/* So much at once is no talk between a program and its user. */

#define NGX_HTTP_CODR_JOB_FLOOD   16384

/* A job that was joined while it waits may wait for long. */

#define NGX_HTTP_CODR_JOB_WAIT    (24 * 3600 * 1000)


static void ngx_http_codr_job_rest(ngx_http_codr_job_t *job);
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


void
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

    } else if (job->flood) {
        ngx_http_codr_turn_wait(job);
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
        ngx_http_codr_job_rest(job);
    }

    handler->flush(data);
}


/* There is more: others have their turn before it. */

static void
ngx_http_codr_job_rest(ngx_http_codr_job_t *job)
{
    if (job->flood) {
        ngx_http_codr_turn_wait(job);

    } else {
        ngx_post_event(job->connection->read, &ngx_posted_next_events);
    }
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

    /* it would begin later, though its client was told that it does not */

    if (job->outlives && !job->started) {
        ngx_http_codr_job_send(job, CODR_FRAME_STOP);
    }

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
    job->len = 0;

    ngx_http_codr_sendq_again(&job->out);

    if (ngx_http_codr_job_connect(job, c->log) != NGX_OK) {
        job->connection = c;
        ngx_http_codr_job_lost(job, CODR_ERROR_UNAVAILABLE,
                               "programs cannot be run at the moment");
        return;
    }

    ngx_close_connection(c);
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

    job->flood = (n >= NGX_HTTP_CODR_JOB_FLOOD);

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
    ngx_http_codr_turn_leave(job);
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
