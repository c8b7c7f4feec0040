
/*
 * The content handler of codr_exec: who asks, from where, by which method;
 * then it is a WebSocket or a POST.  Nothing of a body or a frame is looked at
 * before all of that has passed.  Runs in workers.
 */

#include "ngx_http_codr_ws.h"


static ngx_int_t ngx_http_codr_get(ngx_http_request_t *r);


ngx_int_t
ngx_http_codr_handler(ngx_http_request_t *r)
{
    ngx_int_t  rc;

    if (r != r->main) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "codr: a subrequest cannot run programs");
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (r->method == NGX_HTTP_OPTIONS) {
        return ngx_http_codr_preflight(r, "GET, POST, OPTIONS");
    }

    if (ngx_http_codr_origin_check(r) != NGX_OK) {
        return ngx_http_codr_send_error(r, NGX_HTTP_FORBIDDEN, "unauthorized",
                                        "this origin is not allowed");
    }

    if (ngx_http_codr_cors(r) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (r->method != NGX_HTTP_GET && r->method != NGX_HTTP_POST) {
        return ngx_http_codr_send_not_allowed(r, "GET, POST, OPTIONS",
                                        "use POST, or GET for a WebSocket");
    }

    if (r->method == NGX_HTTP_GET) {
        rc = ngx_http_codr_get(r);

        if (rc != NGX_OK) {
            return rc;
        }
    }

    rc = ngx_http_codr_context(r);

    if (rc != NGX_OK) {
        return rc;
    }

    return (r->method == NGX_HTTP_POST) ? ngx_http_codr_post_handler(r)
                                        : ngx_http_codr_session_handler(r);
}


/* NGX_OK for a GET that may become a WebSocket; else the answer. */

static ngx_int_t
ngx_http_codr_get(ngx_http_request_t *r)
{
    ngx_uint_t  wanted;

    wanted = ngx_http_codr_upgrade_wanted(r);

    /* over HTTP/2 there is no Upgrade, so 426 would be wrong there */

    if (r->http_version > NGX_HTTP_VERSION_11
        || (wanted && r->http_version != NGX_HTTP_VERSION_11))
    {
        return ngx_http_codr_send_error(r, NGX_HTTP_VERSION_NOT_SUPPORTED,
                                        "bad_message",
                                        "the WebSocket needs HTTP/1.1");
    }

    if (!wanted) {
        return ngx_http_codr_upgrade_required(r);
    }

    if (ngx_exiting) {
        return ngx_http_codr_send_error(r, NGX_HTTP_SERVICE_UNAVAILABLE,
                                        "unavailable",
                                        "the server is restarting");
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_codr_context(ngx_http_request_t *r)
{
    ngx_http_codr_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_codr_module);

    if (ctx == NULL) {
        ctx = ngx_pcalloc(r->pool, sizeof(ngx_http_codr_ctx_t));
        if (ctx == NULL) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        ngx_http_set_ctx(r, ctx, ngx_http_codr_module);
    }

    if (ngx_http_codr_authenticate(r, ctx) != NGX_OK) {
        return ngx_http_codr_send_error(r, NGX_HTTP_UNAUTHORIZED,
                                        "unauthorized",
                                        "a valid key is needed");
    }

    if (ngx_http_codr_set_owner(r, ctx) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return NGX_OK;
}
