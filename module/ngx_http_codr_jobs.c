
/*
 * The content handler of codr_jobs: what stands below its URI, and by which
 * method, says what is wanted.  Who asks is looked at before that, as for
 * codr_exec; a ticket is good for running a program and for nothing else here.
 * Runs in workers.
 */

#include "ngx_http_codr_jobs.h"
#include "ngx_http_codr_id.h"
#include "ngx_http_codr_ticket.h"


#define NGX_HTTP_CODR_JOBS_WAIT  60000         /* milliseconds, at most */
#define NGX_HTTP_CODR_JOBS_STOP  5000          /* for a job to end */


static ngx_uint_t ngx_http_codr_jobs_is(ngx_str_t *rest, const char *name);
static ngx_int_t ngx_http_codr_jobs_create(ngx_http_request_t *r);
static ngx_int_t ngx_http_codr_jobs_run(ngx_http_request_t *r);
static ngx_int_t ngx_http_codr_jobs_one(ngx_http_request_t *r,
    ngx_str_t *rest);
static ngx_int_t ngx_http_codr_jobs_get(ngx_http_codr_look_t *look);
static ngx_int_t ngx_http_codr_jobs_get_output(ngx_http_codr_look_t *look);
static ngx_int_t ngx_http_codr_jobs_delete(ngx_http_codr_look_t *look);
static ngx_int_t ngx_http_codr_jobs_deleted(ngx_http_codr_look_t *look);


/* What follows the URI of codr_jobs; NGX_DECLINED when this is not below it. */

static ngx_int_t
ngx_http_codr_jobs_rest(ngx_http_request_t *r, ngx_str_t *rest)
{
    ngx_http_codr_loc_conf_t  *lcf;

    lcf = ngx_http_get_module_loc_conf(r, ngx_http_codr_module);

    if (r->uri.len < lcf->jobs.len
        || ngx_strncmp(r->uri.data, lcf->jobs.data, lcf->jobs.len) != 0)
    {
        return NGX_DECLINED;
    }

    rest->data = r->uri.data + lcf->jobs.len;
    rest->len = r->uri.len - lcf->jobs.len;

    if (rest->len == 0) {
        return NGX_OK;
    }

    if (*rest->data != '/') {
        return NGX_DECLINED;
    }

    rest->data++;
    rest->len--;

    return NGX_OK;
}


ngx_int_t
ngx_http_codr_jobs_handler(ngx_http_request_t *r)
{
    ngx_int_t  rc;
    ngx_str_t  rest;

    if (r != r->main) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "codr: a subrequest cannot run programs");
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (r->method == NGX_HTTP_OPTIONS) {
        return ngx_http_codr_preflight(r, "GET, POST, DELETE, OPTIONS");
    }

    if (ngx_http_codr_origin_check(r) != NGX_OK) {
        return ngx_http_codr_send_error(r, NGX_HTTP_FORBIDDEN, "unauthorized",
                                        "this origin is not allowed");
    }

    if (ngx_http_codr_cors(r) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rc = ngx_http_codr_context(r);

    if (rc != NGX_OK) {
        return rc;
    }

    if (ngx_http_codr_jobs_rest(r, &rest) != NGX_OK) {
        return ngx_http_codr_look_none(r);
    }

    if (rest.len == 0) {
        return ngx_http_codr_jobs_run(r);
    }

    if (ngx_http_codr_jobs_is(&rest, "create")) {
        return ngx_http_codr_jobs_create(r);
    }

    return ngx_http_codr_jobs_one(r, &rest);
}


static ngx_uint_t
ngx_http_codr_jobs_is(ngx_str_t *rest, const char *name)
{
    return rest->len == ngx_strlen(name)
           && ngx_strncmp(rest->data, name, rest->len) == 0;
}


/* Anything but running a program needs a key: nothing else says whose jobs
   somebody may see. */

