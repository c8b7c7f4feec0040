
/*
 * One program by one POST: the body is an execute without type, the answer is
 * what a socket would have got in pieces.  The request waits for the job's
 * end; a client that leaves takes the job with it.  Runs in workers.
 */

#include "ngx_http_codr_accept.h"
#include "ngx_http_codr_body.h"
#include "ngx_http_codr_json.h"
#include "ngx_http_codr_sse.h"
#include "ngx_http_codr_ticket.h"
#include "ngx_http_codr_ws.h"


/* Milliseconds, where the helper says nothing: what is full is not so for long,
   what is missing must be brought by somebody. */

#define NGX_HTTP_CODR_POST_BUSY     1000
#define NGX_HTTP_CODR_POST_MISSING  30000


typedef struct {
    ngx_http_request_t        *request;
    ngx_http_codr_job_t       *job;            /* NULL before and after */
    ngx_http_codr_json_t       streams[2];     /* raw bytes */
    ngx_http_codr_json_t       answer;
    ngx_uint_t                 status;         /* 0 until there is an answer */
    uint64_t                   retry_ms;
    ngx_http_codr_sse_t       *events;         /* NULL: in one piece */

    unsigned                   async:1;        /* answered before its end */
    unsigned                   stream:1;       /* events are wanted */
    unsigned                   begun:1;        /* the first one has come */
} ngx_http_codr_post_t;


typedef struct {
    codr_error_t               code;
    ngx_uint_t                 status;
} ngx_http_codr_post_status_t;


static ngx_uint_t ngx_http_codr_post_is_json(ngx_http_request_t *r);
static ngx_uint_t ngx_http_codr_post_is_plain(ngx_http_request_t *r);
static ngx_uint_t ngx_http_codr_post_events(ngx_http_request_t *r);
static ngx_int_t ngx_http_codr_post_stream(ngx_http_codr_post_t *post);
static void ngx_http_codr_post_event(ngx_http_codr_post_t *post,
    ngx_http_codr_answer_t *a);
static void ngx_http_codr_post_body(ngx_http_request_t *r);
static void ngx_http_codr_post_start(ngx_http_codr_post_t *post, json_t *body);
static void ngx_http_codr_post_cleanup(void *data);
static void ngx_http_codr_post_output(void *data, codr_output_t *output);
static void ngx_http_codr_post_answer(void *data, ngx_http_codr_answer_t *a);
static void ngx_http_codr_post_accepted(ngx_http_codr_post_t *post,
    ngx_http_codr_answer_t *a);
static void ngx_http_codr_post_result(ngx_http_codr_post_t *post,
    ngx_http_codr_answer_t *a);
static void ngx_http_codr_post_refusal(ngx_http_codr_post_t *post,
    ngx_http_codr_answer_t *a);
static ngx_uint_t ngx_http_codr_post_status(ngx_http_codr_answer_t *a);
static void ngx_http_codr_post_flush(void *data);
static ngx_int_t ngx_http_codr_post_send(ngx_http_codr_post_t *post);
static ngx_int_t ngx_http_codr_post_retry_after(ngx_http_codr_post_t *post);


static const ngx_http_codr_job_handler_t  ngx_http_codr_post_job = {
    ngx_http_codr_post_output,
    ngx_http_codr_post_answer,
    ngx_http_codr_post_flush
};


static const ngx_http_codr_post_status_t  ngx_http_codr_post_statuses[] = {
    { CODR_ERROR_BAD_MESSAGE,      NGX_HTTP_BAD_REQUEST },
    { CODR_ERROR_UNKNOWN_LANGUAGE, NGX_HTTP_BAD_REQUEST },
    { CODR_ERROR_CODE_TOO_LARGE,   NGX_HTTP_REQUEST_ENTITY_TOO_LARGE },
    { CODR_ERROR_UNAUTHORIZED,     NGX_HTTP_UNAUTHORIZED },
    { CODR_ERROR_REJECTED,         422 },
    { CODR_ERROR_COMPILE_ERROR,    NGX_HTTP_OK },
    { CODR_ERROR_COMPILE_LIMIT,    NGX_HTTP_OK },
    { CODR_ERROR_BUSY,             NGX_HTTP_SERVICE_UNAVAILABLE },
    { CODR_ERROR_RATE_LIMITED,     NGX_HTTP_TOO_MANY_REQUESTS },
    { CODR_ERROR_NOT_FOUND,        NGX_HTTP_NOT_FOUND },
    { CODR_ERROR_UNAVAILABLE,      NGX_HTTP_SERVICE_UNAVAILABLE },
    { CODR_ERROR_INTERNAL,         NGX_HTTP_INTERNAL_SERVER_ERROR },
};


