
/*
 * A worker's channel to the broker: jobs go out, status and log lines come
 * in.  A channel that ends is made anew; jobs given to it meanwhile wait in
 * the lifeline until there is a broker again.  What comes in is checked as if
 * a stranger had written it.
 */

#include "ngx_http_codr_helper.h"
#include "ngx_http_codr_adrift.h"
#include "ngx_http_codr_metrics.h"
#include "ngx_http_codr_quota.h"

#include <ngx_event.h>
#include <sys/un.h>


#define NGX_HTTP_CODR_RETRY_MIN    100         /* milliseconds */
#define NGX_HTTP_CODR_RETRY_MAX    2000
#define NGX_HTTP_CODR_FRAMES       64          /* of one event */


struct ngx_http_codr_channel_s {
    ngx_http_codr_main_conf_t      *mcf;
    ngx_connection_t               *connection;    /* NULL: none now */
    ngx_event_t                     retry;
    ngx_msec_t                      delay;         /* before the next try */
    ngx_pool_t                     *pool;          /* of status */
    ngx_http_codr_helper_status_t  *status;        /* NULL: none known */
    ngx_http_codr_helper_status_t   absent;        /* said instead */
    ngx_http_codr_helper_figures_t *figures;
    ngx_uint_t                      counted;       /* figures are known */
    ngx_uint_t                      heard;         /* the broker has spoken */
    ngx_log_t                      *log;
};


static void ngx_http_codr_channel_connect(ngx_http_codr_channel_t *channel);
static void ngx_http_codr_channel_retry(ngx_event_t *ev);
static void ngx_http_codr_channel_read(ngx_event_t *rev);


static void
ngx_http_codr_channel_forget(ngx_http_codr_channel_t *channel)
{
    if (channel->pool) {
        ngx_destroy_pool(channel->pool);
        channel->pool = NULL;
    }

    channel->status = NULL;
}


ngx_http_codr_channel_t *
ngx_http_codr_channel_create(ngx_cycle_t *cycle, ngx_http_codr_main_conf_t *mcf)
{
    ngx_str_t                *cause;
    ngx_http_codr_channel_t  *channel;

    channel = ngx_pcalloc(cycle->pool, sizeof(ngx_http_codr_channel_t));
    if (channel == NULL) {
        return NULL;
    }

    channel->figures = ngx_palloc(cycle->pool,
                                  sizeof(ngx_http_codr_helper_figures_t));
    if (channel->figures == NULL) {
        return NULL;
    }

    if (ngx_array_init(&channel->absent.causes, cycle->pool, 1,
                       sizeof(ngx_str_t))
        != NGX_OK
        || ngx_array_init(&channel->absent.layers, cycle->pool, 1,
                          sizeof(ngx_http_codr_helper_layer_t))
           != NGX_OK
        || ngx_array_init(&channel->absent.languages, cycle->pool, 1,
                          sizeof(ngx_http_codr_helper_language_t))
           != NGX_OK)
    {
        return NULL;
    }

    cause = ngx_array_push(&channel->absent.causes);   /* room was made */
    *cause = mcf->cause;

    channel->mcf = mcf;
    channel->log = cycle->log;

    channel->retry.handler = ngx_http_codr_channel_retry;
    channel->retry.data = channel;
    channel->retry.log = cycle->log;
    channel->retry.cancelable = 1;

    ngx_http_codr_channel_connect(channel);

    return channel;
}


static void
ngx_http_codr_channel_close(ngx_http_codr_channel_t *channel)
{
    if (channel->connection) {
        ngx_close_connection(channel->connection);
        channel->connection = NULL;
    }

    channel->counted = 0;
    channel->heard = 0;

    ngx_http_codr_channel_forget(channel);
}


void
ngx_http_codr_channel_destroy(ngx_http_codr_channel_t *channel)
{
    ngx_http_codr_channel_close(channel);

    if (channel->retry.timer_set) {
        ngx_del_timer(&channel->retry);
    }
}


