
/*
 * The life of a WebSocket: takes a request over from nginx, drives frames and
 * service by the connection's events, keeps the timers, and gives the request
 * back exactly once.  Whatever wants something of a socket queues it and calls
 * run.  Runs in workers.
 */

#include <linux/sockios.h>

#include "ngx_http_codr_ws.h"
#include "ngx_http_codr_drain.h"


#define NGX_HTTP_CODR_WS_PAUSE     (64 * 1024)     /* bytes that wait */
#define NGX_HTTP_CODR_WS_CLOSE     2000            /* milliseconds, for its */
#define NGX_HTTP_CODR_WS_LONGEST   60000

/* As many bytes since the last look are a peer that is alive and sends a large
   message over a slow line. */

#define NGX_HTTP_CODR_WS_PROGRESS  (16 * 1024)


static ngx_http_codr_ws_t *ngx_http_codr_ws_create(ngx_http_request_t *r,
    const ngx_http_codr_service_t *service);
static ngx_int_t ngx_http_codr_ws_take_over(ngx_http_request_t *r);
static void ngx_http_codr_ws_event(ngx_http_request_t *r);
static void ngx_http_codr_ws_tick(ngx_http_codr_ws_t *ws);
static void ngx_http_codr_ws_keepalive(ngx_http_codr_ws_t *ws);
static ngx_int_t ngx_http_codr_ws_header(ngx_http_codr_ws_t *ws);
static ngx_int_t ngx_http_codr_ws_send(ngx_http_codr_ws_t *ws);
static void ngx_http_codr_ws_flow(ngx_http_codr_ws_t *ws);
static ngx_int_t ngx_http_codr_ws_arm(ngx_http_codr_ws_t *ws);
static ngx_msec_int_t ngx_http_codr_ws_next(ngx_http_codr_ws_t *ws);
static ngx_msec_t ngx_http_codr_ws_silence(ngx_http_codr_ws_t *ws);
static ngx_msec_t ngx_http_codr_ws_patience(ngx_http_codr_ws_t *ws);
static ngx_uint_t ngx_http_codr_ws_is_through(ngx_connection_t *c);
static void ngx_http_codr_ws_end(ngx_http_codr_ws_t *ws, ngx_uint_t lost);
static void ngx_http_codr_ws_cleanup(void *data);


ngx_int_t
ngx_http_codr_ws_serve(ngx_http_request_t *r,
    const ngx_http_codr_service_t *service)
{
    ngx_int_t                  rc;
    ngx_connection_t          *c;
    ngx_http_codr_ws_t        *ws;
    ngx_http_core_loc_conf_t  *clcf;

    rc = ngx_http_codr_handshake(r);
    if (rc != NGX_OK) {
        return rc;
    }

    c = r->connection;
    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

    r->keepalive = 0;
    r->limit_rate = 0;                         /* it would hold up the 101 */
    r->limit_rate_set = 1;

    if (clcf->tcp_nodelay && ngx_tcp_nodelay(c) != NGX_OK) {
        return NGX_ERROR;
    }

    ws = ngx_http_codr_ws_create(r, service);
    if (ws == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rc = ngx_http_codr_ws_take_over(r);
    if (rc != NGX_OK) {
        return rc;
    }

    ngx_http_codr_ws_event(r);                 /* frames may have come along */

    return NGX_DONE;
}


static ngx_http_codr_ws_t *
ngx_http_codr_ws_create(ngx_http_request_t *r,
    const ngx_http_codr_service_t *service)
{
    ngx_http_cleanup_t     *cln;
    ngx_http_codr_ws_t     *ws;
    ngx_http_codr_drain_t  *drain;

    ws = ngx_pcalloc(r->pool, sizeof(ngx_http_codr_ws_t));
    cln = ngx_http_cleanup_add(r, 0);

    if (ws == NULL || cln == NULL) {
        return NULL;
    }

    ws->request = r;
    ws->ctx = ngx_http_get_module_ctx(r, ngx_http_codr_module);
    ws->lcf = ngx_http_get_module_loc_conf(r, ngx_http_codr_module);
    ws->mcf = ngx_http_get_module_main_conf(r, ngx_http_codr_module);

    drain = ngx_http_codr_drain(ws->mcf);
    if (drain == NULL) {
        return NULL;
    }

    ws->out.spares = &drain->spares;
    ws->service = service;
    ws->binary = ws->ctx->binary || service->binary;
    ws->quiet = ngx_current_msec;
    ws->pinged = ngx_current_msec;
    ws->second = ngx_current_msec;
    ws->heard = 1;

    cln->handler = ngx_http_codr_ws_cleanup;
    cln->data = ws;

    ngx_queue_insert_tail(&drain->sockets, &ws->queue);
    ngx_http_codr_count(ws->mcf, NGX_HTTP_CODR_SOCKETS, 1);

    ws->ctx->session = ws;

    return ws;
}


static ngx_int_t
ngx_http_codr_ws_take_over(ngx_http_request_t *r)
{
    ngx_int_t  rc;

    r->connection->log->action = "serving a WebSocket";

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK) {
        return rc;
    }

    if (ngx_http_send_special(r, NGX_HTTP_FLUSH) == NGX_ERROR) {
        return NGX_ERROR;
    }

    r->read_event_handler = ngx_http_codr_ws_event;
    r->write_event_handler = ngx_http_codr_ws_event;

    r->main->count++;

    return NGX_OK;
}


