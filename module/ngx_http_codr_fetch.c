
/*
 * One question to the helper on a socket of its own, and its answer.  What
 * comes is checked as if a stranger had written it; one that does not come is
 * not waited for beyond its time.  Runs in workers.
 */

#include "ngx_http_codr_fetch.h"
#include "ngx_http_codr_distant.h"


#define NGX_HTTP_CODR_FETCH_BUFFER  (CODR_FRAME_HEADER + CODR_FRAME_MAX)
#define NGX_HTTP_CODR_FETCH_GRACE   5000       /* milliseconds */


struct ngx_http_codr_fetch_s {
    ngx_pool_t                           *pool;
    ngx_connection_t                     *connection;
    const ngx_http_codr_fetch_handler_t  *handler;
    void                                 *data;
    u_char                               *buf;
    size_t                                len;
    ngx_uint_t                            over;
};


static ngx_int_t ngx_http_codr_fetch_ask(ngx_http_codr_fetch_t *fetch,
    ngx_http_codr_question_t *question);
static void ngx_http_codr_fetch_read_handler(ngx_event_t *rev);
static ngx_int_t ngx_http_codr_fetch_read(ngx_http_codr_fetch_t *fetch);
static ngx_int_t ngx_http_codr_fetch_frame(ngx_http_codr_fetch_t *fetch,
    codr_frame_t *frame, u_char *payload);
static void ngx_http_codr_fetch_lost(ngx_http_codr_fetch_t *fetch);
static void ngx_http_codr_fetch_write_handler(ngx_event_t *wev);


ngx_http_codr_fetch_t *
ngx_http_codr_fetch(ngx_http_codr_main_conf_t *mcf,
    ngx_http_codr_question_t *question,
    const ngx_http_codr_fetch_handler_t *handler, void *data, ngx_log_t *log)
{
    int                     fd;
    ngx_pool_t             *pool;
    ngx_connection_t       *c;
    ngx_http_codr_fetch_t  *fetch;

    pool = ngx_create_pool(1024, log);
    if (pool == NULL) {
        return NULL;
    }

    fetch = ngx_pcalloc(pool, sizeof(ngx_http_codr_fetch_t));
    if (fetch == NULL) {
        ngx_destroy_pool(pool);
        return NULL;
    }

    fetch->pool = pool;
    fetch->handler = handler;
    fetch->data = data;
    fetch->buf = ngx_palloc(pool, NGX_HTTP_CODR_FETCH_BUFFER);

    fd = (fetch->buf == NULL) ? -1
         : question->remote ? ngx_http_codr_distant_open(mcf, log)
                            : ngx_http_codr_helper_open_job(mcf, log);
    c = (fd == -1) ? NULL
        : ngx_http_codr_get_connection(fd, fetch,
                                       ngx_http_codr_fetch_read_handler,
                                       ngx_http_codr_fetch_write_handler,
                                       log);

    if (c == NULL) {
        if (fd != -1) {
            (void) close(fd);                  /* nothing was written to it */
        }

        ngx_destroy_pool(pool);
        return NULL;
    }

    fetch->connection = c;

    if (ngx_http_codr_fetch_ask(fetch, question) != NGX_OK) {
        ngx_http_codr_fetch_close(fetch);
        return NULL;
    }

    return fetch;
}


static ngx_int_t
ngx_http_codr_fetch_ask(ngx_http_codr_fetch_t *fetch,
    ngx_http_codr_question_t *question)
{
    size_t             len;
    u_char             frame[256];
    codr_writer_t      w;
    ngx_connection_t  *c;

    c = fetch->connection;

    codr_writer_init(&w, frame, sizeof(frame));
    codr_frame_begin(&w, CODR_FRAME_FETCH);
    codr_put_bytes(&w, CODR_FIELD_JOB_ID, question->id, CODR_JOB_ID_LEN);

    if (question->stop) {
        codr_put_number(&w, CODR_FIELD_STOP, 1);
    }

    if (question->wait) {
        codr_put_number(&w, CODR_FIELD_WAIT_MS, question->wait);
    }

    if (question->output) {
        codr_put_number(&w, CODR_FIELD_OFFSET, question->offset);
        codr_put_number(&w, CODR_FIELD_SIZE, question->size);
    }

    len = codr_frame_end(&w);

    /* into an empty socket: all of it fits */

    if (len == 0 || ngx_send(c, frame, len) != (ssize_t) len
        || ngx_handle_read_event(c->read, 0) != NGX_OK)
    {
        return NGX_ERROR;
    }

    ngx_add_timer(c->read, question->wait + NGX_HTTP_CODR_FETCH_GRACE);

    return NGX_OK;
}


