
/*
 * A job of another node, as a socket on which it answers like the helper: who
 * asks need not know the difference.  This is the side of the socket; what
 * comes through Redis is in ngx_http_codr_distant_stream.c.  Runs in workers.
 */

#include "ngx_http_codr_distant_stream.h"
#include "ngx_http_codr_records.h"
#include "ngx_http_codr_ticket.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>


#define NGX_HTTP_CODR_DISTANT_MAX     1024     /* of a worker */


static void ngx_http_codr_distant_read_handler(ngx_event_t *rev);
static void ngx_http_codr_distant_write_handler(ngx_event_t *wev);
static ngx_int_t ngx_http_codr_distant_frames(ngx_http_codr_distant_t *d);
static ngx_int_t ngx_http_codr_distant_begin(ngx_http_codr_distant_t *d,
    codr_frame_t *frame, u_char *payload);
static ngx_int_t ngx_http_codr_distant_check(ngx_http_codr_distant_t *d);
static void ngx_http_codr_distant_known(void *data, redisReply *reply);
static void ngx_http_codr_distant_told(ngx_http_codr_distant_t *d,
    codr_frame_t *frame);
static void ngx_http_codr_distant_say(ngx_http_codr_distant_t *d,
    codr_frame_type_t type, ngx_uint_t code, const char *text);
static void ngx_http_codr_distant_timer(ngx_event_t *ev);


ngx_uint_t
ngx_http_codr_distant_wanted(ngx_http_codr_main_conf_t *mcf, const u_char *id)
{
    ngx_uint_t              local;
    ngx_http_codr_redis_t  *redis;
    ngx_http_codr_store_t  *store;

    redis = ngx_http_codr_redis(mcf);

    if (redis == NULL || !redis->up) {
        return 0;
    }

    store = ngx_http_codr_records_lock(mcf);

    if (store == NULL) {
        return 0;
    }

    local = (ngx_http_codr_records_find(store, id) != NULL);

    ngx_shmtx_unlock(&store->pool->mutex);

    return !local;
}


ngx_int_t
ngx_http_codr_distant_digest(ngx_http_codr_main_conf_t *mcf, const char *kind,
    const u_char *id, const ngx_str_t *token, u_char *ret)
{
    u_char        text[128], *p;
    ngx_str_t     own, *key;
    unsigned int  n;

    key = ngx_http_codr_ticket_key(mcf, &own);

    if (key == NULL || token->len != CODR_TOKEN_LEN) {
        return NGX_ERROR;
    }

    p = ngx_cpymem(text, kind, ngx_strlen(kind));
    p = ngx_cpymem(p, id, CODR_JOB_ID_LEN);
    p = ngx_cpymem(p, token->data, token->len);

    return HMAC(EVP_sha256(), key->data, (int) key->len, text, p - text, ret,
                &n)
           ? NGX_OK : NGX_ERROR;
}


static ngx_int_t
ngx_http_codr_distant_create(ngx_http_codr_redis_t *redis, int fd,
    ngx_log_t *log)
{
    ngx_connection_t         *c;
    ngx_http_codr_distant_t  *d;

    d = ngx_calloc(sizeof(ngx_http_codr_distant_t), log);
    if (d == NULL) {
        return NGX_ERROR;
    }

    c = ngx_http_codr_get_connection(fd, d,
                                     ngx_http_codr_distant_read_handler,
                                     ngx_http_codr_distant_write_handler,
                                     ngx_cycle->log);

    if (c == NULL) {
        ngx_free(d);
        return NGX_ERROR;
    }

    if (ngx_handle_read_event(c->read, 0) != NGX_OK) {
        ngx_free_connection(c);
        ngx_free(d);
        return NGX_ERROR;
    }

    d->redis = redis;
    d->connection = c;

    d->timer.handler = ngx_http_codr_distant_timer;
    d->timer.data = d;
    d->timer.log = ngx_cycle->log;
    d->timer.cancelable = 1;

    ngx_queue_insert_tail(&redis->distants, &d->queue);
    redis->distant++;

    return NGX_OK;
}


int
ngx_http_codr_distant_open(ngx_http_codr_main_conf_t *mcf, ngx_log_t *log)
{
    ngx_socket_t            sv[2];
    ngx_http_codr_redis_t  *redis;

    redis = ngx_http_codr_redis(mcf);

    if (redis == NULL || redis->distant >= NGX_HTTP_CODR_DISTANT_MAX) {
        return -1;
    }

    if (socketpair(AF_UNIX, SOCK_STREAM|SOCK_CLOEXEC|SOCK_NONBLOCK, 0, sv)
        == -1)
    {
        ngx_log_error(NGX_LOG_ERR, log, ngx_socket_errno,
                      "codr: socketpair() failed");
        return -1;
    }

    if (ngx_http_codr_distant_create(redis, sv[1], log) != NGX_OK) {
        (void) close(sv[0]);
        (void) close(sv[1]);
        return -1;
    }

    return sv[0];
}