static void
ngx_http_codr_ws_event(ngx_http_request_t *r)
{
    ngx_connection_t     *c;
    ngx_http_codr_ws_t   *ws;
    ngx_http_codr_ctx_t  *ctx;

    c = r->connection;
    ctx = ngx_http_get_module_ctx(r, ngx_http_codr_module);
    ws = ctx->session;

    if (ws->done) {
        return;
    }

    if (c->write->timedout) {
        c->timedout = 1;
        ws->failed = 1;
    }

    if (c->read->timedout) {
        c->read->timedout = 0;
        ngx_http_codr_ws_tick(ws);
    }

    ngx_http_codr_frames_read(ws);
    ngx_http_codr_ws_run(ws);
}


static void
ngx_http_codr_ws_tick(ngx_http_codr_ws_t *ws)
{
    ngx_msec_t  now;

    now = ngx_current_msec;

    if (ws->closing) {
        ws->overdue = (ngx_msec_int_t) (now - ws->closed
                                        - ngx_http_codr_ws_patience(ws)) >= 0;
        return;
    }

    if (ws->received >= NGX_HTTP_CODR_WS_PROGRESS) {
        ws->heard = 1;
        ws->quiet = now;
    }

    ws->received = 0;

    if (ws->job == NULL
        && (ngx_msec_int_t) (now - ws->quiet - ngx_http_codr_ws_silence(ws))
           >= 0)
    {
        if (ws->spoken) {
            ngx_http_codr_ws_close(ws, WSLAY_CODE_NORMAL_CLOSURE, "idle");

        } else {
            ngx_http_codr_ws_close(ws, 4000, "no message");
        }

        return;
    }

    if (ws->lcf->ping
        && (ngx_msec_int_t) (now - ws->pinged - ws->lcf->ping) >= 0)
    {
        ngx_http_codr_ws_keepalive(ws);
    }
}


/* How long a socket may be without a job and without a message. */

static ngx_msec_t
ngx_http_codr_ws_silence(ngx_http_codr_ws_t *ws)
{
    return ws->spoken ? ws->lcf->idle_timeout : ws->lcf->first_message_timeout;
}


/* How long our Close may take to leave, and then the peer to answer it. */

static ngx_msec_t
ngx_http_codr_ws_patience(ngx_http_codr_ws_t *ws)
{
    ngx_http_core_loc_conf_t  *clcf;

    if (ws->said) {
        return NGX_HTTP_CODR_WS_CLOSE;
    }

    clcf = ngx_http_get_module_loc_conf(ws->request, ngx_http_core_module);

    return clcf->lingering_time;
}