ngx_int_t
ngx_http_codr_post_handler(ngx_http_request_t *r)
{
    ngx_int_t  rc;

    if (!ngx_http_codr_post_is_json(r)) {
        return ngx_http_codr_send_error(r, NGX_HTTP_UNSUPPORTED_MEDIA_TYPE,
                                        "bad_message",
                                        "Content-Type must be"
                                        " application/json");
    }

    if (!ngx_http_codr_post_is_plain(r)) {
        return ngx_http_codr_send_error(r, NGX_HTTP_UNSUPPORTED_MEDIA_TYPE,
                                        "bad_message",
                                        "Content-Encoding is not supported");
    }

    r->request_body_in_single_buf = 1;

    rc = ngx_http_read_client_request_body(r, ngx_http_codr_post_body);

    return (rc >= NGX_HTTP_SPECIAL_RESPONSE) ? rc : NGX_DONE;
}


static ngx_uint_t
ngx_http_codr_post_is_json(ngx_http_request_t *r)
{
    size_t      len;
    ngx_str_t  *type;

    static const char  json[] = "application/json";

    if (r->headers_in.content_type == NULL) {
        return 0;
    }

    type = &r->headers_in.content_type->value;
    len = sizeof(json) - 1;

    return type->len >= len
           && ngx_strncasecmp(type->data, (u_char *) json, len) == 0
           && (type->len == len || type->data[len] == ';'
               || type->data[len] == ' ');
}


/* nginx unpacks nothing, and what is packed is no JSON. */

static ngx_uint_t
ngx_http_codr_post_is_plain(ngx_http_request_t *r)
{
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    static const ngx_str_t  name = ngx_string("Content-Encoding");
    static const ngx_str_t  plain = ngx_string("identity");

    for (part = &r->headers_in.headers.part; part; part = part->next) {
        h = part->elts;

        for (i = 0; i < part->nelts; i++) {
            if (h[i].key.len == name.len
                && ngx_strncasecmp(h[i].key.data, name.data, name.len) == 0
                && (h[i].value.len != plain.len
                    || ngx_strncasecmp(h[i].value.data, plain.data, plain.len)
                       != 0))
            {
                return 0;
            }
        }
    }

    return 1;
}


/* Who would rather have events than all of it in one piece. */

static ngx_uint_t
ngx_http_codr_post_events(ngx_http_request_t *r)
{
    ngx_uint_t               i;
    ngx_list_part_t         *part;
    ngx_table_elt_t         *header;
    ngx_http_codr_accept_t   accept;

    ngx_http_codr_accept_init(&accept);

    for (part = &r->headers_in.headers.part; part; part = part->next) {
        header = part->elts;

        for (i = 0; i < part->nelts; i++) {

            if (header[i].key.len == sizeof("Accept") - 1
                && ngx_strncasecmp(header[i].key.data, (u_char *) "Accept", 6)
                   == 0)
            {
                ngx_http_codr_accept_read(&accept, header[i].value.data,
                                          header[i].value.len);
            }
        }
    }

    return ngx_http_codr_accept_events(&accept);
}