static void
ngx_http_codr_distant_read_handler(ngx_event_t *rev)
{
    ssize_t                   n;
    ngx_connection_t         *c;
    ngx_http_codr_distant_t  *d;

    c = rev->data;
    d = c->data;

    if (c->close) {                            /* worker_shutdown_timeout */
        ngx_http_codr_distant_close(d);
        return;
    }

    n = c->recv(c, d->in + d->len, sizeof(d->in) - d->len);

    if (n == NGX_AGAIN) {
        if (ngx_handle_read_event(rev, 0) != NGX_OK) {
            ngx_http_codr_distant_close(d);
        }

        return;
    }

    if (n <= 0) {
        ngx_http_codr_distant_close(d);
        return;
    }

    d->len += n;

    if (ngx_http_codr_distant_frames(d) != NGX_OK) {
        ngx_http_codr_distant_close(d);
        return;
    }

    ngx_post_event(rev, &ngx_posted_next_events);
}


static void
ngx_http_codr_distant_write_handler(ngx_event_t *wev)
{
    ngx_connection_t  *c;

    c = wev->data;

    if (!c->close) {
        ngx_http_codr_distant_flush(c->data);
    }
}


/* What whoever asks has written: a question, and later what it wants of the
   job, of which only the kind is of interest. */

static ngx_int_t
ngx_http_codr_distant_frames(ngx_http_codr_distant_t *d)
{
    size_t        n;
    u_char       *p, *last;
    codr_frame_t  frame;

    p = d->in;
    last = d->in + d->len;

    for ( ;; ) {
        n = ngx_min(d->skip, (size_t) (last - p));
        d->skip -= n;
        p += n;

        if (last - p < CODR_FRAME_HEADER) {
            break;
        }

        if (codr_frame_decode(&frame, p) != 0) {
            return NGX_ERROR;
        }

        if (d->begun) {
            ngx_http_codr_distant_told(d, &frame);
            d->skip = frame.length;

        } else {
            if (frame.length > sizeof(d->in) - CODR_FRAME_HEADER) {
                return NGX_ERROR;
            }

            if ((size_t) (last - p) < CODR_FRAME_HEADER + frame.length) {
                break;
            }

            if (ngx_http_codr_distant_begin(d, &frame, p + CODR_FRAME_HEADER)
                != NGX_OK)
            {
                return NGX_ERROR;
            }

            d->skip = frame.length;
        }

        p += CODR_FRAME_HEADER;
    }

    d->len = last - p;
    ngx_memmove(d->in, p, d->len);

    return NGX_OK;
}