static void
ngx_http_codr_ws_keepalive(ngx_http_codr_ws_t *ws)
{
    ws->missed = ws->heard ? 0 : ws->missed + 1;

    if (ws->missed == 2) {
        ngx_log_error(NGX_LOG_INFO, ws->request->connection->log, NGX_ETIMEDOUT,
                      "codr: two pings were not answered");
        ws->failed = 1;
        return;
    }

    ws->heard = 0;
    ws->pinged = ngx_current_msec;

    ngx_http_codr_frames_put(ws, WSLAY_PING, NULL, 0);
}


void
ngx_http_codr_ws_close(ngx_http_codr_ws_t *ws, ngx_uint_t code,
    const char *reason)
{
    if (ws->code == 0) {
        ws->code = code;
        ws->reason = reason;
    }
}


void
ngx_http_codr_ws_run(ngx_http_codr_ws_t *ws)
{
    ngx_int_t  rc;

    if (ws->done) {
        return;
    }

    if (ws->code || ws->closing || ws->finished || ws->eof || ws->failed) {
        ws->service->abandon(ws);
    }

    rc = ws->failed ? NGX_ERROR : ngx_http_codr_ws_header(ws);

    if (rc == NGX_OK) {
        ngx_http_codr_frames_write(ws);
        rc = ws->failed ? NGX_ERROR : ngx_http_codr_ws_send(ws);
    }

    if (rc == NGX_ERROR || (ws->eof && !ws->closing)
        || (rc == NGX_AGAIN && ws->overdue))
    {
        ngx_http_codr_ws_end(ws, 1);
        return;
    }

    if (rc == NGX_OK && ws->closing) {

        if (ws->eof || ws->parted || ws->finished || ws->overdue) {
            ngx_http_codr_ws_end(ws, 0);
            return;
        }

        if (!ws->said) {
            ws->said = 1;
            ws->closed = ngx_current_msec;
        }
    }

    ngx_http_codr_ws_flow(ws);

    if (ngx_http_codr_ws_arm(ws) != NGX_OK) {
        ngx_http_codr_ws_end(ws, 1);
    }
}


/* NGX_OK as soon as the 101 has left nginx's own buffers. */

static ngx_int_t
ngx_http_codr_ws_header(ngx_http_codr_ws_t *ws)
{
    ngx_http_request_t  *r;

    r = ws->request;

    if (r->out == NULL && !r->connection->buffered) {
        return NGX_OK;
    }

    if (ngx_http_output_filter(r, NULL) == NGX_ERROR) {
        return NGX_ERROR;
    }

    return (r->out || r->connection->buffered) ? NGX_AGAIN : NGX_OK;
}


static ngx_int_t
ngx_http_codr_ws_send(ngx_http_codr_ws_t *ws)
{
    size_t                     before;
    ngx_int_t                  rc;
    ngx_event_t               *wev;
    ngx_http_core_loc_conf_t  *clcf;

    before = ws->out.size;
    wev = ws->request->connection->write;

    rc = ngx_http_codr_sendq_send(&ws->out, ws->request->connection);

    if (rc == NGX_OK) {
        if (wev->timer_set) {
            ngx_del_timer(wev);
        }

    } else if (rc == NGX_AGAIN
               && (!wev->timer_set || ws->out.size < before))
    {
        clcf = ngx_http_get_module_loc_conf(ws->request, ngx_http_core_module);
        ngx_add_timer(wev, clcf->send_timeout);
    }

    return rc;
}


/* Who does not read is not written for, and not listened to in the end. */

static void
ngx_http_codr_ws_flow(ngx_http_codr_ws_t *ws)
{
    ngx_uint_t  full;

    full = (ws->out.size > NGX_HTTP_CODR_WS_PAUSE);

    if (ws->job) {
        ngx_http_codr_job_pause(ws->job, full);
    }

    if (ws->blocked && !full) {
        ws->blocked = 0;
        ngx_post_event(ws->request->connection->read, &ngx_posted_next_events);
    }
}