ngx_http_codr_helper_status_t *
ngx_http_codr_channel_status(ngx_http_codr_channel_t *channel)
{
    ngx_str_t  *cause;

    if (channel->status) {
        return channel->status;
    }

    cause = channel->absent.causes.elts;

    if (channel->connection) {
        channel->absent.state = CODR_HELPER_STARTING;
        ngx_str_set(cause, "the helper is starting");

    } else {
        channel->absent.state = CODR_HELPER_UNAVAILABLE;
        *cause = channel->mcf->cause;
    }

    return &channel->absent;
}


ngx_http_codr_helper_figures_t *
ngx_http_codr_channel_figures(ngx_http_codr_channel_t *channel)
{
    return channel->counted ? channel->figures : NULL;
}


/* NGX_DECLINED: there is no channel, or nobody at its other end. */

static ngx_int_t
ngx_http_codr_channel_send(ngx_http_codr_channel_t *channel, ngx_socket_t fd)
{
    u_char     frame[CODR_FRAME_HEADER];
    ngx_err_t  err;

    if (channel->connection == NULL) {
        return NGX_DECLINED;
    }

    codr_frame_header(frame, CODR_FRAME_JOB, 0);

    if (ngx_http_codr_send_frame(channel->connection->fd, frame, sizeof(frame),
                                 fd)
        == NGX_OK)
    {
        return NGX_OK;
    }

    err = ngx_socket_errno;

    return (err == EPIPE || err == ECONNRESET || err == ENOTCONN)
           ? NGX_DECLINED : NGX_ERROR;
}


/* No job is refused because a broker has just ended: what goes into a new
   channel waits there for the next broker. */

ngx_int_t
ngx_http_codr_channel_job(ngx_http_codr_channel_t *channel, ngx_socket_t fd,
    ngx_log_t *log)
{
    ngx_int_t  rc;

    rc = ngx_http_codr_channel_send(channel, fd);

    if (rc == NGX_DECLINED) {
        ngx_http_codr_channel_close(channel);

        if (channel->retry.timer_set) {
            ngx_del_timer(&channel->retry);
        }

        ngx_http_codr_channel_connect(channel);

        rc = ngx_http_codr_channel_send(channel, fd);
    }

    if (rc == NGX_ERROR) {
        ngx_log_error(NGX_LOG_ERR, log, ngx_socket_errno,
                      "codr: a job cannot be handed to the helper");
    }

    return rc;
}


/* One that does not arrive is offered again. */

void
ngx_http_codr_channel_claim(ngx_http_codr_channel_t *channel, const u_char *id)
{
    u_char         frame[CODR_FRAME_HEADER + CODR_FIELD_HEADER
                         + CODR_JOB_ID_LEN];
    size_t         len;
    codr_writer_t  w;

    if (channel->connection == NULL) {
        return;
    }

    codr_writer_init(&w, frame, sizeof(frame));
    codr_frame_begin(&w, CODR_FRAME_CLAIM);
    codr_put_bytes(&w, CODR_FIELD_JOB_ID, id, CODR_JOB_ID_LEN);
    len = codr_frame_end(&w);

    (void) ngx_http_codr_send_frame(channel->connection->fd, frame, len, -1);
}


static size_t
ngx_http_codr_channel_frame(ngx_http_codr_channel_t *channel, u_char *frame,
    size_t size, codr_frame_type_t type)
{
    codr_writer_t  w;

    codr_writer_init(&w, frame, size);
    codr_frame_begin(&w, type);
    codr_put_number(&w, CODR_FIELD_VERSION, CODR_PROTO_VERSION);
    codr_put_number(&w, CODR_FIELD_GENERATION, channel->mcf->generation);

    return codr_frame_end(&w);
}


/* A channel whose other end travels over the lifeline.  NGX_DECLINED: nobody
   is at its end, and nobody will be. */

