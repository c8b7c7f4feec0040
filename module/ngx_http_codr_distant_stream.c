
/*
 * What another node says of a job: asked for by name, checked here and by
 * whoever reads the socket.  A worker of the other node that leaves, and a
 * message that was lost, cost nothing but a new question, from where output
 * ended.  Runs in workers.
 */

#include "ngx_http_codr_distant_stream.h"

#include <openssl/rand.h>


#define NGX_HTTP_CODR_DISTANT_TRIES  3


static ngx_int_t ngx_http_codr_distant_take(ngx_http_codr_distant_t *d,
    const u_char *data, size_t len);
static ngx_int_t ngx_http_codr_distant_frame(ngx_http_codr_distant_t *d,
    codr_frame_t *frame, u_char *payload);
static ngx_int_t ngx_http_codr_distant_put(ngx_http_codr_distant_t *d,
    codr_frame_t *frame, u_char *payload);


void
ngx_http_codr_distant_unsubscribe(ngx_http_codr_distant_t *d)
{
    u_char                         name[NGX_HTTP_CODR_REDIS_NAME];
    ngx_http_codr_redis_command_t  command;

    if (!d->named) {
        return;
    }

    d->named = 0;

    command.argc = 0;
    ngx_http_codr_redis_word(&command, "UNSUBSCRIBE");
    ngx_http_codr_redis_arg(&command, name,
                            ngx_http_codr_redis_stream(d->redis, name, d->id,
                                                       d->stream));

    ngx_http_codr_link_channels(&d->redis->messages, &command);
}


/* A name of its own each time: what still comes of the one before is not
   heard. */

void
ngx_http_codr_distant_subscribe(ngx_http_codr_distant_t *d)
{
    u_char                         bytes[NGX_HTTP_CODR_STREAM_NAME / 2];
    u_char                         name[NGX_HTTP_CODR_REDIS_NAME];
    ngx_http_codr_redis_command_t  command;

    ngx_http_codr_distant_unsubscribe(d);

    if (++d->tries > NGX_HTTP_CODR_DISTANT_TRIES
        || RAND_bytes(bytes, sizeof(bytes)) != 1)
    {
        ngx_http_codr_distant_end(d, CODR_ERROR_UNAVAILABLE,
                                  "the node that has the job does not answer");
        return;
    }

    (void) ngx_hex_dump(d->stream, bytes, sizeof(bytes));

    d->named = 1;
    d->number = 0;
    d->received = 0;
    d->credit = NGX_HTTP_CODR_STREAM_WINDOW;

    command.argc = 0;
    ngx_http_codr_redis_word(&command, "SUBSCRIBE");
    ngx_http_codr_redis_arg(&command, name,
                            ngx_http_codr_redis_stream(d->redis, name, d->id,
                                                       d->stream));

    /* without a connection: it is asked for when there is one */

    ngx_http_codr_link_channels(&d->redis->messages, &command);

    ngx_add_timer(&d->timer, NGX_HTTP_CODR_DISTANT_ANSWER);
}


static ngx_http_codr_distant_t *
ngx_http_codr_distant_find(ngx_http_codr_redis_t *redis, const u_char *name)
{
    ngx_queue_t              *q;
    ngx_http_codr_distant_t  *d;

    for (q = ngx_queue_head(&redis->distants);
         q != ngx_queue_sentinel(&redis->distants);
         q = ngx_queue_next(q))
    {
        d = ngx_queue_data(q, ngx_http_codr_distant_t, queue);

        if (d->named
            && ngx_memcmp(d->stream, name, NGX_HTTP_CODR_STREAM_NAME) == 0)
        {
            return d;
        }
    }

    return NULL;
}


void
ngx_http_codr_distant_subscribed(ngx_http_codr_redis_t *redis,
    const u_char *name)
{
    ngx_http_codr_distant_t  *d;

    d = ngx_http_codr_distant_find(redis, name);

    if (d) {
        ngx_http_codr_distant_ask(d, "watch");
    }
}


void
ngx_http_codr_distant_again(ngx_http_codr_redis_t *redis)
{
    ngx_queue_t              *q, *next;
    ngx_http_codr_distant_t  *d;

    for (q = ngx_queue_head(&redis->distants);
         q != ngx_queue_sentinel(&redis->distants);
         q = next)
    {
        next = ngx_queue_next(q);
        d = ngx_queue_data(q, ngx_http_codr_distant_t, queue);

        if (d->named && !d->over) {
            ngx_http_codr_distant_subscribe(d);
        }
    }
}


/* One that gets lost is made up for by the timer. */

void
ngx_http_codr_distant_ask(ngx_http_codr_distant_t *d, const char *what)
{
    ngx_http_codr_control_t  control;

    ngx_memzero(&control, sizeof(ngx_http_codr_control_t));

    control.control.data = (u_char *) what;
    control.control.len = ngx_strlen(what);
    ngx_memcpy(control.stream, d->stream, NGX_HTTP_CODR_STREAM_NAME);
    control.offset = d->offset;
    control.size = d->size;
    control.credit = d->credit;

    (void) ngx_http_codr_redis_ask(d->redis, d->id, &control);
}


