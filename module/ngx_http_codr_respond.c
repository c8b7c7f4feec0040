
/*
 * Answers of codr's own over HTTP: errors in the one JSON shape that
 * docs/protocol.md describes, and JSON that another file has made.
 */

#include "ngx_http_codr.h"

#include <jansson.h>


#define NGX_HTTP_CODR_RETRY_AFTER  "2"         /* seconds */


static const struct {
    ngx_uint_t   status;
    const char  *name;
    const char  *value;
} ngx_http_codr_status_headers[] = {
    { 401, "WWW-Authenticate", "Bearer" },
    { 429, "Retry-After", NGX_HTTP_CODR_RETRY_AFTER },
    { 503, "Retry-After", NGX_HTTP_CODR_RETRY_AFTER },
    { 0, NULL, NULL }
};


static ngx_int_t
ngx_http_codr_header_present(ngx_http_request_t *r, const char *name)
{
    size_t            len;
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *header;

    len = ngx_strlen(name);
    part = &r->headers_out.headers.part;
    header = part->elts;

    for (i = 0; /* void */ ; i++) {

        if (i >= part->nelts) {
            if (part->next == NULL) {
                return 0;
            }

            part = part->next;
            header = part->elts;
            i = 0;
        }

        if (header[i].hash && header[i].key.len == len
            && ngx_strncasecmp(header[i].key.data, (u_char *) name, len) == 0)
        {
            return 1;
        }
    }
}


static ngx_int_t
ngx_http_codr_header_add(ngx_http_request_t *r, const char *name,
    const char *value)
{
    ngx_table_elt_t  *h;

    if (ngx_http_codr_header_present(r, name)) {
        return NGX_OK;              /* the caller knew better */
    }

    h = ngx_list_push(&r->headers_out.headers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    ngx_memzero(h, sizeof(ngx_table_elt_t));

    h->hash = 1;
    h->key.data = (u_char *) name;
    h->key.len = ngx_strlen(name);
    h->value.data = (u_char *) value;
    h->value.len = ngx_strlen(value);

    return NGX_OK;
}


static ngx_int_t
ngx_http_codr_status_add(ngx_http_request_t *r, ngx_uint_t status)
{
    ngx_uint_t  i;

    r->headers_out.status = status;

    /* nginx has no words for it */

    if (status == 422) {
        ngx_str_set(&r->headers_out.status_line, "422 Unprocessable Entity");
    }

    for (i = 0; ngx_http_codr_status_headers[i].status; i++) {
        if (ngx_http_codr_status_headers[i].status == status
            && ngx_http_codr_header_add(r, ngx_http_codr_status_headers[i].name,
                                        ngx_http_codr_status_headers[i].value)
               != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    /* no answer of ours is true for longer than its moment */

    return ngx_http_codr_header_add(r, "Cache-Control", "no-store");
}


ngx_int_t
ngx_http_codr_send_json(ngx_http_request_t *r, ngx_uint_t status, u_char *data,
    size_t len)
{
    static ngx_str_t  type = ngx_string("application/json");

    return ngx_http_codr_send_body(r, status, &type, data, len);
}


ngx_int_t
ngx_http_codr_send_body(ngx_http_request_t *r, ngx_uint_t status,
    ngx_str_t *type, u_char *data, size_t len)
{
    ngx_int_t     rc;
    ngx_buf_t    *b;
    ngx_chain_t   out;

    rc = ngx_http_discard_request_body(r);
    if (rc != NGX_OK) {
        return rc;
    }

    if (ngx_http_codr_status_add(r, status) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    r->headers_out.content_type = *type;
    r->headers_out.content_type_len = type->len;
    r->headers_out.content_type_lowcase = NULL;
    r->headers_out.content_length_n = len;

    b = ngx_calloc_buf(r->pool);
    if (b == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    b->pos = data;
    b->last = data + len;
    b->memory = len ? 1 : 0;
    b->last_buf = (r == r->main) ? 1 : 0;
    b->last_in_chain = 1;

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    out.buf = b;
    out.next = NULL;

    return ngx_http_output_filter(r, &out);
}


ngx_int_t
ngx_http_codr_send_document(ngx_http_request_t *r, ngx_uint_t status,
    struct json_t *root)
{
    size_t   len;
    u_char  *data;

    len = root ? json_dumpb(root, NULL, 0, JSON_COMPACT) : 0;
    data = len ? ngx_pnalloc(r->pool, len) : NULL;

    if (data) {
        (void) json_dumpb(root, (char *) data, len, JSON_COMPACT);
    }

    json_decref(root);

    return data ? ngx_http_codr_send_json(r, status, data, len)
                : NGX_HTTP_INTERNAL_SERVER_ERROR;
}


ngx_int_t
ngx_http_codr_send_not_allowed(ngx_http_request_t *r, const char *methods,
    const char *message)
{
    if (ngx_http_codr_header_add(r, "Allow", methods) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_codr_send_error(r, NGX_HTTP_NOT_ALLOWED, "bad_message",
                                    message);
}


ngx_int_t
ngx_http_codr_send_error(ngx_http_request_t *r, ngx_uint_t status,
    const char *code, const char *message)
{
    size_t       len, escape;
    u_char      *p, *start, *text;
    ngx_int_t    rc;
    const char  *retry;

    text = (u_char *) message;
    len = ngx_strlen(message);
    escape = ngx_escape_json(NULL, text, len);

    retry = (status == NGX_HTTP_TOO_MANY_REQUESTS
             || status == NGX_HTTP_SERVICE_UNAVAILABLE)
            ? ",\"retry_after\":" NGX_HTTP_CODR_RETRY_AFTER : "";

    start = ngx_pnalloc(r->pool,
                        sizeof("{\"code\":\"\",\"message\":\"\","
                               "\"detail\":\"\"}")
                        + ngx_strlen(code) + 2 * (len + escape)
                        + ngx_strlen(retry));
    if (start == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    p = ngx_sprintf(start, "{\"code\":\"%s\",\"message\":\"", code);
    p = (u_char *) ngx_escape_json(p, text, len);
    p = ngx_sprintf(p, "\",\"detail\":\"");
    p = (u_char *) ngx_escape_json(p, text, len);
    p = ngx_sprintf(p, "\"%s}", retry);

    rc = ngx_http_codr_send_json(r, status, start, p - start);

    return (rc == NGX_OK) ? NGX_AGAIN : rc;
}