static ngx_int_t
ngx_http_codr_jobs_known(ngx_http_request_t *r)
{
    ngx_http_codr_ctx_t        *ctx;
    ngx_http_codr_main_conf_t  *mcf;

    ctx = ngx_http_get_module_ctx(r, ngx_http_codr_module);

    if (ctx->known) {
        return NGX_OK;
    }

    mcf = ngx_http_get_module_main_conf(r, ngx_http_codr_module);
    ngx_http_codr_count(mcf, NGX_HTTP_CODR_AUTH_FAILURES, 1);

    return ngx_http_codr_send_error(r, NGX_HTTP_UNAUTHORIZED, "unauthorized",
                                    "a valid key is needed");
}


static ngx_int_t
ngx_http_codr_jobs_create(ngx_http_request_t *r)
{
    ngx_int_t  rc;

    if (r->method != NGX_HTTP_POST) {
        return ngx_http_codr_send_not_allowed(r, "POST, OPTIONS", "use POST");
    }

    rc = ngx_http_codr_jobs_known(r);

    return (rc == NGX_OK) ? ngx_http_codr_ticket_handler(r) : rc;
}


static ngx_int_t
ngx_http_codr_jobs_run(ngx_http_request_t *r)
{
    if (r->method != NGX_HTTP_POST) {
        return ngx_http_codr_send_not_allowed(r, "POST, OPTIONS", "use POST");
    }

    return ngx_http_codr_post_handler(r);
}


/* ID or ID/output */

