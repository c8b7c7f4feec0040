
/*
 * The content handler of codr_jobs: what stands below its URI, and by which
 * method, says what is wanted.  Who asks is looked at before that, as for
 * codr_exec; a ticket is good for running a program and for nothing else here.
 * Runs in workers.
 */

#include "ngx_http_codr.h"
#include "ngx_http_codr_ticket.h"


static ngx_int_t ngx_http_codr_jobs_create(ngx_http_request_t *r);


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

    static ngx_str_t  create = ngx_string("create");

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

    if (ngx_http_codr_jobs_rest(r, &rest) == NGX_OK
        && rest.len == create.len
        && ngx_strncmp(rest.data, create.data, create.len) == 0)
    {
        return ngx_http_codr_jobs_create(r);
    }

    return ngx_http_codr_send_error(r, NGX_HTTP_NOT_FOUND, "not_found",
                                    "there is nothing here");
}


static ngx_int_t
ngx_http_codr_jobs_create(ngx_http_request_t *r)
{
    ngx_http_codr_ctx_t  *ctx;

    if (r->method != NGX_HTTP_POST) {
        return ngx_http_codr_send_not_allowed(r, "POST, OPTIONS",
                                              "use POST");
    }

    ctx = ngx_http_get_module_ctx(r, ngx_http_codr_module);

    if (!ctx->known) {
        return ngx_http_codr_send_error(r, NGX_HTTP_UNAUTHORIZED,
                                        "unauthorized",
                                        "a valid key is needed");
    }

    return ngx_http_codr_ticket_handler(r);
}
