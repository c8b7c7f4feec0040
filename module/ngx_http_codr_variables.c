
/*
 * Variables for logs, limits and maps.  Who it is can be asked before the
 * location's handler has run, so that limit_req may count by it; everything
 * else is what the handler has noted down.
 */

#include "ngx_http_codr_conf.h"


static ngx_int_t ngx_http_codr_variable_key_id(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_codr_variable_owner(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_codr_variable_trace(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_codr_variable_text(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_codr_variable_figure(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_codr_variable_memory(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_codr_variable_jobs(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_codr_variable_close_code(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);


#define ngx_http_codr_last(name, handler, field)                              \
    { ngx_string(name), NULL, handler,                                        \
      offsetof(ngx_http_codr_last_t, field), NGX_HTTP_VAR_NOCACHEABLE, 0 }

#define ngx_http_codr_own(name, handler)                                      \
    { ngx_string(name), NULL, handler, 0, NGX_HTTP_VAR_NOCACHEABLE, 0 }


static ngx_http_variable_t  ngx_http_codr_variables[] = {

    ngx_http_codr_own("codr_owner", ngx_http_codr_variable_owner),
    ngx_http_codr_own("codr_key_id", ngx_http_codr_variable_key_id),
    ngx_http_codr_own("codr_traceparent", ngx_http_codr_variable_trace),
    ngx_http_codr_own("codr_jobs", ngx_http_codr_variable_jobs),
    ngx_http_codr_own("codr_close_code", ngx_http_codr_variable_close_code),

    ngx_http_codr_last("codr_job_id", ngx_http_codr_variable_text, job_id),
    ngx_http_codr_last("codr_tag", ngx_http_codr_variable_text, tag),
    ngx_http_codr_last("codr_language", ngx_http_codr_variable_text, language),
    ngx_http_codr_last("codr_status", ngx_http_codr_variable_text, status),
    ngx_http_codr_last("codr_exit_status", ngx_http_codr_variable_text,
                       exit_status),
    ngx_http_codr_last("codr_path", ngx_http_codr_variable_text, path),
    ngx_http_codr_last("codr_code_sha256", ngx_http_codr_variable_text,
                       code_sha256),

    ngx_http_codr_last("codr_cpu_ms", ngx_http_codr_variable_figure, cpu_ms),
    ngx_http_codr_last("codr_wall_ms", ngx_http_codr_variable_figure, wall_ms),
    ngx_http_codr_last("codr_output_bytes", ngx_http_codr_variable_figure,
                       output_bytes),
    ngx_http_codr_last("codr_queue_ms", ngx_http_codr_variable_figure,
                       queue_ms),
    ngx_http_codr_last("codr_start_ms", ngx_http_codr_variable_figure,
                       start_ms),
    ngx_http_codr_last("codr_memory", ngx_http_codr_variable_memory, memory),

      ngx_http_null_variable
};


ngx_int_t
ngx_http_codr_add_variables(ngx_conf_t *cf)
{
    ngx_http_variable_t  *var, *v;

    for (v = ngx_http_codr_variables; v->name.len; v++) {
        var = ngx_http_add_variable(cf, &v->name, v->flags);
        if (var == NULL) {
            return NGX_ERROR;
        }

        var->get_handler = v->get_handler;
        var->data = v->data;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_codr_variable_set(ngx_http_variable_value_t *v, ngx_str_t *text)
{
    if (text == NULL || text->len == 0) {
        v->not_found = 1;
        return NGX_OK;
    }

    v->data = text->data;
    v->len = text->len;
    v->valid = 1;
    v->no_cacheable = 1;
    v->not_found = 0;

    return NGX_OK;
}


static ngx_int_t
ngx_http_codr_variable_number(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uint64_t n)
{
    u_char     *p;
    ngx_str_t   text;

    p = ngx_pnalloc(r->pool, NGX_INT64_LEN);
    if (p == NULL) {
        return NGX_ERROR;
    }

    text.data = p;
    text.len = ngx_sprintf(p, "%uL", n) - p;

    return ngx_http_codr_variable_set(v, &text);
}


static ngx_http_codr_ctx_t *
ngx_http_codr_variable_ctx(ngx_http_request_t *r)
{
    return ngx_http_get_module_ctx(r->main, ngx_http_codr_module);
}


/* As the handler has found it, else as it would. */

static ngx_int_t
ngx_http_codr_variable_find_key(ngx_http_request_t *r, ngx_str_t *id)
{
    ngx_int_t                  rc;
    ngx_http_codr_ctx_t       *ctx;
    ngx_http_codr_loc_conf_t  *lcf;

    ctx = ngx_http_codr_variable_ctx(r);
    ngx_str_null(id);

    if (ctx && ctx->key_id.len) {
        *id = ctx->key_id;
        return NGX_OK;
    }

    lcf = ngx_http_get_module_loc_conf(r->main, ngx_http_codr_module);

    if (lcf->auth & NGX_HTTP_CODR_AUTH_OFF) {
        return NGX_DECLINED;
    }

    rc = ngx_http_codr_key_id(r->main, lcf, id);

    if (rc != NGX_OK) {
        ngx_str_null(id);
    }

    return rc;
}


static ngx_int_t
ngx_http_codr_variable_key_id(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_str_t  id;

    (void) ngx_http_codr_variable_find_key(r, &id);   /* empty on failure */

    return ngx_http_codr_variable_set(v, &id);
}


static ngx_int_t
ngx_http_codr_variable_owner(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_str_t                  id, owner;
    ngx_http_codr_ctx_t       *ctx;
    ngx_http_codr_loc_conf_t  *lcf;

    ctx = ngx_http_codr_variable_ctx(r);

    if (ctx && ctx->owner.len) {
        return ngx_http_codr_variable_set(v, &ctx->owner);
    }

    lcf = ngx_http_get_module_loc_conf(r->main, ngx_http_codr_module);

    if (!lcf->exec) {
        return ngx_http_codr_variable_set(v, NULL);
    }

    (void) ngx_http_codr_variable_find_key(r, &id);

    if (ngx_http_codr_owner(r->main, lcf, &id, &owner) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_http_codr_variable_set(v, &owner);
}


static ngx_int_t
ngx_http_codr_variable_trace(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_str_t             trace;
    ngx_http_codr_ctx_t  *ctx;

    ctx = ngx_http_codr_variable_ctx(r);

    if (ctx && ctx->trace.len) {
        return ngx_http_codr_variable_set(v, &ctx->trace);
    }

    ngx_http_codr_traceparent(r->main, &trace);

    return ngx_http_codr_variable_set(v, &trace);
}


static ngx_int_t
ngx_http_codr_variable_jobs(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_http_codr_ctx_t  *ctx;

    ctx = ngx_http_codr_variable_ctx(r);

    return ctx ? ngx_http_codr_variable_number(r, v, ctx->jobs)
               : ngx_http_codr_variable_set(v, NULL);
}


static ngx_int_t
ngx_http_codr_variable_close_code(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_http_codr_ctx_t  *ctx;

    ctx = ngx_http_codr_variable_ctx(r);

    return (ctx && ctx->close_code)
           ? ngx_http_codr_variable_number(r, v, ctx->close_code)
           : ngx_http_codr_variable_set(v, NULL);
}


static ngx_int_t
ngx_http_codr_variable_text(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_http_codr_ctx_t  *ctx;

    ctx = ngx_http_codr_variable_ctx(r);

    return ngx_http_codr_variable_set(v,
               ctx ? (ngx_str_t *) ((u_char *) &ctx->last + data) : NULL);
}


static ngx_int_t
ngx_http_codr_variable_figure(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_http_codr_ctx_t  *ctx;

    ctx = ngx_http_codr_variable_ctx(r);

    if (ctx == NULL || !ctx->last.ended) {
        return ngx_http_codr_variable_set(v, NULL);
    }

    return ngx_http_codr_variable_number(r, v,
               *(uint64_t *) ((u_char *) &ctx->last + data));
}


static ngx_int_t
ngx_http_codr_variable_memory(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_http_codr_ctx_t  *ctx;

    ctx = ngx_http_codr_variable_ctx(r);

    if (ctx == NULL || ctx->last.memory == 0) {
        return ngx_http_codr_variable_set(v, NULL);
    }

    return ngx_http_codr_variable_figure(r, v, data);
}
