
/*
 * A job of this node, for somebody at another: what the helper says of it is
 * published, as far as there is credit for it.  Nobody listens any more when
 * Redis says so, or when the other node does.  Runs in workers; one of a node
 * takes such jobs.
 */

#include "ngx_http_codr_distant.h"
#include "ngx_http_codr_records.h"


#define NGX_HTTP_CODR_RELAY_MAX     256        /* of a worker */
#define NGX_HTTP_CODR_RELAY_BUFFER                                            \
    (NGX_HTTP_CODR_STREAM_HEADER + CODR_FRAME_HEADER + CODR_FRAME_MAX)


/* Outlives its socket while Redis has yet to answer. */

typedef struct {
    ngx_queue_t                queue;
    ngx_http_codr_redis_t     *redis;
    ngx_connection_t          *connection;     /* NULL: it is over */
    u_char                     id[CODR_JOB_ID_LEN];
    u_char                     stream[NGX_HTTP_CODR_STREAM_NAME];
    u_char                    *buf;            /* room for a header, frames */
    size_t                     len;            /* of frames */
    uint32_t                   number;
    uint64_t                   sent;
    uint64_t                   credit;
    ngx_event_t                alive;
    ngx_uint_t                 asked;          /* answers that are due */
} ngx_http_codr_relay_t;


static ngx_http_codr_relay_t *ngx_http_codr_relay_create(
    ngx_http_codr_redis_t *redis, const u_char *id,
    ngx_http_codr_control_t *control);
static ngx_int_t ngx_http_codr_relay_ask(ngx_http_codr_relay_t *relay,
    ngx_http_codr_control_t *control);
static void ngx_http_codr_relay_read_handler(ngx_event_t *rev);
static void ngx_http_codr_relay_write_handler(ngx_event_t *wev);
static void ngx_http_codr_relay_frames(ngx_http_codr_relay_t *relay);
static void ngx_http_codr_relay_refuse(ngx_http_codr_relay_t *relay,
    codr_error_t code, const char *reason);
static ngx_int_t ngx_http_codr_relay_publish(ngx_http_codr_relay_t *relay,
    ngx_uint_t kind, size_t len);
static void ngx_http_codr_relay_published(void *data, redisReply *reply);
static void ngx_http_codr_relay_alive(ngx_event_t *ev);
static void ngx_http_codr_relay_close(ngx_http_codr_relay_t *relay);


static ngx_http_codr_relay_t *
ngx_http_codr_relay_find(ngx_http_codr_redis_t *redis, const u_char *stream)
{
    ngx_queue_t            *q;
    ngx_http_codr_relay_t  *relay;

    for (q = ngx_queue_head(&redis->relays);
         q != ngx_queue_sentinel(&redis->relays);
         q = ngx_queue_next(q))
    {
        relay = ngx_queue_data(q, ngx_http_codr_relay_t, queue);

        if (ngx_memcmp(relay->stream, stream, NGX_HTTP_CODR_STREAM_NAME) == 0)
        {
            return relay;
        }
    }

    return NULL;
}


/* All workers of all nodes hear of it. */

void
ngx_http_codr_relay_watch(ngx_http_codr_redis_t *redis, const u_char *id,
    ngx_http_codr_control_t *control)
{
    ngx_int_t                rc;
    ngx_pool_t              *pool;
    ngx_http_codr_relay_t   *relay;
    ngx_http_codr_stored_t   record;

    if (ngx_worker != 0 || ngx_exiting
        || ngx_http_codr_relay_find(redis, control->stream))
    {
        return;
    }

    pool = ngx_create_pool(4096, ngx_cycle->log);
    if (pool == NULL) {
        return;
    }

    rc = ngx_http_codr_records_read(redis->mcf, pool, id, &record);

    ngx_destroy_pool(pool);

    if (rc != NGX_OK) {
        return;
    }

    relay = ngx_http_codr_relay_create(redis, id, control);

    if (relay == NULL) {
        return;
    }

    if (redis->relaying > NGX_HTTP_CODR_RELAY_MAX) {
        ngx_http_codr_relay_refuse(relay, CODR_ERROR_BUSY,
                                   "too many jobs are watched from elsewhere");

    } else if (ngx_http_codr_relay_ask(relay, control) != NGX_OK) {
        ngx_http_codr_relay_refuse(relay, CODR_ERROR_UNAVAILABLE,
                                   "the helper cannot be asked");
    }
}