void
ngx_http_codr_fetch_close(ngx_http_codr_fetch_t *fetch)
{
    ngx_close_connection(fetch->connection);
    ngx_destroy_pool(fetch->pool);
}


static void
ngx_http_codr_fetch_write_handler(ngx_event_t *wev)
{
    /* nothing is written but the question */
}


static void
ngx_http_codr_fetch_read_handler(ngx_event_t *rev)
{
    void                                 *data;
    ngx_connection_t                     *c;
    ngx_http_codr_fetch_t                *fetch;
    const ngx_http_codr_fetch_handler_t  *handler;

    c = rev->data;
    fetch = c->data;

    data = fetch->data;
    handler = fetch->handler;

    if (c->close || rev->timedout
        || ngx_http_codr_fetch_read(fetch) != NGX_OK)
    {
        ngx_http_codr_fetch_lost(fetch);
    }

    if (fetch->over) {
        ngx_http_codr_fetch_close(fetch);
        handler->done(data);
        return;
    }

    if (rev->ready) {                          /* let others have their turn */
        ngx_post_event(rev, &ngx_posted_next_events);
    }
}


static ngx_int_t
ngx_http_codr_fetch_read(ngx_http_codr_fetch_t *fetch)
{
    u_char            *p, *last;
    ssize_t            n;
    codr_frame_t       frame;
    ngx_connection_t  *c;

    c = fetch->connection;

    n = c->recv(c, fetch->buf + fetch->len,
                NGX_HTTP_CODR_FETCH_BUFFER - fetch->len);

    if (n == NGX_AGAIN) {
        return ngx_handle_read_event(c->read, 0);
    }

    if (n <= 0) {
        return NGX_ERROR;
    }

    p = fetch->buf;
    last = fetch->buf + fetch->len + n;

    while (!fetch->over && last - p >= CODR_FRAME_HEADER) {

        if (codr_frame_decode(&frame, p) != 0) {
            return NGX_ERROR;
        }

        if ((size_t) (last - p) < CODR_FRAME_HEADER + frame.length) {
            break;
        }

        p += CODR_FRAME_HEADER;

        if (ngx_http_codr_fetch_frame(fetch, &frame, p) != NGX_OK) {
            ngx_log_error(NGX_LOG_ERR, c->log, 0,
                          "codr: the helper sent a frame of type %ui that is "
                          "malformed or not due", (ngx_uint_t) frame.type);
            return NGX_ERROR;
        }

        p += frame.length;
    }

    fetch->len = last - p;
    ngx_memmove(fetch->buf, p, fetch->len);

    return NGX_OK;
}


static ngx_int_t
ngx_http_codr_fetch_frame(ngx_http_codr_fetch_t *fetch, codr_frame_t *frame,
    u_char *payload)
{
    codr_output_t           output;
    ngx_http_codr_answer_t  a;

    if (frame->type == CODR_FRAME_OUTPUT) {

        if (codr_output_decode(&output, payload, frame->length) != 0) {
            return NGX_ERROR;
        }

        fetch->handler->output(fetch->data, &output);

        return NGX_OK;
    }

    if (ngx_http_codr_answer_decode(&a, frame, payload) != NGX_OK) {
        return NGX_ERROR;
    }

    switch (a.type) {

    case CODR_FRAME_RECORD:
        break;

    case CODR_FRAME_FETCHED:
    case CODR_FRAME_COMPLETE:
    case CODR_FRAME_ERROR:
        fetch->over = 1;
        break;

    default:
        return NGX_ERROR;
    }

    fetch->handler->answer(fetch->data, &a);

    return NGX_OK;
}


static void
ngx_http_codr_fetch_lost(ngx_http_codr_fetch_t *fetch)
{
    ngx_http_codr_answer_t  a;

    if (fetch->over) {
        return;
    }

    fetch->over = 1;

    ngx_http_codr_answer_error(&a, CODR_ERROR_UNAVAILABLE,
                               "the helper does not answer");
    fetch->handler->answer(fetch->data, &a);
}