static void
ngx_http_codr_post_body(ngx_http_request_t *r)
{
    json_t                    *body;
    ngx_str_t                  text;
    ngx_http_cleanup_t        *cln;
    ngx_http_codr_post_t      *post;
    ngx_http_codr_loc_conf_t  *lcf;

    post = ngx_pcalloc(r->pool, sizeof(ngx_http_codr_post_t));
    cln = ngx_http_cleanup_add(r, 0);

    if (post == NULL || cln == NULL
        || ngx_http_codr_read_body(r, &text) != NGX_OK)
    {
        ngx_http_finalize_request(r, NGX_HTTP_INTERNAL_SERVER_ERROR);
        return;
    }

    cln->handler = ngx_http_codr_post_cleanup;
    cln->data = post;
    post->request = r;

    lcf = ngx_http_get_module_loc_conf(r, ngx_http_codr_module);
    post->async = (lcf->jobs.data != NULL) ? 1 : 0;
    post->stream = !post->async && ngx_http_codr_post_events(r);

    body = ngx_http_codr_parse(text.data, text.len);

    ngx_http_codr_post_start(post, body);

    json_decref(body);
    (void) ngx_pfree(r->pool, text.data);      /* declines small ones */

    if (post->status) {
        ngx_http_finalize_request(r, ngx_http_codr_post_send(post));
        return;
    }

    r->read_event_handler = ngx_http_test_reading;
    r->write_event_handler = ngx_http_request_empty_handler;
    r->connection->log->action = "running a program";

    if (r->connection->read->ready) {          /* it may have left already */
        ngx_post_event(r->connection->read, &ngx_posted_events);
    }
}


/* Starts the job, or leaves an answer. */

static void
ngx_http_codr_post_start(ngx_http_codr_post_t *post, json_t *body)
{
    ngx_int_t                 rc;
    ngx_http_request_t       *r;
    ngx_http_codr_answer_t    refusal;
    ngx_http_codr_execute_t   x;

    r = post->request;

    ngx_memzero(&x, sizeof(ngx_http_codr_execute_t));
    x.pool = r->pool;
    x.request = r;
    x.mcf = ngx_http_get_module_main_conf(r, ngx_http_codr_module);
    x.lcf = ngx_http_get_module_loc_conf(r, ngx_http_codr_module);
    x.async = post->async;
    x.watched = post->stream;
    x.message = body;

    ngx_http_codr_json_init(&post->streams[0], r->pool, 4096);
    ngx_http_codr_json_init(&post->streams[1], r->pool, 4096);

    if (!json_is_object(body)) {
        ngx_http_codr_answer_error(&refusal, CODR_ERROR_BAD_MESSAGE,
                                   "the body is no JSON object");

    } else if ((rc = ngx_http_codr_admit(r, r->pool, body, &x.who)) != NGX_OK) {
        ngx_http_codr_not_admitted(rc, &refusal);

    } else if (ngx_http_codr_execute_read(&x, &refusal) == NGX_OK
               && ngx_http_codr_job_start(&post->job, &x,
                                          &ngx_http_codr_post_job, post,
                                          r->connection->log, &refusal)
                  == NGX_OK)
    {
        if (!post->stream || ngx_http_codr_post_stream(post) == NGX_OK) {
            return;
        }

        ngx_http_codr_answer_error(&refusal, CODR_ERROR_INTERNAL,
                                   "out of memory");
    }

    ngx_http_codr_refused(r, &x, &refusal);
    ngx_http_codr_post_refusal(post, &refusal);
}


static ngx_int_t
ngx_http_codr_post_stream(ngx_http_codr_post_t *post)
{
    ngx_http_codr_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(post->request, ngx_http_codr_module);

    post->events = ngx_http_codr_sse_create(post->request, post->job);

    if (post->events == NULL) {
        ngx_http_codr_job_close(post->job);
        post->job = NULL;
        return NGX_ERROR;
    }

    ctx->session = post->events;

    return NGX_OK;
}


static void
ngx_http_codr_post_cleanup(void *data)
{
    ngx_http_codr_post_t  *post = data;

    if (post->job) {
        if (post->async) {                     /* nobody would know its name */
            ngx_http_codr_job_send(post->job, CODR_FRAME_STOP);
        }

        ngx_http_codr_record(post->request, post->job, NULL);
        ngx_http_codr_job_close(post->job);
        post->job = NULL;
    }
}


