
/*
 * A POST whose answer are the messages of a WebSocket, as server-sent events,
 * one by one as they come.  Who does not read stops its own program; what
 * waits here is bounded by that.  A job that is refused before its first
 * message is answered as any other POST.  Runs in workers.
 */

#include "ngx_http_codr_sse.h"
#include "ngx_http_codr_json.h"
#include "ngx_http_codr_output.h"
#include "ngx_http_codr_ws.h"


#define NGX_HTTP_CODR_SSE_PIECE  (16 * 1024)
#define NGX_HTTP_CODR_SSE_PAUSE  (64 * 1024)   /* bytes that wait */


struct ngx_http_codr_sse_s {
    ngx_http_request_t        *request;
    ngx_http_codr_job_t       *job;            /* NULL before and after */
    ngx_http_codr_output_t    *output;
    ngx_chain_t               *free;
    ngx_chain_t               *busy;
    ngx_chain_t               *out;            /* not given to nginx yet */
    ngx_chain_t               *last;           /* of out */

    unsigned                   begun:1;        /* the header is sent */
    unsigned                   ended:1;
    unsigned                   failed:1;
};


static void ngx_http_codr_sse_put(ngx_http_codr_sse_t *sse, const void *data,
    size_t len);
static void ngx_http_codr_sse_event(ngx_http_codr_sse_t *sse,
    const char *name, const u_char *text, size_t len);
static void ngx_http_codr_sse_tell(ngx_http_codr_sse_t *sse, const char *name,
    ngx_http_codr_answer_t *a);
static void ngx_http_codr_sse_send(ngx_http_codr_sse_t *sse);
static void ngx_http_codr_sse_write(ngx_http_request_t *r);
static ngx_int_t ngx_http_codr_sse_header(ngx_http_codr_sse_t *sse);


static void
ngx_http_codr_sse_message(void *data, u_char *text, size_t len)
{
    ngx_http_codr_sse_event(data, "output", text, len);
}


static void
ngx_http_codr_sse_timer(void *data)
{
    ngx_http_codr_sse_t  *sse = data;

    ngx_connection_t  *c;

    c = sse->request->connection;

    ngx_http_codr_sse_send(sse);
    ngx_http_run_posted_requests(c);
}


static const ngx_http_codr_output_sink_t  ngx_http_codr_sse_sink = {
    ngx_http_codr_sse_message,
    NULL,
    ngx_http_codr_sse_timer
};


ngx_http_codr_sse_t *
ngx_http_codr_sse_create(ngx_http_request_t *r, ngx_http_codr_job_t *job)
{
    ngx_http_codr_sse_t  *sse;

    sse = ngx_pcalloc(r->pool, sizeof(ngx_http_codr_sse_t));
    if (sse == NULL) {
        return NULL;
    }

    sse->request = r;
    sse->job = job;
    sse->output = ngx_http_codr_output_create(job->pool, r->connection->log,
                                              &ngx_http_codr_sse_sink, sse);

    return sse->output ? sse : NULL;
}


void
ngx_http_codr_sse_output(ngx_http_codr_sse_t *sse, codr_output_t *output)
{
    ngx_http_codr_output_add(sse->output, output);
}


/* The name of the event is the type of the message. */

void
ngx_http_codr_sse_answer(ngx_http_codr_sse_t *sse, ngx_http_codr_answer_t *a)
{
    const char  *name;

    if (sse->job->ended) {
        ngx_http_codr_output_finish(sse->output);
        sse->ended = 1;
    }

    switch (a->type) {

    case CODR_FRAME_QUEUED:
        name = "queued";
        break;

    case CODR_FRAME_STARTED:
        name = "started";
        break;

    case CODR_FRAME_STAGE:
        name = "stage";
        break;

    case CODR_FRAME_COMPLETE:
        name = "complete";
        break;

    case CODR_FRAME_NOTICE:
        name = "notice";
        break;

    default: /* CODR_FRAME_ERROR */
        name = "error";
    }

    ngx_http_codr_sse_tell(sse, name, a);

    if (sse->ended) {                          /* its pool goes with it */
        sse->job = NULL;
        sse->output = NULL;
    }
}


static void
ngx_http_codr_sse_tell(ngx_http_codr_sse_t *sse, const char *name,
    ngx_http_codr_answer_t *a)
{
    ngx_pool_t            *pool;
    ngx_http_codr_json_t   j;

    pool = ngx_create_pool(4096, sse->request->connection->log);

    if (pool == NULL) {
        sse->failed = 1;
        return;
    }

    ngx_http_codr_json_init(&j, pool, 1024);
    ngx_http_codr_json_answer(&j, a, sse->job);

    if (j.failed) {
        sse->failed = 1;

    } else {
        ngx_http_codr_sse_event(sse, name, j.start, j.pos - j.start);
    }

    ngx_destroy_pool(pool);
}


void
ngx_http_codr_sse_flush(ngx_http_codr_sse_t *sse)
{
    if (sse->output) {
        ngx_http_codr_output_settle(sse->output);
    }

    ngx_http_codr_sse_send(sse);
}


/* JSON has no line breaks of its own: one line of data is all of it. */

static void
ngx_http_codr_sse_event(ngx_http_codr_sse_t *sse, const char *name,
    const u_char *text, size_t len)
{
    ngx_http_codr_sse_put(sse, "event: ", sizeof("event: ") - 1);
    ngx_http_codr_sse_put(sse, name, ngx_strlen(name));
    ngx_http_codr_sse_put(sse, "\ndata: ", sizeof("\ndata: ") - 1);
    ngx_http_codr_sse_put(sse, text, len);
    ngx_http_codr_sse_put(sse, "\n\n", 2);
}