static ngx_http_codr_relay_t *
ngx_http_codr_relay_create(ngx_http_codr_redis_t *redis, const u_char *id,
    ngx_http_codr_control_t *control)
{
    int                     fd;
    ngx_connection_t       *c;
    ngx_http_codr_relay_t  *relay;

    relay = ngx_calloc(sizeof(ngx_http_codr_relay_t), ngx_cycle->log);
    if (relay == NULL) {
        return NULL;
    }

    relay->buf = ngx_alloc(NGX_HTTP_CODR_RELAY_BUFFER, ngx_cycle->log);
    fd = relay->buf ? ngx_http_codr_helper_open_job(redis->mcf, ngx_cycle->log)
                    : -1;
    c = (fd == -1) ? NULL
        : ngx_http_codr_get_connection(fd, relay,
                                       ngx_http_codr_relay_read_handler,
                                       ngx_http_codr_relay_write_handler,
                                       ngx_cycle->log);

    if (c == NULL) {
        if (fd != -1) {
            (void) close(fd);                  /* nothing was written to it */
        }

        ngx_free(relay->buf);
        ngx_free(relay);
        return NULL;
    }

    relay->redis = redis;
    relay->connection = c;
    relay->credit = ngx_min(control->credit, NGX_HTTP_CODR_STREAM_WINDOW);
    ngx_memcpy(relay->id, id, CODR_JOB_ID_LEN);
    ngx_memcpy(relay->stream, control->stream, NGX_HTTP_CODR_STREAM_NAME);

    relay->alive.handler = ngx_http_codr_relay_alive;
    relay->alive.data = relay;
    relay->alive.log = ngx_cycle->log;
    relay->alive.cancelable = 1;

    ngx_queue_insert_tail(&redis->relays, &relay->queue);
    redis->relaying++;

    return relay;
}


static ngx_int_t
ngx_http_codr_relay_ask(ngx_http_codr_relay_t *relay,
    ngx_http_codr_control_t *control)
{
    size_t             len;
    u_char             frame[256];
    codr_writer_t      w;
    ngx_connection_t  *c;

    c = relay->connection;

    codr_writer_init(&w, frame, sizeof(frame));
    codr_frame_begin(&w, CODR_FRAME_FETCH);
    codr_put_bytes(&w, CODR_FIELD_JOB_ID, relay->id, CODR_JOB_ID_LEN);
    codr_put_number(&w, CODR_FIELD_OFFSET, control->offset);

    if (control->size) {
        codr_put_number(&w, CODR_FIELD_SIZE, control->size);

    } else {
        codr_put_number(&w, CODR_FIELD_LIVE, 1);
    }

    len = codr_frame_end(&w);

    /* into an empty socket: all of it fits */

    if (len == 0 || ngx_send(c, frame, len) != (ssize_t) len
        || ngx_handle_read_event(c->read, 0) != NGX_OK)
    {
        return NGX_ERROR;
    }

    /* so that it is known at once that somebody has taken it */

    return ngx_http_codr_relay_publish(relay, NGX_HTTP_CODR_STREAM_FRAMES, 0);
}


void
ngx_http_codr_relay_more(ngx_http_codr_redis_t *redis,
    ngx_http_codr_control_t *control)
{
    ngx_http_codr_relay_t  *relay;

    relay = ngx_http_codr_relay_find(redis, control->stream);

    if (relay && control->credit > relay->credit
        && control->credit <= relay->sent + NGX_HTTP_CODR_STREAM_WINDOW)
    {
        relay->credit = control->credit;
        ngx_post_event(relay->connection->read, &ngx_posted_events);
    }
}


void
ngx_http_codr_relay_leave(ngx_http_codr_redis_t *redis,
    ngx_http_codr_control_t *control)
{
    ngx_http_codr_relay_t  *relay;

    relay = ngx_http_codr_relay_find(redis, control->stream);

    if (relay) {
        ngx_http_codr_relay_close(relay);
    }
}


void
ngx_http_codr_relay_move(ngx_http_codr_redis_t *redis)
{
    ngx_queue_t            *q;
    ngx_http_codr_relay_t  *relay;

    while (!ngx_queue_empty(&redis->relays)) {
        q = ngx_queue_head(&redis->relays);
        relay = ngx_queue_data(q, ngx_http_codr_relay_t, queue);

        (void) ngx_http_codr_relay_publish(relay, NGX_HTTP_CODR_STREAM_MOVED,
                                           0);
        ngx_http_codr_relay_close(relay);
    }
}


static void
ngx_http_codr_relay_write_handler(ngx_event_t *wev)
{
    /* nothing is written but the question */
}


static void
ngx_http_codr_relay_read_handler(ngx_event_t *rev)
{
    u_char                 *p;
    ssize_t                 n;
    ngx_connection_t       *c;
    ngx_http_codr_relay_t  *relay;

    c = rev->data;
    relay = c->data;

    if (c->close) {                            /* worker_shutdown_timeout */
        ngx_http_codr_relay_close(relay);
        return;
    }

    if (relay->sent >= relay->credit) {
        return;                                /* until there is more */
    }

    p = relay->buf + NGX_HTTP_CODR_STREAM_HEADER;

    n = c->recv(c, p + relay->len,
                CODR_FRAME_HEADER + CODR_FRAME_MAX - relay->len);

    if (n == NGX_AGAIN) {
        if (ngx_handle_read_event(rev, 0) != NGX_OK) {
            ngx_http_codr_relay_close(relay);
        }

        return;
    }

    if (n <= 0) {
        ngx_http_codr_relay_refuse(relay, CODR_ERROR_UNAVAILABLE,
                                   "the connection to the helper was lost");
        return;
    }

    relay->len += n;

    ngx_http_codr_relay_frames(relay);
}