static ngx_int_t
ngx_http_codr_channel_hand_over(ngx_http_codr_channel_t *channel,
    ngx_socket_t *fd)
{
    u_char        frame[CODR_FRAME_HEADER + 4 * CODR_FIELD_HEADER];
    size_t        len;
    ngx_int_t     rc;
    ngx_err_t     err;
    ngx_socket_t  sv[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET|SOCK_CLOEXEC|SOCK_NONBLOCK, 0, sv)
        == -1)
    {
        ngx_log_error(NGX_LOG_ERR, channel->log, ngx_socket_errno,
                      "codr: socketpair() failed");
        return NGX_AGAIN;
    }

    len = ngx_http_codr_channel_frame(channel, frame, sizeof(frame),
                                      CODR_FRAME_CHANNEL);

    rc = ngx_http_codr_send_frame(channel->mcf->lifeline->fd, frame, len,
                                  sv[1]);
    err = ngx_socket_errno;

    (void) close(sv[1]);

    if (rc == NGX_OK) {
        *fd = sv[0];
        return NGX_OK;
    }

    (void) close(sv[0]);

    return (err == EPIPE || err == ECONNRESET || err == ENOTCONN)
           ? NGX_DECLINED : NGX_AGAIN;
}


static ngx_int_t
ngx_http_codr_channel_dial(ngx_http_codr_channel_t *channel, ngx_socket_t *fd)
{
    u_char               frame[CODR_FRAME_HEADER + 4 * CODR_FIELD_HEADER];
    size_t               len;
    u_char              *path;
    ngx_socket_t         s;
    struct sockaddr_un   sun;

    path = channel->mcf->lifeline->helper_path;

    if (*path == '\0') {
        path = (u_char *) NGX_HTTP_CODR_HELPER_SOCKET;
    }

    ngx_memzero(&sun, sizeof(struct sockaddr_un));
    sun.sun_family = AF_UNIX;
    (void) ngx_cpystrn((u_char *) sun.sun_path, path, sizeof(sun.sun_path));

    s = socket(AF_UNIX, SOCK_SEQPACKET|SOCK_CLOEXEC|SOCK_NONBLOCK, 0);

    if (s == (ngx_socket_t) -1) {
        ngx_log_error(NGX_LOG_ERR, channel->log, ngx_socket_errno,
                      "codr: socket() failed");
        return NGX_AGAIN;
    }

    len = ngx_http_codr_channel_frame(channel, frame, sizeof(frame),
                                      CODR_FRAME_HELLO);

    if (connect(s, (struct sockaddr *) &sun, sizeof(struct sockaddr_un)) == -1
        || ngx_http_codr_send_frame(s, frame, len, -1) != NGX_OK)
    {
        ngx_log_error(NGX_LOG_INFO, channel->log, ngx_socket_errno,
                      "codr: connect() to \"%s\" failed", path);
        (void) close(s);
        return NGX_AGAIN;
    }

    *fd = s;

    return NGX_OK;
}


static ngx_int_t
ngx_http_codr_channel_listen(ngx_http_codr_channel_t *channel, ngx_socket_t fd)
{
    ngx_connection_t  *c;

    c = ngx_get_connection(fd, channel->log);

    if (c == NULL) {
        (void) close(fd);
        return NGX_AGAIN;
    }

    c->data = channel;
    c->log = channel->log;
    c->read->log = channel->log;
    c->write->log = channel->log;
    c->read->handler = ngx_http_codr_channel_read;

    if (ngx_handle_read_event(c->read, 0) != NGX_OK) {
        ngx_close_connection(c);
        return NGX_AGAIN;
    }

    channel->connection = c;

    return NGX_OK;
}