static void
ngx_http_codr_post_output(void *data, codr_output_t *output)
{
    ngx_http_codr_post_t  *post = data;

    if (post->events) {
        ngx_http_codr_sse_output(post->events, output);
        return;
    }

    ngx_http_codr_json_put(&post->streams[output->stream - 1], output->data,
                           output->length);
}


static void
ngx_http_codr_post_answer(void *data, ngx_http_codr_answer_t *a)
{
    ngx_http_codr_post_t  *post = data;

    ngx_http_codr_ctx_t  *ctx;

    if (a->type == CODR_FRAME_STARTED) {
        ctx = ngx_http_get_module_ctx(post->request, ngx_http_codr_module);
        ctx->jobs++;
    }

    if (a->type == CODR_FRAME_ACCEPTED && post->async) {
        ngx_http_codr_post_accepted(post, a);
        return;
    }

    if (post->events && (post->begun || !post->job->ended)) {
        post->begun = 1;
        ngx_http_codr_post_event(post, a);
        return;
    }

    if (!post->job->ended) {
        return;
    }

    post->events = NULL;                       /* nothing has been sent */

    if (a->type == CODR_FRAME_TAKEN) {
        ngx_http_codr_answer_error(a, CODR_ERROR_INTERNAL,
                                   "another client controls the job now");
    }

    if (a->type == CODR_FRAME_COMPLETE
        || ngx_http_codr_post_status(a) == NGX_HTTP_OK)
    {
        ngx_http_codr_post_result(post, a);

    } else {
        ngx_http_codr_post_refusal(post, a);
    }

    ngx_http_codr_record(post->request, post->job, a);

    post->job = NULL;
}


static void
ngx_http_codr_post_event(ngx_http_codr_post_t *post, ngx_http_codr_answer_t *a)
{
    ngx_http_codr_sse_answer(post->events, a);

    if (post->job->ended) {
        ngx_http_codr_record(post->request, post->job, a);
        post->job = NULL;
    }
}


/* The answer is given: the job goes on without the request. */

static void
ngx_http_codr_post_accepted(ngx_http_codr_post_t *post,
    ngx_http_codr_answer_t *a)
{
    u_char                    *p;
    ngx_str_t                  value;
    ngx_http_codr_json_t      *j;
    ngx_http_codr_loc_conf_t  *lcf;

    static ngx_str_t  location = ngx_string("Location");

    j = &post->answer;
    lcf = ngx_http_get_module_loc_conf(post->request, ngx_http_codr_module);

    ngx_http_codr_json_init(j, post->request->pool, 512);
    ngx_http_codr_json_open(j, NULL);
    ngx_http_codr_json_text(j, "job_id", &a->job_id);
    ngx_http_codr_json_text(j, "attach_token", &a->attach_token);
    ngx_http_codr_json_text(j, "view_token", &a->view_token);
    ngx_http_codr_json_close(j);

    value.len = lcf->jobs.len + 1 + a->job_id.len;
    value.data = ngx_pnalloc(post->request->pool, value.len);

    if (value.data) {
        p = ngx_cpymem(value.data, lcf->jobs.data, lcf->jobs.len);
        *p++ = '/';
        ngx_memcpy(p, a->job_id.data, a->job_id.len);
    }

    if (value.data == NULL
        || ngx_http_codr_header_out(post->request, &location, &value)
           != NGX_OK)
    {
        j->failed = 1;
    }

    post->status = NGX_HTTP_ACCEPTED;

    ngx_http_codr_async(post->job);
    post->job = NULL;
}


static void
ngx_http_codr_post_result(ngx_http_codr_post_t *post,
    ngx_http_codr_answer_t *a)
{
    ngx_str_t              text;
    ngx_uint_t             i;
    ngx_http_codr_json_t  *j, *stream;

    j = &post->answer;

    ngx_http_codr_json_init(j, post->request->pool, 4096);
    ngx_http_codr_json_open(j, NULL);

    if (a->type == CODR_FRAME_COMPLETE) {
        ngx_http_codr_json_complete(j, a, post->job);

    } else {
        ngx_http_codr_json_uncompiled(j, a, post->job);
    }

    for (i = 0; i < 2; i++) {
        stream = &post->streams[i];
        text.data = stream->start;
        text.len = stream->pos - stream->start;

        ngx_http_codr_json_text(j, i == 0 ? "stdout" : "stderr", &text);

        j->failed |= stream->failed;

        /* who does not read the answer need not keep it twice */

        (void) ngx_pfree(post->request->pool, stream->start);
    }

    ngx_http_codr_json_close(j);

    post->status = NGX_HTTP_OK;
}


