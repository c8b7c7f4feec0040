
/*
 * One connection to Redis: hiredis writes commands and reads replies, nginx's
 * events carry them.  Whoever does not connect, or does not answer while
 * something is asked, is left in time; what had been asked is answered with
 * NULL then.  What comes may be anything: a reply that nobody asked for, or
 * one that is too large, ends the connection and nothing else (the
 * asynchronous half of hiredis asserts that there is none).  What waits to be
 * sent is bounded.  Runs in workers.
 */

#include "ngx_http_codr_redis.h"


#define NGX_HTTP_CODR_LINK_DEADLINE   2000     /* milliseconds */
#define NGX_HTTP_CODR_LINK_RETRY_MIN  100
#define NGX_HTTP_CODR_LINK_RETRY_MAX  5000
#define NGX_HTTP_CODR_LINK_STEADY     5000
#define NGX_HTTP_CODR_LINK_BUFFER     (8 * 1024 * 1024)
#define NGX_HTTP_CODR_LINK_PENDING    16384    /* commands */
#define NGX_HTTP_CODR_LINK_READ       (64 * 1024)
#define NGX_HTTP_CODR_LINK_REPLY      (8 * 1024 * 1024)
#define NGX_HTTP_CODR_LINK_ELEMENTS   1024     /* of an array */


typedef struct {
    ngx_queue_t                queue;
    ngx_http_codr_redis_pt     handler;        /* NULL: channels, which are */
    ngx_uint_t                 channels;       /* confirmed one by one */
    void                      *data;
    ngx_msec_t                 since;
} ngx_http_codr_asked_t;


static ngx_int_t ngx_http_codr_link_connect(ngx_http_codr_link_t *link,
    ngx_socket_t s);
static void ngx_http_codr_link_fail(ngx_http_codr_link_t *link,
    const char *cause);
static void ngx_http_codr_link_read_handler(ngx_event_t *rev);
static void ngx_http_codr_link_write_handler(ngx_event_t *wev);
static void ngx_http_codr_link_connected(ngx_http_codr_link_t *link);
static void ngx_http_codr_link_replies(ngx_http_codr_link_t *link);
static void ngx_http_codr_link_take(ngx_http_codr_link_t *link,
    redisReply *reply);
static void ngx_http_codr_link_deadline(ngx_event_t *ev);
static void ngx_http_codr_link_retry(ngx_event_t *ev);
static void ngx_http_codr_link_later(ngx_http_codr_link_t *link);


void
ngx_http_codr_link_init(ngx_http_codr_link_t *link,
    ngx_http_codr_redis_t *redis)
{
    link->redis = redis;

    ngx_queue_init(&link->asked);

    link->deadline.handler = ngx_http_codr_link_deadline;
    link->deadline.data = link;
    link->deadline.log = ngx_cycle->log;

    link->retry.handler = ngx_http_codr_link_retry;
    link->retry.data = link;
    link->retry.log = ngx_cycle->log;
    link->retry.cancelable = 1;
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

    if (link->connection == NULL && !ngx_exiting && !ngx_terminate) {
        ngx_http_codr_link_open(link);
    }
}


/* Arrays are made before their elements have come: who only says that there
   are many gets no memory for them.  Nothing that is asked for has arrays in
   arrays, of which each byte would cost twenty. */

static void *
ngx_http_codr_link_array(const redisReadTask *task, ngx_http_codr_count_t n)
{
    ngx_http_codr_link_t  *link = task->privdata;

    return (n > NGX_HTTP_CODR_LINK_ELEMENTS || task->parent)
           ? NULL : link->array(task, n);
}


static ngx_int_t
ngx_http_codr_link_reader(ngx_http_codr_link_t *link)
{
    link->reader = redisReaderCreate();

    if (link->reader == NULL) {
        return NGX_ERROR;
    }

    link->functions = *link->reader->fn;
    link->array = link->functions.createArray;
    link->functions.createArray = ngx_http_codr_link_array;

    link->reader->fn = &link->functions;
    link->reader->privdata = link;
    link->unread = 0;

    return NGX_OK;
}


void
ngx_http_codr_link_open(ngx_http_codr_link_t *link)
{
    ngx_socket_t  s;

    s = socket(link->redis->conf->sockaddr->sa_family,
               SOCK_STREAM|SOCK_CLOEXEC|SOCK_NONBLOCK, 0);

    if (s == (ngx_socket_t) -1 || ngx_http_codr_link_reader(link) != NGX_OK) {
        link->lost(link, strerror(ngx_errno));

        if (s != (ngx_socket_t) -1) {
            (void) close(s);                   /* nothing was written to it */
        }

        ngx_http_codr_link_later(link);
        return;
    }

    if (ngx_http_codr_link_connect(link, s) != NGX_OK) {
        redisReaderFree(link->reader);
        link->reader = NULL;
        (void) close(s);
        ngx_http_codr_link_later(link);
    }
}