/* The timer is always set: a worker that leaves waits for such timers. */

static ngx_int_t
ngx_http_codr_ws_arm(ngx_http_codr_ws_t *ws)
{
    ngx_event_t     *rev;
    ngx_msec_int_t   delay;

    rev = ws->request->connection->read;

    delay = ngx_http_codr_ws_next(ws);
    delay = ngx_max(delay, 1);

    if (!rev->timer_set
        || (ngx_msec_int_t) (ngx_current_msec + delay - ws->wake) < 0)
    {
        ws->wake = ngx_current_msec + delay;
        ngx_add_timer(rev, delay);
    }

    if (ngx_handle_read_event(rev, 0) != NGX_OK
        || ngx_handle_write_event(ws->request->connection->write, 0) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* Milliseconds until something is due; too early does no harm. */

static ngx_msec_int_t
ngx_http_codr_ws_next(ngx_http_codr_ws_t *ws)
{
    ngx_msec_t      now;
    ngx_msec_int_t  next, delay;

    now = ngx_current_msec;

    if (ws->closing) {
        return ws->closed + ngx_http_codr_ws_patience(ws) - now;
    }

    next = NGX_HTTP_CODR_WS_LONGEST;

    if (ws->lcf->ping) {
        delay = ws->pinged + ws->lcf->ping - now;
        next = ngx_min(next, delay);
    }

    if (ws->job == NULL) {
        delay = ws->quiet + ngx_http_codr_ws_silence(ws) - now;
        next = ngx_min(next, delay);
    }

    return next;
}


void
ngx_http_codr_ws_run_foreign(ngx_http_codr_ws_t *ws)
{
    ngx_connection_t  *c;

    c = ws->request->connection;

    ngx_http_codr_ws_run(ws);
    ngx_http_run_posted_requests(c);
}


/* Whether there is nothing to wait for: the peer's kernel has all that was said
   to it, and it has said nothing that was not read. */

static ngx_uint_t
ngx_http_codr_ws_is_through(ngx_connection_t *c)
{
    int  unread, unsent;

    return ioctl(c->fd, FIONREAD, &unread) == 0 && unread == 0
           && ioctl(c->fd, SIOCOUTQ, &unsent) == 0 && unsent == 0;
}


static void
ngx_http_codr_ws_end(ngx_http_codr_ws_t *ws, ngx_uint_t lost)
{
    ngx_http_request_t  *r;

    r = ws->request;

    ngx_http_codr_ws_cleanup(ws);

    if (lost) {
        r->connection->error = 1;
        ngx_http_finalize_request(r, NGX_HTTP_CLIENT_CLOSED_REQUEST);

    } else {

        /* a connection closed with bytes unread, or to come, is reset, and
           what the peer has not read by then is lost to it; idle: a worker
           that leaves later closes it as one that is kept alive */

        r->lingering_close = !ngx_http_codr_ws_is_through(r->connection);
        r->connection->idle = r->lingering_close;
        ngx_http_finalize_request(r, NGX_OK);
    }
}


static void
ngx_http_codr_ws_cleanup(void *data)
{
    ngx_http_codr_ws_t  *ws = data;

    if (ws->done) {
        return;
    }

    ws->done = 1;

    if (ws->ctx->close_code == 0) {
        ws->ctx->close_code = WSLAY_CODE_ABNORMAL_CLOSURE;
    }

    ws->service->abandon(ws);

    wslay_event_context_free(ws->wslay);       /* accepts NULL */
    ws->wslay = NULL;

    ngx_http_codr_sendq_free(&ws->out);

    ngx_queue_remove(&ws->queue);
    ngx_http_codr_count(ws->mcf, NGX_HTTP_CODR_SOCKETS, -1);
}
