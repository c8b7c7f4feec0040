
/*
 * One connection to Redis: hiredis on nginx's events.  It has no timeouts of
 * its own, so that whoever does not connect, or does not answer while
 * something is asked, is left in time here; what had been asked is answered
 * with NULL then.  What waits to be sent is bounded.  Runs in workers.
 */

#include "ngx_http_codr_redis.h"

#include <hiredis/sds.h>


#define NGX_HTTP_CODR_LINK_DEADLINE   2000     /* milliseconds */
#define NGX_HTTP_CODR_LINK_RETRY_MIN  100
#define NGX_HTTP_CODR_LINK_RETRY_MAX  5000
#define NGX_HTTP_CODR_LINK_BUFFER     (8 * 1024 * 1024)
#define NGX_HTTP_CODR_LINK_PENDING    16384    /* commands */


typedef struct {
    ngx_http_codr_link_t      *link;
    ngx_http_codr_redis_pt     handler;
    void                      *data;
} ngx_http_codr_asked_t;


static void ngx_http_codr_link_connected(const redisAsyncContext *context,
    int status);
static void ngx_http_codr_link_handler(ngx_event_t *ev);
static void ngx_http_codr_link_deadline(ngx_event_t *ev);
static void ngx_http_codr_link_retry(ngx_event_t *ev);
static void ngx_http_codr_link_later(ngx_http_codr_link_t *link);
static void ngx_http_codr_link_reply(redisAsyncContext *context, void *reply,
    void *data);


void
ngx_http_codr_link_init(ngx_http_codr_link_t *link,
    ngx_http_codr_redis_t *redis)
{
    link->redis = redis;

    link->deadline.handler = ngx_http_codr_link_deadline;
    link->deadline.data = link;
    link->deadline.log = ngx_cycle->log;

    link->retry.handler = ngx_http_codr_link_retry;
    link->retry.data = link;
    link->retry.log = ngx_cycle->log;
    link->retry.cancelable = 1;
}


/* What hiredis asks of an event loop. */

static void
ngx_http_codr_link_add_read(void *data)
{
    ngx_http_codr_link_t  *link = data;

    ngx_event_t  *ev;

    ev = link->connection->read;

    if (!ev->active) {
        (void) ngx_add_event(ev, NGX_READ_EVENT, NGX_LEVEL_EVENT);
    }
}


static void
ngx_http_codr_link_del_read(void *data)
{
    ngx_http_codr_link_t  *link = data;

    ngx_event_t  *ev;

    ev = link->connection->read;

    if (ev->active) {
        (void) ngx_del_event(ev, NGX_READ_EVENT, 0);
    }
}


static void
ngx_http_codr_link_add_write(void *data)
{
    ngx_http_codr_link_t  *link = data;

    ngx_event_t  *ev;

    ev = link->connection->write;

    if (!ev->active) {
        (void) ngx_add_event(ev, NGX_WRITE_EVENT, NGX_LEVEL_EVENT);
    }
}


static void
ngx_http_codr_link_del_write(void *data)
{
    ngx_http_codr_link_t  *link = data;

    ngx_event_t  *ev;

    ev = link->connection->write;

    if (ev->active) {
        (void) ngx_del_event(ev, NGX_WRITE_EVENT, 0);
    }
}


/* The last that is heard of a context, however it ended; hiredis closes the
   descriptor itself. */

static void
ngx_http_codr_link_cleanup(void *data)
{
    ngx_http_codr_link_t  *link = data;

    ngx_connection_t  *c;

    c = link->connection;

    if (c) {
        ngx_http_codr_link_del_read(link);
        ngx_http_codr_link_del_write(link);

        if (c->read->posted) {
            ngx_delete_posted_event(c->read);
        }

        if (c->write->posted) {
            ngx_delete_posted_event(c->write);
        }

        c->read->closed = 1;
        c->write->closed = 1;

        ngx_free_connection(c);
        c->fd = (ngx_socket_t) -1;
    }

    link->connection = NULL;
    link->context = NULL;
    link->pending = 0;

    if (link->deadline.timer_set) {
        ngx_del_timer(&link->deadline);
    }

    link->lost(link, "the connection was lost");

    ngx_http_codr_link_later(link);
}


static void
ngx_http_codr_link_later(ngx_http_codr_link_t *link)
{
    if (link->closing || ngx_exiting || ngx_terminate || link->retry.timer_set)
    {
        return;
    }

    link->delay = ngx_max(link->delay, NGX_HTTP_CODR_LINK_RETRY_MIN);
    ngx_add_timer(&link->retry, link->delay);
    link->delay = ngx_min(2 * link->delay, NGX_HTTP_CODR_LINK_RETRY_MAX);
}


static void
ngx_http_codr_link_retry(ngx_event_t *ev)
{
    ngx_http_codr_link_t  *link = ev->data;

    if (link->context == NULL && !ngx_exiting && !ngx_terminate) {
        ngx_http_codr_link_open(link);
    }
}