static ngx_int_t
ngx_http_codr_link_connect(ngx_http_codr_link_t *link, ngx_socket_t s)
{
    int                          rc;
    ngx_connection_t            *c;
    ngx_http_codr_redis_conf_t  *conf;

    conf = link->redis->conf;

    rc = connect(s, conf->sockaddr, conf->socklen);

    if (rc == -1 && ngx_socket_errno != NGX_EINPROGRESS) {
        link->lost(link, strerror(ngx_socket_errno));
        return NGX_ERROR;
    }

    c = ngx_http_codr_get_connection(s, link,
                                     ngx_http_codr_link_read_handler,
                                     ngx_http_codr_link_write_handler,
                                     ngx_cycle->log);

    if (c == NULL) {
        link->lost(link, "no connection is free");
        return NGX_ERROR;
    }

    if (ngx_handle_read_event(c->read, 0) != NGX_OK
        || ngx_handle_write_event(c->write, 0) != NGX_OK)
    {
        ngx_free_connection(c);
        link->lost(link, "its socket cannot be watched");
        return NGX_ERROR;
    }

    link->connection = c;
    link->connected = 0;

    link->deadline.cancelable = 1;
    ngx_add_timer(&link->deadline, NGX_HTTP_CODR_LINK_DEADLINE);

    return NGX_OK;
}


static void
ngx_http_codr_link_alive(ngx_socket_t s)
{
    ngx_uint_t  i;

    static const int  options[][3] = {
        { SOL_SOCKET, SO_KEEPALIVE, 1 },
        { IPPROTO_TCP, TCP_KEEPIDLE, 15 },
        { IPPROTO_TCP, TCP_KEEPINTVL, 5 },
        { IPPROTO_TCP, TCP_KEEPCNT, 3 },
        { IPPROTO_TCP, TCP_NODELAY, 1 }
    };

    for (i = 0; i < sizeof(options) / sizeof(options[0]); i++) {

        /* without them it is noticed later */

        (void) setsockopt(s, options[i][0], options[i][1], &options[i][2],
                          sizeof(int));
    }
}


static void
ngx_http_codr_link_connected(ngx_http_codr_link_t *link)
{
    int           err;
    socklen_t     len;
    ngx_socket_t  s;

    err = 0;
    len = sizeof(int);
    s = link->connection->fd;

    if (getsockopt(s, SOL_SOCKET, SO_ERROR, &err, &len) == -1) {
        err = ngx_socket_errno;
    }

    if (err) {
        ngx_http_codr_link_fail(link, strerror(err));
        return;
    }

    if (link->redis->conf->sockaddr->sa_family != AF_UNIX) {
        ngx_http_codr_link_alive(s);
    }

    link->connected = 1;
    link->since = ngx_current_msec;
    ngx_del_timer(&link->deadline);

    link->ready(link);
}


static void
ngx_http_codr_link_write_handler(ngx_event_t *wev)
{
    ngx_int_t              rc;
    ngx_connection_t      *c;
    ngx_http_codr_link_t  *link;

    c = wev->data;
    link = c->data;

    if (c->close) {                            /* worker_shutdown_timeout */
        ngx_http_codr_link_close(link);
        return;
    }

    if (!link->connected) {
        ngx_http_codr_link_connected(link);
        return;
    }

    rc = ngx_http_codr_sendq_send(&link->out, c);

    if (rc == NGX_ERROR || ngx_handle_write_event(wev, 0) != NGX_OK) {
        ngx_http_codr_link_fail(link, "the connection was lost");
    }
}


static void
ngx_http_codr_link_read_handler(ngx_event_t *rev)
{
    u_char                 buf[NGX_HTTP_CODR_LINK_READ];
    ssize_t                n;
    ngx_connection_t      *c;
    ngx_http_codr_link_t  *link;

    c = rev->data;
    link = c->data;

    if (c->close) {
        ngx_http_codr_link_close(link);
        return;
    }

    n = c->recv(c, buf, sizeof(buf));

    if (n == NGX_AGAIN) {
        if (ngx_handle_read_event(rev, 0) != NGX_OK) {
            ngx_http_codr_link_fail(link, "its socket cannot be watched");
        }

        return;
    }

    if (n <= 0) {
        ngx_http_codr_link_fail(link, "the connection was lost");
        return;
    }

    if (redisReaderFeed(link->reader, (char *) buf, n) != REDIS_OK) {
        ngx_http_codr_link_fail(link, link->reader->errstr);
        return;
    }

    link->unread += n;
    ngx_http_codr_link_replies(link);

    if (link->connection == c && rev->ready) { /* let others have their turn */
        ngx_post_event(rev, &ngx_posted_next_events);
    }
}