/* One more buffer, which nginx gives back when it is sent. */

static ngx_int_t
ngx_http_codr_sse_room(ngx_http_codr_sse_t *sse)
{
    ngx_buf_t    *b;
    ngx_chain_t  *cl;

    cl = ngx_chain_get_free_buf(sse->request->pool, &sse->free);
    if (cl == NULL) {
        return NGX_ERROR;
    }

    b = cl->buf;

    if (b->start == NULL) {
        b->start = ngx_palloc(sse->request->pool, NGX_HTTP_CODR_SSE_PIECE);
        if (b->start == NULL) {
            return NGX_ERROR;
        }

        b->end = b->start + NGX_HTTP_CODR_SSE_PIECE;
        b->temporary = 1;
        b->tag = (ngx_buf_tag_t) &ngx_http_codr_module;
    }

    b->pos = b->start;
    b->last = b->start;
    b->flush = 1;

    cl->next = NULL;

    if (sse->out) {
        sse->last->next = cl;

    } else {
        sse->out = cl;
    }

    sse->last = cl;

    return NGX_OK;
}


static void
ngx_http_codr_sse_put(ngx_http_codr_sse_t *sse, const void *data, size_t len)
{
    size_t         n;
    ngx_buf_t     *b;
    const u_char  *p;

    p = data;

    while (len > 0 && !sse->failed) {

        if ((sse->out == NULL || sse->last->buf->last == sse->last->buf->end)
            && ngx_http_codr_sse_room(sse) != NGX_OK)
        {
            sse->failed = 1;
            return;
        }

        b = sse->last->buf;
        n = ngx_min(len, (size_t) (b->end - b->last));
        b->last = ngx_cpymem(b->last, p, n);
        p += n;
        len -= n;
    }
}


static ngx_int_t
ngx_http_codr_sse_header(ngx_http_codr_sse_t *sse)
{
    ngx_http_request_t  *r;

    static ngx_str_t  headers[][2] = {
        { ngx_string("Cache-Control"), ngx_string("no-store") },
        { ngx_string("X-Accel-Buffering"), ngx_string("no") }
    };

    r = sse->request;

    if (ngx_http_codr_header_out(r, &headers[0][0], &headers[0][1]) != NGX_OK
        || ngx_http_codr_header_out(r, &headers[1][0], &headers[1][1])
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    r->headers_out.status = NGX_HTTP_OK;
    r->headers_out.content_length_n = -1;

    ngx_str_set(&r->headers_out.content_type, "text/event-stream");
    r->headers_out.content_type_len = r->headers_out.content_type.len;
    r->headers_out.content_type_lowcase = NULL;

    r->write_event_handler = ngx_http_codr_sse_write;

    sse->begun = 1;

    return ngx_http_send_header(r);
}


/* May end the request. */

static void
ngx_http_codr_sse_send(ngx_http_codr_sse_t *sse)
{
    off_t                      waiting;
    ngx_int_t                  rc;
    ngx_event_t               *wev;
    ngx_chain_t               *cl;
    ngx_http_request_t        *r;
    ngx_http_core_loc_conf_t  *clcf;

    r = sse->request;
    rc = sse->failed ? NGX_ERROR : NGX_OK;

    if (rc == NGX_OK && !sse->begun) {

        if (sse->out == NULL) {
            return;
        }

        rc = ngx_http_codr_sse_header(sse);
    }

    if (rc == NGX_OK) {
        rc = ngx_http_output_filter(r, sse->out);

        ngx_chain_update_chains(r->pool, &sse->free, &sse->busy, &sse->out,
                                (ngx_buf_tag_t) &ngx_http_codr_module);
    }

    if (rc == NGX_ERROR || rc > NGX_OK) {
        ngx_http_finalize_request(r, NGX_ERROR);
        return;
    }

    if (sse->ended) {
        ngx_http_finalize_request(r, ngx_http_send_special(r, NGX_HTTP_LAST));
        return;
    }

    waiting = 0;

    for (cl = sse->busy; cl; cl = cl->next) {
        waiting += ngx_buf_size(cl->buf);
    }

    ngx_http_codr_job_pause(sse->job, waiting > NGX_HTTP_CODR_SSE_PAUSE);

    wev = r->connection->write;

    if (waiting == 0) {
        if (wev->timer_set) {
            ngx_del_timer(wev);
        }

    } else if (!wev->timer_set) {
        clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);
        ngx_add_timer(wev, clcf->send_timeout);
    }

    if (ngx_handle_write_event(wev, 0) != NGX_OK) {
        ngx_http_finalize_request(r, NGX_ERROR);
    }
}


static void
ngx_http_codr_sse_write(ngx_http_request_t *r)
{
    ngx_connection_t     *c;
    ngx_http_codr_ctx_t  *ctx;

    c = r->connection;
    ctx = ngx_http_get_module_ctx(r, ngx_http_codr_module);

    if (c->write->timedout) {
        c->timedout = 1;
        ngx_http_finalize_request(r, NGX_HTTP_REQUEST_TIME_OUT);
        return;
    }

    if (c->write->timer_set) {
        ngx_del_timer(c->write);               /* the client reads */
    }

    ngx_http_codr_sse_send(ctx->session);
}