static void
ngx_http_codr_channel_said(ngx_http_codr_channel_t *channel,
    ngx_http_codr_said_e state, ngx_str_t *cause)
{
    if (ngx_exiting || ngx_terminate
        || ngx_http_codr_zone_news(channel->mcf, state) != NGX_OK)
    {
        return;
    }

    switch (state) {

    case NGX_HTTP_CODR_SAID_UP:
        ngx_log_error(NGX_LOG_NOTICE, channel->log, 0,
                      "codr: the helper is up");
        break;

    case NGX_HTTP_CODR_SAID_UNAVAILABLE:
        ngx_log_error(NGX_LOG_CRIT, channel->log, 0,
                      "codr: no jobs can be run: %V", cause);
        break;

    case NGX_HTTP_CODR_SAID_LOST:
        ngx_log_error(NGX_LOG_ERR, channel->log, 0,
                      "codr: the helper is lost");
        break;

    case NGX_HTTP_CODR_SAID_NOTHING:
        break;
    }
}


static void
ngx_http_codr_channel_connect(ngx_http_codr_channel_t *channel)
{
    ngx_int_t                  rc;
    ngx_socket_t               fd;
    ngx_http_codr_lifeline_t  *lifeline;

    lifeline = channel->mcf->lifeline;

    if (lifeline == NULL) {
        return;                     /* the start has said why */
    }

    if (lifeline->mode == NGX_HTTP_CODR_HELPER_UNIX) {
        rc = ngx_http_codr_channel_dial(channel, &fd);

    } else {
        rc = ngx_http_codr_channel_hand_over(channel, &fd);
    }

    if (rc == NGX_OK) {
        rc = ngx_http_codr_channel_listen(channel, fd);
    }

    if (rc == NGX_OK) {
        return;
    }

    ngx_http_codr_channel_said(channel, NGX_HTTP_CODR_SAID_LOST, NULL);

    if (rc == NGX_AGAIN) {
        channel->delay = ngx_max(channel->delay, NGX_HTTP_CODR_RETRY_MIN);
        ngx_add_timer(&channel->retry, channel->delay);
        channel->delay = ngx_min(2 * channel->delay, NGX_HTTP_CODR_RETRY_MAX);

    } else {
        ngx_http_codr_adrift_end_all(channel->mcf);
    }
}


static void
ngx_http_codr_channel_retry(ngx_event_t *ev)
{
    ngx_http_codr_channel_t  *channel = ev->data;

    if (channel->connection == NULL && !ngx_exiting && !ngx_terminate) {
        ngx_http_codr_channel_connect(channel);
    }
}


/* The first try is made at once, so that no job meets a gap; those after it
   wait until the broker has spoken. */

static void
ngx_http_codr_channel_lost(ngx_http_codr_channel_t *channel)
{
    ngx_http_codr_channel_close(channel);

    if (ngx_exiting || ngx_terminate) {
        return;
    }

    ngx_http_codr_channel_said(channel, NGX_HTTP_CODR_SAID_LOST, NULL);

    if (channel->delay == 0) {
        channel->delay = NGX_HTTP_CODR_RETRY_MIN;
        ngx_http_codr_channel_connect(channel);
        return;
    }

    ngx_add_timer(&channel->retry, channel->delay);
    channel->delay = ngx_min(2 * channel->delay, NGX_HTTP_CODR_RETRY_MAX);
}


static void
ngx_http_codr_channel_announce(ngx_http_codr_channel_t *channel)
{
    ngx_str_t  *cause;

    static ngx_str_t  unknown = ngx_string("the helper does not say why");

    switch ((codr_helper_state_t) channel->status->state) {

    case CODR_HELPER_UP:
        ngx_http_codr_channel_said(channel, NGX_HTTP_CODR_SAID_UP, NULL);
        break;

    case CODR_HELPER_UNAVAILABLE:
        cause = channel->status->causes.nelts ? channel->status->causes.elts
                                              : &unknown;
        ngx_http_codr_channel_said(channel, NGX_HTTP_CODR_SAID_UNAVAILABLE,
                                   cause);
        break;

    case CODR_HELPER_STARTING:
        break;
    }
}