/* Whatever is done with a reply may end the connection. */

static void
ngx_http_codr_link_replies(ngx_http_codr_link_t *link)
{
    void              *reply;
    ngx_connection_t  *c;

    c = link->connection;

    while (link->connection == c) {
        reply = NULL;

        if (redisReaderGetReply(link->reader, &reply) != REDIS_OK) {
            ngx_http_codr_link_fail(link, link->reader->errstr);
            return;
        }

        if (reply == NULL) {
            break;
        }

        link->unread = link->reader->len - link->reader->pos;

        ngx_http_codr_link_take(link, reply);
        freeReplyObject(reply);
    }

    if (link->connection == c && link->unread > NGX_HTTP_CODR_LINK_REPLY) {
        ngx_http_codr_link_fail(link, "a reply is too large");
    }
}


/* What comes not as a reply, on a connection that has subscribed: 1 is a
   message, 2 says that a channel is heard, or not any more. */

static ngx_uint_t
ngx_http_codr_link_pushed(redisReply *reply)
{
    ngx_uint_t  i;

    static const char  *kinds[] = {
        "message", "pmessage", "subscribe", "psubscribe", "unsubscribe",
        "punsubscribe"
    };

    if (reply->type != REDIS_REPLY_ARRAY || reply->elements < 3
        || reply->element[0]->type != REDIS_REPLY_STRING)
    {
        return 0;
    }

    for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (ngx_strcmp(reply->element[0]->str, kinds[i]) == 0) {
            return (i < 2) ? 1 : 2;
        }
    }

    return 0;
}


/* What was asked first of what has no answer; NULL: nothing. */

static ngx_http_codr_asked_t *
ngx_http_codr_link_first(ngx_http_codr_link_t *link)
{
    return ngx_queue_empty(&link->asked)
           ? NULL : ngx_queue_data(ngx_queue_head(&link->asked),
                                   ngx_http_codr_asked_t, queue);
}


/* How long that has yet, negative when it is late. */

static ngx_msec_int_t
ngx_http_codr_link_left(ngx_http_codr_link_t *link)
{
    ngx_http_codr_asked_t  *asked;

    asked = ngx_http_codr_link_first(link);

    return (ngx_msec_int_t) (asked->since + NGX_HTTP_CODR_LINK_DEADLINE
                             - ngx_current_msec);
}


/* For what was asked first: others that are answered meanwhile give it no more
   time. */

static void
ngx_http_codr_link_wait(ngx_http_codr_link_t *link)
{
    ngx_add_timer(&link->deadline, ngx_max(ngx_http_codr_link_left(link), 1));
}


/* The first one has its answer: it is the caller's now. */

static void
ngx_http_codr_link_answered(ngx_http_codr_link_t *link)
{
    ngx_queue_t  *q;

    q = ngx_queue_head(&link->asked);
    ngx_queue_remove(q);

    /* one that only begins well is not asked ever more often */

    if (ngx_current_msec - link->since > NGX_HTTP_CODR_LINK_STEADY) {
        link->delay = 0;
    }

    if (--link->pending > 0) {
        ngx_http_codr_link_wait(link);

    } else {
        ngx_del_timer(&link->deadline);
    }
}


static void
ngx_http_codr_link_take(ngx_http_codr_link_t *link, redisReply *reply)
{
    ngx_uint_t              pushed;
    ngx_http_codr_asked_t  *asked;

    asked = ngx_http_codr_link_first(link);
    pushed = link->message ? ngx_http_codr_link_pushed(reply) : 0;

    if (pushed) {

        if (pushed == 2 && asked && asked->handler == NULL
            && --asked->channels == 0)
        {
            ngx_http_codr_link_answered(link);
            ngx_free(asked);
        }

        link->message(link, reply);
        return;
    }

    if (asked == NULL || asked->handler == NULL) {
        ngx_http_codr_link_fail(link, reply->type == REDIS_REPLY_ERROR
                                      ? reply->str
                                      : "it says what nobody asked for");
        return;
    }

    ngx_http_codr_link_answered(link);

    asked->handler(asked->data, reply);

    ngx_free(asked);
}