static void
ngx_http_codr_post_refusal(ngx_http_codr_post_t *post,
    ngx_http_codr_answer_t *a)
{
    const char            *code;
    ngx_http_codr_json_t  *j;

    j = &post->answer;
    code = codr_error_name(a->code);

    post->status = ngx_http_codr_post_status(a);

    if (ngx_http_codr_has(a, LIMIT) && a->limit == CODR_LIMIT_STDIN) {
        post->status = NGX_HTTP_REQUEST_ENTITY_TOO_LARGE;
        code = codr_notice_name(CODR_NOTICE_INPUT_TOO_LARGE);
    }

    if (post->status == NGX_HTTP_TOO_MANY_REQUESTS
        || post->status == NGX_HTTP_SERVICE_UNAVAILABLE)
    {
        if (!ngx_http_codr_has(a, RETRY_MS)) {
            a->retry_ms = (a->code == CODR_ERROR_UNAVAILABLE)
                          ? NGX_HTTP_CODR_POST_MISSING
                          : NGX_HTTP_CODR_POST_BUSY;
            ngx_http_codr_answer_set(a, CODR_FIELD_RETRY_MS);
        }

        post->retry_ms = a->retry_ms;
    }

    ngx_http_codr_json_init(j, post->request->pool, 1024);
    ngx_http_codr_json_open(j, NULL);
    ngx_http_codr_json_name(j, "code", code ? code : "internal");
    ngx_http_codr_json_text(j, "detail", &a->message);
    ngx_http_codr_json_error(j, a, post->job);
    ngx_http_codr_json_close(j);
}


static ngx_uint_t
ngx_http_codr_post_status(ngx_http_codr_answer_t *a)
{
    ngx_uint_t  i, n;

    n = sizeof(ngx_http_codr_post_statuses)
        / sizeof(ngx_http_codr_post_statuses[0]);

    for (i = 0; i < n; i++) {
        if (ngx_http_codr_post_statuses[i].code == a->code) {
            return ngx_http_codr_post_statuses[i].status;
        }
    }

    return NGX_HTTP_INTERNAL_SERVER_ERROR;
}


static void
ngx_http_codr_post_flush(void *data)
{
    ngx_http_codr_post_t  *post = data;

    ngx_connection_t  *c;

    c = post->request->connection;

    if (post->events) {
        ngx_http_codr_sse_flush(post->events);
        ngx_http_run_posted_requests(c);
        return;
    }

    if (post->status == 0) {
        return;
    }

    ngx_http_finalize_request(post->request, ngx_http_codr_post_send(post));
    ngx_http_run_posted_requests(c);
}


static ngx_int_t
ngx_http_codr_post_send(ngx_http_codr_post_t *post)
{
    if (post->answer.failed
        || ngx_http_codr_post_retry_after(post) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_codr_send_json(post->request, post->status,
                                   post->answer.start,
                                   post->answer.pos - post->answer.start);
}


static ngx_int_t
ngx_http_codr_post_retry_after(ngx_http_codr_post_t *post)
{
    ngx_str_t  value;

    static ngx_str_t  name = ngx_string("Retry-After");

    if (post->retry_ms == 0) {
        return NGX_OK;
    }

    value.data = ngx_pnalloc(post->request->pool, NGX_INT64_LEN);
    if (value.data == NULL) {
        return NGX_ERROR;
    }

    value.len = ngx_sprintf(value.data, "%uL", (post->retry_ms + 999) / 1000)
                - value.data;

    return ngx_http_codr_header_out(post->request, &name, &value);
}