void
ngx_http_codr_distant_message(ngx_http_codr_redis_t *redis,
    const u_char *name, const u_char *data, size_t len)
{
    uint32_t                  number;
    ngx_http_codr_distant_t  *d;

    d = ngx_http_codr_distant_find(redis, name);

    if (d == NULL || d->over || len < NGX_HTTP_CODR_STREAM_HEADER) {
        return;
    }

    number = data[0] | data[1] << 8 | data[2] << 16
             | (uint32_t) data[3] << 24;

    if (number != d->number || data[4] != NGX_HTTP_CODR_STREAM_FRAMES) {
        ngx_http_codr_distant_ask(d, "leave");
        ngx_http_codr_distant_subscribe(d);
        return;
    }

    d->number++;
    d->tries = 0;

    ngx_add_timer(&d->timer, 3 * NGX_HTTP_CODR_STREAM_ALIVE);

    if (ngx_http_codr_distant_take(d, data + NGX_HTTP_CODR_STREAM_HEADER,
                                   len - NGX_HTTP_CODR_STREAM_HEADER)
        != NGX_OK)
    {
        ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                      "codr: another node says what is no answer");
        ngx_http_codr_distant_end(d, CODR_ERROR_INTERNAL,
                                  "another node says what is no answer");
        return;
    }

    ngx_http_codr_distant_flush(d);
}


static ngx_int_t
ngx_http_codr_distant_take(ngx_http_codr_distant_t *d, const u_char *data,
    size_t len)
{
    codr_frame_t   frame;
    const u_char  *p, *last;

    p = data;
    last = data + len;

    while (p < last && !d->over) {

        if (last - p < CODR_FRAME_HEADER || codr_frame_decode(&frame, p) != 0
            || (size_t) (last - p) - CODR_FRAME_HEADER < frame.length
            || ngx_http_codr_distant_frame(d, &frame,
                                           (u_char *) p + CODR_FRAME_HEADER)
               != NGX_OK)
        {
            return NGX_ERROR;
        }

        p += CODR_FRAME_HEADER + frame.length;
    }

    d->received += len;

    /* more than there was credit for, and one frame */

    return d->out.size <= NGX_HTTP_CODR_STREAM_WINDOW + 2 * CODR_FRAME_MAX
           ? NGX_OK : NGX_ERROR;
}


/* What was said of the stream before is not said again. */

static ngx_int_t
ngx_http_codr_distant_frame(ngx_http_codr_distant_t *d, codr_frame_t *frame,
    u_char *payload)
{
    codr_output_t           output;
    ngx_http_codr_answer_t  a;

    if (frame->type == CODR_FRAME_OUTPUT) {

        if (codr_output_decode(&output, payload, frame->length) != 0) {
            return NGX_ERROR;
        }

        d->offset = output.offset + output.length;

        return ngx_http_codr_distant_put(d, frame, payload);
    }

    if (ngx_http_codr_answer_decode(&a, frame, payload) != NGX_OK) {
        return NGX_ERROR;
    }

    switch (a.type) {

    case CODR_FRAME_STARTED:
    case CODR_FRAME_RECORD:
        if (d->started) {
            return NGX_OK;
        }

        d->started = 1;
        break;

    case CODR_FRAME_STAGE:
        if (d->stage == a.stage + 1) {
            return NGX_OK;
        }

        d->stage = a.stage + 1;
        break;

    case CODR_FRAME_NOTICE:
        if (ngx_http_codr_has(&a, OFFSET)) {
            d->offset = a.offset;
        }

        break;

    case CODR_FRAME_QUEUED:
        break;

    case CODR_FRAME_COMPLETE:
    case CODR_FRAME_ERROR:
    case CODR_FRAME_FETCHED:
        d->over = 1;
        ngx_del_timer(&d->timer);
        break;

    default:
        return NGX_ERROR;
    }

    return ngx_http_codr_distant_put(d, frame, payload);
}


/* Tokens do not travel: a viewer is told the one it came with. */

static ngx_int_t
ngx_http_codr_distant_put(ngx_http_codr_distant_t *d, codr_frame_t *frame,
    u_char *payload)
{
    size_t      more;
    u_char      header[CODR_FRAME_HEADER], field[CODR_FIELD_HEADER];
    ngx_log_t  *log;

    log = ngx_cycle->log;
    more = (frame->type == CODR_FRAME_STARTED && d->viewer)
           ? CODR_FIELD_HEADER + CODR_TOKEN_LEN : 0;

    codr_frame_header(header, frame->type, (uint32_t) (frame->length + more));
    codr_field_header(field, CODR_FIELD_VIEW_TOKEN, CODR_TOKEN_LEN);

    if (frame->length + more > CODR_FRAME_MAX
        || ngx_http_codr_sendq_put(&d->out, header, CODR_FRAME_HEADER, log)
           != NGX_OK
        || ngx_http_codr_sendq_put(&d->out, payload, frame->length, log)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (more
        && (ngx_http_codr_sendq_put(&d->out, field, CODR_FIELD_HEADER, log)
            != NGX_OK
            || ngx_http_codr_sendq_put(&d->out, d->view_token, CODR_TOKEN_LEN,
                                       log)
               != NGX_OK))
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* Credit follows what has been read here. */

void
ngx_http_codr_distant_flush(ngx_http_codr_distant_t *d)
{
    uint64_t           credit;
    ngx_connection_t  *c;

    c = d->connection;

    if (ngx_http_codr_sendq_send(&d->out, c) == NGX_ERROR
        || ngx_handle_write_event(c->write, 0) != NGX_OK)
    {
        ngx_http_codr_distant_close(d);
        return;
    }

    if (d->over) {

        /* who asked closes it, when all is read */

        if (d->out.first == NULL) {
            ngx_add_timer(&d->timer, NGX_HTTP_CODR_DISTANT_ANSWER);
        }

        return;
    }

    if (d->received < d->out.size) {
        return;
    }

    credit = d->received - d->out.size + NGX_HTTP_CODR_STREAM_WINDOW;

    if (credit >= d->credit + NGX_HTTP_CODR_STREAM_WINDOW / 4) {
        d->credit = credit;
        ngx_http_codr_distant_ask(d, "more");
    }
}
