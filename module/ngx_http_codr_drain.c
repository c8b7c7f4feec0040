
/*
 * How a worker leaves: told so by a reload or a stop, it closes idle sockets
 * at once, lets jobs finish, and stops those that are still there a second
 * before nginx would cut the connections.  Nothing is polled: a connection of
 * our own, marked idle, is "closed" by nginx when a graceful exit begins.
 */

#include "ngx_http_codr_drain.h"
#include "ngx_http_codr_distant.h"
#include "ngx_http_codr_turn.h"
#include "ngx_http_codr_ws.h"

#include <sys/eventfd.h>


#define NGX_HTTP_CODR_DRAIN_LEAD  1000         /* milliseconds */


static ngx_int_t ngx_http_codr_drain_guard(ngx_http_codr_drain_t *drain,
    ngx_log_t *log);
static void ngx_http_codr_drain_guard_handler(ngx_event_t *rev);
static void ngx_http_codr_drain_sockets(ngx_http_codr_drain_t *drain,
    ngx_uint_t all, ngx_uint_t code);
static void ngx_http_codr_drain_goodbye(ngx_event_t *ev);
static void ngx_http_codr_drain_stop(ngx_http_codr_drain_t *drain);


/* Made when it is first asked for: without a master process the workers'
   init_process hook does not run again for the configuration of a reload. */

ngx_http_codr_drain_t *
ngx_http_codr_drain(ngx_http_codr_main_conf_t *mcf)
{
    ngx_http_codr_drain_t  *drain;

    if (mcf->drain) {
        return mcf->drain;
    }

    drain = ngx_pcalloc(ngx_cycle->pool, sizeof(ngx_http_codr_drain_t));
    if (drain == NULL) {
        return NULL;
    }

    ngx_queue_init(&drain->sockets);
    ngx_queue_init(&drain->jobs);

    ngx_http_codr_turn_init(drain);

    drain->goodbye.handler = ngx_http_codr_drain_goodbye;
    drain->goodbye.data = drain;
    drain->goodbye.log = ngx_cycle->log;
    drain->goodbye.cancelable = 1;

    mcf->drain = drain;

    return drain;
}


void
ngx_http_codr_ws_init_process(ngx_cycle_t *cycle)
{
    ngx_http_codr_drain_t      *drain;
    ngx_http_codr_main_conf_t  *mcf;

    mcf = ngx_http_cycle_get_module_main_conf(cycle, ngx_http_codr_module);

    drain = ngx_http_codr_drain(mcf);

    if (drain == NULL
        || ngx_http_codr_drain_guard(drain, cycle->log) != NGX_OK)
    {
        ngx_log_error(NGX_LOG_WARN, cycle->log, 0,
                      "codr: idle sockets will not be told of a reload");
    }
}


static ngx_int_t
ngx_http_codr_drain_guard(ngx_http_codr_drain_t *drain, ngx_log_t *log)
{
    int                fd;
    ngx_connection_t  *c;

    fd = eventfd(0, EFD_CLOEXEC|EFD_NONBLOCK);

    if (fd == -1) {
        ngx_log_error(NGX_LOG_ERR, log, ngx_errno, "eventfd() failed");
        return NGX_ERROR;
    }

    c = ngx_get_connection(fd, log);

    if (c == NULL) {
        (void) close(fd);                      /* nothing was written to it */
        return NGX_ERROR;
    }

    c->data = drain;
    c->log = log;
    c->read->log = log;
    c->write->log = log;
    c->read->handler = ngx_http_codr_drain_guard_handler;
    c->idle = 1;

    drain->guard = c;

    return NGX_OK;
}


/* The first call is the begin of a graceful exit; with c->error set, the
   second, worker_shutdown_timeout is over. */