void
ngx_http_codr_link_open(ngx_http_codr_link_t *link)
{
    ngx_log_t                   *log;
    ngx_connection_t            *c;
    redisAsyncContext           *context;
    ngx_http_codr_redis_conf_t  *conf;

    conf = link->redis->conf;
    log = ngx_cycle->log;

    context = conf->host
              ? redisAsyncConnect((char *) conf->host, (int) conf->port)
              : redisAsyncConnectUnix((char *) conf->path);

    if (context == NULL) {
        link->lost(link, "out of memory");
        ngx_http_codr_link_later(link);
        return;
    }

    if (context->err) {
        link->lost(link, context->errstr);
        redisAsyncFree(context);
        ngx_http_codr_link_later(link);
        return;
    }

    c = ngx_get_connection(context->c.fd, log);

    if (c == NULL) {
        link->lost(link, "no connection is free");
        redisAsyncFree(context);
        ngx_http_codr_link_later(link);
        return;
    }

    c->data = link;
    c->log = log;
    c->read->log = log;
    c->write->log = log;
    c->read->handler = ngx_http_codr_link_handler;
    c->write->handler = ngx_http_codr_link_handler;

    link->connection = c;
    link->context = context;

    context->data = link;
    context->ev.data = link;
    context->ev.addRead = ngx_http_codr_link_add_read;
    context->ev.delRead = ngx_http_codr_link_del_read;
    context->ev.addWrite = ngx_http_codr_link_add_write;
    context->ev.delWrite = ngx_http_codr_link_del_write;
    context->ev.cleanup = ngx_http_codr_link_cleanup;

    link->deadline.cancelable = 1;
    ngx_add_timer(&link->deadline, NGX_HTTP_CODR_LINK_DEADLINE);

    (void) redisAsyncSetConnectCallback(context, ngx_http_codr_link_connected);
}


static void
ngx_http_codr_link_connected(const redisAsyncContext *context, int status)
{
    ngx_http_codr_link_t  *link = context->data;

    if (status != REDIS_OK) {
        return;                                /* cleanup follows */
    }

    ngx_del_timer(&link->deadline);

    if (link->redis->conf->host) {
        (void) redisEnableKeepAlive(&link->context->c);
    }

    link->ready(link);
}


/* Whatever it does may free the context and the connection. */

static void
ngx_http_codr_link_handler(ngx_event_t *ev)
{
    ngx_connection_t      *c;
    ngx_http_codr_link_t  *link;

    c = ev->data;
    link = c->data;

    if (c->close) {                            /* worker_shutdown_timeout */
        ngx_http_codr_link_close(link);

    } else if (ev->write) {
        redisAsyncHandleWrite(link->context);

    } else {
        redisAsyncHandleRead(link->context);
    }
}


static void
ngx_http_codr_link_deadline(ngx_event_t *ev)
{
    ngx_http_codr_link_t  *link = ev->data;

    link->lost(link, "it does not answer");

    ngx_http_codr_link_drop(link);
}


void
ngx_http_codr_link_drop(ngx_http_codr_link_t *link)
{
    if (link->context) {
        redisAsyncFree(link->context);         /* now, or after a callback */
    }
}


void
ngx_http_codr_link_close(ngx_http_codr_link_t *link)
{
    link->closing = 1;

    ngx_http_codr_link_drop(link);

    if (link->retry.timer_set) {
        ngx_del_timer(&link->retry);
    }
}


ngx_int_t
ngx_http_codr_link_command(ngx_http_codr_link_t *link,
    ngx_http_codr_redis_command_t *command, ngx_http_codr_redis_pt handler,
    void *data)
{
    ngx_http_codr_asked_t  *asked;

    if (link->context == NULL || link->pending >= NGX_HTTP_CODR_LINK_PENDING
        || sdslen(link->context->c.obuf) > NGX_HTTP_CODR_LINK_BUFFER)
    {
        return NGX_DECLINED;
    }

    asked = ngx_alloc(sizeof(ngx_http_codr_asked_t), ngx_cycle->log);
    if (asked == NULL) {
        return NGX_DECLINED;
    }

    asked->link = link;
    asked->handler = handler;
    asked->data = data;

    if (redisAsyncCommandArgv(link->context, ngx_http_codr_link_reply, asked,
                              command->argc, command->argv, command->len)
        != REDIS_OK)
    {
        ngx_free(asked);
        return NGX_DECLINED;
    }

    /* a worker that leaves waits for what it has asked, that long */

    if (link->pending++ == 0) {
        link->deadline.cancelable = 0;
        ngx_add_timer(&link->deadline, NGX_HTTP_CODR_LINK_DEADLINE);
    }

    return NGX_OK;
}


static void
ngx_http_codr_link_reply(redisAsyncContext *context, void *reply, void *data)
{
    ngx_http_codr_asked_t  *asked = data;

    ngx_http_codr_link_t  *link;

    link = asked->link;

    if (reply) {
        link->delay = 0;

        if (link->pending && --link->pending > 0) {
            ngx_add_timer(&link->deadline, NGX_HTTP_CODR_LINK_DEADLINE);

        } else if (link->deadline.timer_set) {
            ngx_del_timer(&link->deadline);
        }
    }

    asked->handler(asked->data, reply);

    ngx_free(asked);
}