static void
ngx_http_codr_link_deadline(ngx_event_t *ev)
{
    ngx_http_codr_link_t  *link = ev->data;

    /* what has come may be the answer, as it was us who were slow; but there
       are messages, too, which need have no end */

    if (link->connected && link->connection->read->ready
        && ngx_http_codr_link_left(link) > -NGX_HTTP_CODR_LINK_DEADLINE)
    {
        ngx_add_timer(ev, 1);
        return;
    }

    ngx_http_codr_link_fail(link, "it does not answer");
}


static void
ngx_http_codr_link_fail(ngx_http_codr_link_t *link, const char *cause)
{
    link->lost(link, cause);

    ngx_http_codr_link_drop(link);
}


void
ngx_http_codr_link_drop(ngx_http_codr_link_t *link)
{
    ngx_connection_t       *c;
    ngx_http_codr_asked_t  *asked;

    c = link->connection;

    if (c == NULL) {
        return;
    }

    link->connection = NULL;
    link->connected = 0;
    link->pending = 0;

    ngx_close_connection(c);
    ngx_http_codr_sendq_free(&link->out);
    redisReaderFree(link->reader);
    link->reader = NULL;

    if (link->deadline.timer_set) {
        ngx_del_timer(&link->deadline);
    }

    link->lost(link, "the connection was lost");

    while ((asked = ngx_http_codr_link_first(link)) != NULL) {
        ngx_queue_remove(&asked->queue);

        if (asked->handler) {
            asked->handler(asked->data, NULL);
        }

        ngx_free(asked);
    }

    ngx_http_codr_link_later(link);
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


/* Ends the connection from where it may be in use: the reading side, which sees
   the end of it, does the rest. */

static void
ngx_http_codr_link_cut(ngx_http_codr_link_t *link)
{
    ngx_http_codr_sendq_free(&link->out);
    (void) ngx_shutdown_socket(link->connection->fd, SHUT_RDWR);
}


/* It is sent when the present event is over, together with what follows. */

static ngx_int_t
ngx_http_codr_link_tell(ngx_http_codr_link_t *link,
    ngx_http_codr_redis_command_t *command)
{
    int               len;
    char             *text;
    ngx_int_t         rc;
    ngx_connection_t  *c;

    c = link->connection;

    if (c == NULL || !link->connected
        || link->out.size > NGX_HTTP_CODR_LINK_BUFFER)
    {
        return NGX_DECLINED;
    }

    len = redisFormatCommandArgv(&text, command->argc, command->argv,
                                 command->len);
    if (len < 0) {
        return NGX_DECLINED;
    }

    rc = ngx_http_codr_sendq_put(&link->out, text, len, c->log);

    redisFreeCommand(text);

    if (rc != NGX_OK) {

        /* after half a command no other would be understood */

        ngx_http_codr_link_cut(link);

        return NGX_DECLINED;
    }

    ngx_post_event(c->write, &ngx_posted_events);

    return NGX_OK;
}


static ngx_int_t
ngx_http_codr_link_ask(ngx_http_codr_link_t *link,
    ngx_http_codr_redis_command_t *command, ngx_http_codr_asked_t *wanted)
{
    ngx_http_codr_asked_t  *asked;

    if (link->pending >= NGX_HTTP_CODR_LINK_PENDING) {
        return NGX_DECLINED;
    }

    asked = ngx_alloc(sizeof(ngx_http_codr_asked_t), ngx_cycle->log);
    if (asked == NULL) {
        return NGX_DECLINED;
    }

    if (ngx_http_codr_link_tell(link, command) != NGX_OK) {
        ngx_free(asked);
        return NGX_DECLINED;
    }

    *asked = *wanted;
    asked->since = ngx_current_msec;

    ngx_queue_insert_tail(&link->asked, &asked->queue);

    /* a worker that leaves waits for what it has asked, that long */

    if (link->pending++ == 0) {
        link->deadline.cancelable = (asked->handler == NULL);
        ngx_add_timer(&link->deadline, NGX_HTTP_CODR_LINK_DEADLINE);
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_codr_link_command(ngx_http_codr_link_t *link,
    ngx_http_codr_redis_command_t *command, ngx_http_codr_redis_pt handler,
    void *data)
{
    ngx_http_codr_asked_t  wanted;

    wanted.handler = handler;
    wanted.channels = 0;
    wanted.data = data;

    return ngx_http_codr_link_ask(link, command, &wanted);
}


void
ngx_http_codr_link_channels(ngx_http_codr_link_t *link,
    ngx_http_codr_redis_command_t *command)
{
    ngx_http_codr_asked_t  wanted;

    if (!link->connected) {
        return;
    }

    wanted.handler = NULL;
    wanted.channels = command->argc - 1;
    wanted.data = NULL;

    if (ngx_http_codr_link_ask(link, command, &wanted) != NGX_OK) {
        ngx_http_codr_link_cut(link);
    }
}