static ngx_int_t
ngx_http_codr_channel_take_status(ngx_http_codr_channel_t *channel,
    u_char *payload, size_t len)
{
    ngx_pool_t                     *pool;
    ngx_http_codr_helper_status_t  *status;

    pool = ngx_create_pool(4096, channel->log);
    if (pool == NULL) {
        return NGX_ERROR;
    }

    status = ngx_http_codr_report_status(pool, payload, len);

    if (status == NULL) {
        ngx_destroy_pool(pool);
        return NGX_ERROR;
    }

    ngx_http_codr_channel_forget(channel);

    channel->pool = pool;
    channel->status = status;
    channel->delay = 0;

    ngx_http_codr_channel_announce(channel);

    if (!channel->heard) {
        channel->heard = 1;
        ngx_http_codr_adrift_sweep(channel->mcf);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_codr_channel_take_figures(ngx_http_codr_channel_t *channel,
    u_char *payload, size_t len)
{
    uint64_t  *value;

    channel->counted = 0;

    if (ngx_http_codr_report_figures(channel->figures, payload, len)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    channel->counted = 1;

    value = channel->figures->value;
    ngx_http_codr_metrics_instance(channel->mcf, value[CODR_FIGURE_INSTANCE]);

    return NGX_OK;
}


static ngx_int_t
ngx_http_codr_channel_take(ngx_http_codr_channel_t *channel, u_char *data,
    size_t len)
{
    codr_frame_t  frame;

    if (len < CODR_FRAME_HEADER || codr_frame_decode(&frame, data) != 0
        || frame.length != len - CODR_FRAME_HEADER)
    {
        return NGX_ERROR;
    }

    data += CODR_FRAME_HEADER;

    if (frame.type == CODR_FRAME_STATUS) {
        return ngx_http_codr_channel_take_status(channel, data, frame.length);
    }

    if (frame.type == CODR_FRAME_FIGURES) {
        return ngx_http_codr_channel_take_figures(channel, data, frame.length);
    }

    if (frame.type == CODR_FRAME_CHARGE) {
        return ngx_http_codr_quota_charge(channel->mcf, data, frame.length);
    }

    if (frame.type == CODR_FRAME_END) {
        return ngx_http_codr_adrift_offered(channel->mcf, data, frame.length);
    }

    if (frame.type == CODR_FRAME_LOG) {
        return ngx_http_codr_report_log(channel->log, data, frame.length);
    }

    return NGX_ERROR;
}


static void
ngx_http_codr_channel_read(ngx_event_t *rev)
{
    u_char                    frame[CODR_FRAME_HEADER + CODR_FRAME_MAX];
    ssize_t                   n;
    ngx_uint_t                i;
    ngx_connection_t         *c;
    ngx_http_codr_channel_t  *channel;

    c = rev->data;
    channel = c->data;

    if (c->close) {
        ngx_http_codr_channel_close(channel);
        return;
    }

    for (i = 0; i < NGX_HTTP_CODR_FRAMES; i++) {

        /* descriptors are not asked for: the kernel drops any */

        n = recv(c->fd, frame, sizeof(frame), MSG_DONTWAIT);

        if (n == -1 && ngx_socket_errno == NGX_EINTR) {
            continue;
        }

        if (n == -1 && ngx_socket_errno == NGX_EAGAIN) {
            rev->ready = 0;

            if (ngx_handle_read_event(rev, 0) != NGX_OK) {
                ngx_http_codr_channel_lost(channel);
            }

            return;
        }

        if (n <= 0) {
            ngx_http_codr_channel_lost(channel);
            return;
        }

        if (ngx_http_codr_channel_take(channel, frame, n) != NGX_OK) {
            ngx_log_error(NGX_LOG_ERR, channel->log, 0,
                          "codr: the helper sent what is no message");
            ngx_http_codr_channel_lost(channel);
            return;
        }
    }

    ngx_post_event(rev, &ngx_posted_next_events);
}