static ngx_int_t
ngx_http_codr_distant_field(ngx_http_codr_distant_t *d, codr_field_t *field,
    ngx_str_t *token)
{
    uint64_t  *number;

    switch (field->tag) {

    case CODR_FIELD_JOB_ID:
        if (codr_field_id(field) != 0) {
            return NGX_ERROR;
        }

        ngx_memcpy(d->id, field->data, CODR_JOB_ID_LEN);
        break;

    case CODR_FIELD_VIEW_TOKEN:
    case CODR_FIELD_ATTACH_TOKEN:
        if (codr_field_id(field) != 0) {
            return NGX_ERROR;
        }

        token->data = (u_char *) field->data;
        token->len = field->length;
        d->viewer = (field->tag == CODR_FIELD_VIEW_TOKEN);
        break;

    case CODR_FIELD_OFFSET:
    case CODR_FIELD_SIZE:
        number = (field->tag == CODR_FIELD_SIZE) ? &d->size : &d->offset;

        if (codr_field_number(field, 0, UINT64_MAX, number) != 0) {
            return NGX_ERROR;
        }

        break;

    default:
        break;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_codr_distant_begin(ngx_http_codr_distant_t *d, codr_frame_t *frame,
    u_char *payload)
{
    int            rc;
    u_char         digest[NGX_HTTP_CODR_TOKEN_DIGEST / 2];
    ngx_str_t      token;
    codr_field_t   field;
    codr_fields_t  fields;

    if (frame->type != CODR_FRAME_ATTACH && frame->type != CODR_FRAME_FETCH) {
        return NGX_ERROR;
    }

    ngx_str_null(&token);
    d->begun = 1;
    codr_fields_init(&fields, payload, frame->length);

    while ((rc = codr_fields_next(&fields, &field)) == 1) {

        if (ngx_http_codr_distant_field(d, &field, &token) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    if (rc != 0 || d->id[0] == '\0') {
        return NGX_ERROR;
    }

    if (frame->type == CODR_FRAME_FETCH) {
        ngx_http_codr_distant_subscribe(d);
        return NGX_OK;
    }

    if (ngx_http_codr_distant_digest(d->redis->mcf,
                                     d->viewer ? "view" : "attach", d->id,
                                     &token, digest)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    (void) ngx_hex_dump(d->digest, digest, sizeof(digest));

    if (d->viewer) {
        ngx_memcpy(d->view_token, token.data, CODR_TOKEN_LEN);
    }

    return ngx_http_codr_distant_check(d);
}


static ngx_int_t
ngx_http_codr_distant_check(ngx_http_codr_distant_t *d)
{
    u_char                         name[NGX_HTTP_CODR_REDIS_NAME];
    ngx_http_codr_redis_command_t  command;

    command.argc = 0;
    ngx_http_codr_redis_word(&command, "HGET");
    ngx_http_codr_redis_arg(&command, name,
                            ngx_http_codr_redis_name(d->redis, name, d->id,
                                                     ""));
    ngx_http_codr_redis_word(&command, d->viewer ? "view" : "attach");

    if (ngx_http_codr_redis_send(d->redis, &command,
                                 ngx_http_codr_distant_known, d)
        != NGX_OK)
    {
        ngx_http_codr_distant_end(d, CODR_ERROR_UNAVAILABLE,
                                  "Redis cannot be asked");
        return NGX_OK;
    }

    d->asked++;

    return NGX_OK;
}


static void
ngx_http_codr_distant_known(void *data, redisReply *reply)
{
    ngx_http_codr_distant_t  *d = data;

    d->asked--;

    if (d->connection == NULL) {
        ngx_free(d);
        return;
    }

    if (reply == NULL || reply->type == REDIS_REPLY_ERROR) {
        ngx_http_codr_distant_end(d, CODR_ERROR_UNAVAILABLE,
                                  "Redis does not answer");

    } else if (reply->type != REDIS_REPLY_STRING
               || reply->len != NGX_HTTP_CODR_TOKEN_DIGEST
               || CRYPTO_memcmp(reply->str, d->digest,
                                NGX_HTTP_CODR_TOKEN_DIGEST)
                  != 0)
    {
        ngx_http_codr_distant_end(d, CODR_ERROR_NOT_FOUND,
                                  "there is no such job");

    } else {
        ngx_http_codr_distant_subscribe(d);
    }
}


/* Who controls a job from here can only stop it. */

static void
ngx_http_codr_distant_told(ngx_http_codr_distant_t *d, codr_frame_t *frame)
{
    if (d->over) {
        return;
    }

    if (frame->type == CODR_FRAME_STOP && !d->viewer) {
        ngx_http_codr_distant_ask(d, "stop");
        return;
    }

    /* nobody reads: what is said of it is lost, not kept */

    if (d->out.size < CODR_FRAME_MAX) {
        ngx_http_codr_distant_say(d, CODR_FRAME_NOTICE, CODR_NOTICE_READ_ONLY,
                                  "a job of another node can be watched and"
                                  " stopped");
    }
}


static void
ngx_http_codr_distant_say(ngx_http_codr_distant_t *d, codr_frame_type_t type,
    ngx_uint_t code, const char *text)
{
    size_t         len;
    u_char         frame[256];
    codr_writer_t  w;

    codr_writer_init(&w, frame, sizeof(frame));
    codr_frame_begin(&w, type);
    codr_put_number(&w, CODR_FIELD_CODE, code);
    codr_put_text(&w, CODR_FIELD_MESSAGE, text);
    len = codr_frame_end(&w);

    /* without memory there is the end of the socket */

    (void) ngx_http_codr_sendq_put(&d->out, frame, len, ngx_cycle->log);

    ngx_post_event(d->connection->write, &ngx_posted_events);
}


void
ngx_http_codr_distant_end(ngx_http_codr_distant_t *d, codr_error_t code,
    const char *text)
{
    d->over = 1;

    if (d->timer.timer_set) {
        ngx_del_timer(&d->timer);
    }

    ngx_http_codr_distant_say(d, CODR_FRAME_ERROR, code, text);
}


static void
ngx_http_codr_distant_timer(ngx_event_t *ev)
{
    ngx_http_codr_distant_t  *d = ev->data;

    if (d->over) {
        ngx_http_codr_distant_close(d);        /* nobody reads the end */

    } else {
        ngx_http_codr_distant_subscribe(d);
    }
}


void
ngx_http_codr_distant_close_all(ngx_http_codr_redis_t *redis)
{
    ngx_queue_t  *q;

    while (!ngx_queue_empty(&redis->distants)) {
        q = ngx_queue_head(&redis->distants);
        ngx_http_codr_distant_close(ngx_queue_data(q, ngx_http_codr_distant_t,
                                                   queue));
    }
}


void
ngx_http_codr_distant_close(ngx_http_codr_distant_t *d)
{
    ngx_queue_remove(&d->queue);
    d->redis->distant--;

    if (d->named && !d->over) {
        ngx_http_codr_distant_ask(d, "leave");
    }

    ngx_http_codr_distant_unsubscribe(d);
    ngx_http_codr_sendq_free(&d->out);
    ngx_close_connection(d->connection);
    d->connection = NULL;

    if (d->timer.timer_set) {
        ngx_del_timer(&d->timer);
    }

    if (d->asked == 0) {
        ngx_free(d);
    }
}