/* Whole ones are published; behind the last one of a job nothing comes. */

static void
ngx_http_codr_relay_frames(ngx_http_codr_relay_t *relay)
{
    size_t         whole;
    u_char        *p, *start;
    ngx_uint_t     over;
    codr_frame_t   frame;

    over = 0;
    whole = 0;
    start = relay->buf + NGX_HTTP_CODR_STREAM_HEADER;

    while (!over && relay->len - whole >= CODR_FRAME_HEADER) {
        p = start + whole;

        if (codr_frame_decode(&frame, p) != 0) {
            ngx_http_codr_relay_close(relay);
            return;
        }

        if (relay->len - whole - CODR_FRAME_HEADER < frame.length) {
            break;
        }

        whole += CODR_FRAME_HEADER + frame.length;

        over = (frame.type == CODR_FRAME_COMPLETE
                || frame.type == CODR_FRAME_ERROR
                || frame.type == CODR_FRAME_FETCHED);
    }

    if (whole
        && ngx_http_codr_relay_publish(relay, NGX_HTTP_CODR_STREAM_FRAMES,
                                       whole)
           != NGX_OK)
    {
        ngx_http_codr_relay_close(relay);
        return;
    }

    relay->sent += whole;
    relay->len -= whole;
    ngx_memmove(start, start + whole, relay->len);

    if (over) {
        ngx_http_codr_relay_close(relay);

    } else if (relay->connection->read->ready) {

        /* let others have their turn */

        ngx_post_event(relay->connection->read, &ngx_posted_next_events);
    }
}


static void
ngx_http_codr_relay_refuse(ngx_http_codr_relay_t *relay, codr_error_t code,
    const char *reason)
{
    size_t         len;
    codr_writer_t  w;

    codr_writer_init(&w, relay->buf + NGX_HTTP_CODR_STREAM_HEADER,
                     CODR_FRAME_MAX);
    codr_frame_begin(&w, CODR_FRAME_ERROR);
    codr_put_number(&w, CODR_FIELD_CODE, code);
    codr_put_text(&w, CODR_FIELD_MESSAGE, reason);
    len = codr_frame_end(&w);

    (void) ngx_http_codr_relay_publish(relay, NGX_HTTP_CODR_STREAM_FRAMES,
                                       len);
    ngx_http_codr_relay_close(relay);
}


static ngx_int_t
ngx_http_codr_relay_publish(ngx_http_codr_relay_t *relay, ngx_uint_t kind,
    size_t len)
{
    u_char                          name[NGX_HTTP_CODR_REDIS_NAME];
    ngx_http_codr_redis_command_t   command;

    ngx_memzero(relay->buf, NGX_HTTP_CODR_STREAM_HEADER);
    relay->buf[0] = (u_char) relay->number;
    relay->buf[1] = (u_char) (relay->number >> 8);
    relay->buf[2] = (u_char) (relay->number >> 16);
    relay->buf[3] = (u_char) (relay->number >> 24);
    relay->buf[4] = (u_char) kind;

    command.argc = 0;
    ngx_http_codr_redis_word(&command, "PUBLISH");
    ngx_http_codr_redis_arg(&command, name,
                            ngx_http_codr_redis_stream(relay->redis, name,
                                                       relay->id,
                                                       relay->stream));
    ngx_http_codr_redis_arg(&command, relay->buf,
                            NGX_HTTP_CODR_STREAM_HEADER + len);

    if (ngx_http_codr_redis_send(relay->redis, &command,
                                 ngx_http_codr_relay_published, relay)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    relay->asked++;
    relay->number++;

    ngx_add_timer(&relay->alive, NGX_HTTP_CODR_STREAM_ALIVE);

    return NGX_OK;
}


/* How many have got it: none, when the other node is gone. */

static void
ngx_http_codr_relay_published(void *data, redisReply *reply)
{
    ngx_http_codr_relay_t  *relay = data;

    relay->asked--;

    if (relay->connection == NULL) {

        if (relay->asked == 0) {
            ngx_free(relay->buf);
            ngx_free(relay);
        }

        return;
    }

    if (reply == NULL || reply->type != REDIS_REPLY_INTEGER
        || reply->integer == 0)
    {
        ngx_http_codr_relay_close(relay);
    }
}


static void
ngx_http_codr_relay_alive(ngx_event_t *ev)
{
    ngx_http_codr_relay_t  *relay = ev->data;

    if (ngx_http_codr_relay_publish(relay, NGX_HTTP_CODR_STREAM_FRAMES, 0)
        != NGX_OK)
    {
        ngx_http_codr_relay_close(relay);
    }
}


static void
ngx_http_codr_relay_close(ngx_http_codr_relay_t *relay)
{
    ngx_queue_remove(&relay->queue);
    relay->redis->relaying--;

    ngx_close_connection(relay->connection);
    relay->connection = NULL;

    if (relay->alive.timer_set) {
        ngx_del_timer(&relay->alive);
    }

    if (relay->asked == 0) {
        ngx_free(relay->buf);
        ngx_free(relay);
    }
}