static ngx_int_t
ngx_http_codr_jobs_one(ngx_http_request_t *r, ngx_str_t *rest)
{
    u_char                 id[NGX_HTTP_CODR_NODE_ID];
    u_char                 digits[CODR_JOB_ID_LEN];
    ngx_int_t              rc;
    ngx_str_t              name, what;
    ngx_http_codr_look_t  *look;

    look = ngx_pcalloc(r->pool, sizeof(ngx_http_codr_look_t));
    if (look == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rc = ngx_http_codr_jobs_known(r);
    if (rc != NGX_OK) {
        return rc;
    }

    name.data = rest->data;
    name.len = ngx_min(rest->len, CODR_JOB_ID_LEN);

    if (rest->len >= NGX_HTTP_CODR_UUID_LEN
        && ngx_http_codr_id_digits(digits, rest->data,
                                       NGX_HTTP_CODR_UUID_LEN)
           == NGX_OK)
    {
        name.data = digits;
        what.data = rest->data + NGX_HTTP_CODR_UUID_LEN;

    } else {
        what.data = rest->data + name.len;
    }

    what.len = rest->data + rest->len - what.data;

    if (ngx_http_codr_id_bytes(id, name.data, name.len) != NGX_OK
        || (what.len && !ngx_http_codr_jobs_is(&what, "/output")))
    {
        return ngx_http_codr_look_none(r);
    }

    look->request = r;
    look->mcf = ngx_http_get_module_main_conf(r, ngx_http_codr_module);
    ngx_memcpy(look->id, name.data, CODR_JOB_ID_LEN);

    rc = ngx_http_codr_records_read(look->mcf, r->pool, look->id,
                                    &look->record);
    look->remote = (rc != NGX_OK && look->mcf->redis_conf != NULL);

    if (!look->remote
        && (rc != NGX_OK
            || !ngx_http_codr_look_owned(r, &look->record.owner,
                                         &look->record.key_id)))
    {
        return ngx_http_codr_look_none(r);
    }

    if (what.len) {
        return ngx_http_codr_jobs_get_output(look);
    }

    if (r->method & (NGX_HTTP_GET|NGX_HTTP_HEAD)) {
        return ngx_http_codr_jobs_get(look);
    }

    if (r->method == NGX_HTTP_DELETE) {
        return ngx_http_codr_jobs_delete(look);
    }

    return ngx_http_codr_send_not_allowed(r, "GET, DELETE, OPTIONS",
                                          "use GET or DELETE");
}


/* A number of the query: NGX_DECLINED when there is none. */

static ngx_int_t
ngx_http_codr_jobs_argument(ngx_http_request_t *r, const char *name,
    size_t point, ngx_int_t *ret)
{
    ngx_str_t  value;

    if (ngx_http_arg(r, (u_char *) name, ngx_strlen(name), &value) != NGX_OK) {
        return NGX_DECLINED;
    }

    *ret = point ? ngx_atofp(value.data, value.len, point)
                 : ngx_atoi(value.data, value.len);

    if (*ret == NGX_ERROR && point) {
        *ret = ngx_parse_time(&value, 0);      /* "30s" */
    }

    return (*ret == NGX_ERROR) ? NGX_ERROR : NGX_OK;
}


static ngx_int_t
ngx_http_codr_jobs_get(ngx_http_codr_look_t *look)
{
    ngx_int_t            wait;
    ngx_http_request_t  *r;

    r = look->request;
    wait = 0;

    if (ngx_http_codr_jobs_argument(r, "wait", 3, &wait) == NGX_ERROR) {
        return ngx_http_codr_send_error(r, NGX_HTTP_BAD_REQUEST, "bad_message",
                                        "\"wait\" is a number of seconds");
    }

    if (look->record.state < NGX_HTTP_CODR_RECORD_COMPLETED) {
        look->question.wait = ngx_min(wait, NGX_HTTP_CODR_JOBS_WAIT);
    }

    look->question.output = 1;
    look->question.size = NGX_HTTP_CODR_JOBS_STREAM;
    look->answer = ngx_http_codr_jobs_record;

    return look->remote ? ngx_http_codr_remote(look) : ngx_http_codr_look(look);
}


static ngx_int_t
ngx_http_codr_jobs_get_output(ngx_http_codr_look_t *look)
{
    ngx_int_t            offset;
    ngx_http_request_t  *r;

    r = look->request;
    offset = 0;

    if (!(r->method & (NGX_HTTP_GET|NGX_HTTP_HEAD))) {
        return ngx_http_codr_send_not_allowed(r, "GET, OPTIONS", "use GET");
    }

    if (ngx_http_codr_jobs_argument(r, "offset", 0, &offset) == NGX_ERROR) {
        return ngx_http_codr_send_error(r, NGX_HTTP_BAD_REQUEST, "bad_message",
                                        "\"offset\" is a number of bytes");
    }

    look->merged = 1;
    look->question.output = 1;
    look->question.offset = offset;
    look->question.size = NGX_HTTP_CODR_JOBS_OUTPUT;
    look->answer = ngx_http_codr_jobs_output;

    return look->remote ? ngx_http_codr_remote(look) : ngx_http_codr_look(look);
}


static ngx_int_t
ngx_http_codr_jobs_delete(ngx_http_codr_look_t *look)
{
    look->answer = ngx_http_codr_jobs_deleted;

    if (look->record.state >= NGX_HTTP_CODR_RECORD_COMPLETED) {
        look->known = 1;
        return ngx_http_codr_jobs_deleted(look);
    }

    look->deleting = 1;
    look->question.stop = 1;
    look->question.wait = NGX_HTTP_CODR_JOBS_STOP;

    return look->remote ? ngx_http_codr_remote(look) : ngx_http_codr_look(look);
}


static ngx_int_t
ngx_http_codr_jobs_deleted(ngx_http_codr_look_t *look)
{
    ngx_int_t            rc;
    ngx_http_request_t  *r;

    r = look->request;

    if (!look->known && !look->missing) {
        return ngx_http_codr_send_error(r, NGX_HTTP_SERVICE_UNAVAILABLE,
                                        "unavailable",
                                        "the helper does not answer");
    }

    rc = ngx_http_discard_request_body(r);
    if (rc != NGX_OK) {
        return rc;
    }

    r->headers_out.status = NGX_HTTP_NO_CONTENT;
    r->header_only = 1;

    return ngx_http_send_header(r);
}