static void
ngx_http_codr_drain_guard_handler(ngx_event_t *rev)
{
    ngx_msec_t                  lead;
    ngx_connection_t           *c;
    ngx_core_conf_t            *ccf;
    ngx_http_codr_drain_t      *drain;
    ngx_http_codr_main_conf_t  *mcf;

    c = rev->data;
    drain = c->data;

    if (c->error) {
        drain->guard = NULL;
        ngx_close_connection(c);
        return;
    }

    c->idle = 0;
    c->close = 0;

    ngx_http_codr_drain_sockets(drain, 0, 1012);
    ngx_http_codr_async_leave(drain);

    mcf = ngx_http_cycle_get_module_main_conf(ngx_cycle, ngx_http_codr_module);

    if (mcf->redis) {
        ngx_http_codr_relay_move(mcf->redis);
    }

    ccf = (ngx_core_conf_t *) ngx_get_conf(ngx_cycle->conf_ctx,
                                           ngx_core_module);

    if (ccf->shutdown_timeout && !drain->goodbye.timer_set) {
        lead = ngx_min(ccf->shutdown_timeout, NGX_HTTP_CODR_DRAIN_LEAD);
        ngx_add_timer(&drain->goodbye, ccf->shutdown_timeout - lead);
    }
}


static void
ngx_http_codr_drain_sockets(ngx_http_codr_drain_t *drain, ngx_uint_t all,
    ngx_uint_t code)
{
    ngx_queue_t         *q, *next;
    ngx_http_codr_ws_t  *ws;

    for (q = ngx_queue_head(&drain->sockets);
         q != ngx_queue_sentinel(&drain->sockets);
         q = next)
    {
        next = ngx_queue_next(q);
        ws = ngx_queue_data(q, ngx_http_codr_ws_t, queue);

        if (ws->job == NULL || all) {
            ngx_http_codr_ws_close(ws, code, code == 1012 ? "restart"
                                                          : "going away");
            ngx_http_codr_ws_run_foreign(ws);
        }
    }
}


/* Jobs that can do without their socket go on: it is closed, they are not
   stopped. */

static void
ngx_http_codr_drain_goodbye(ngx_event_t *ev)
{
    ngx_queue_t            *q, *next;
    ngx_http_codr_ws_t     *ws;
    ngx_http_codr_drain_t  *drain;

    drain = ev->data;

    for (q = ngx_queue_head(&drain->sockets);
         q != ngx_queue_sentinel(&drain->sockets);
         q = next)
    {
        next = ngx_queue_next(q);
        ws = ngx_queue_data(q, ngx_http_codr_ws_t, queue);

        if (ws->job && (ws->job->detach || ws->job->attached)) {
            ngx_http_codr_ws_close(ws, 1012, "restart");
            ngx_http_codr_ws_run_foreign(ws);
        }
    }

    ngx_http_codr_drain_stop(drain);
}


/* They end as "stopped", and their sockets say so. */

static void
ngx_http_codr_drain_stop(ngx_http_codr_drain_t *drain)
{
    ngx_queue_t          *q;
    ngx_http_codr_job_t  *job;

    for (q = ngx_queue_head(&drain->jobs);
         q != ngx_queue_sentinel(&drain->jobs);
         q = ngx_queue_next(q))
    {
        job = ngx_queue_data(q, ngx_http_codr_job_t, queue);
        ngx_http_codr_job_send(job, CODR_FRAME_STOP);
    }
}


void
ngx_http_codr_ws_shutdown(ngx_cycle_t *cycle, ngx_uint_t now)
{
    ngx_http_codr_drain_t      *drain;
    ngx_http_codr_main_conf_t  *mcf;

    mcf = ngx_http_cycle_get_module_main_conf(cycle, ngx_http_codr_module);

    drain = mcf->drain;

    if (drain == NULL) {
        return;
    }

    ngx_http_codr_drain_sockets(drain, now, 1001);

    if (!now) {
        return;
    }

    if (drain->goodbye.timer_set) {
        ngx_del_timer(&drain->goodbye);
    }

    if (drain->guard) {
        ngx_close_connection(drain->guard);
        drain->guard = NULL;
    }
}
