/*
 * Headers of a request, a line each: what they say of traces, origins, keys
 * and WebSockets is taken as it is meant, or not at all.  A line "?:" is the
 * query.
 */

#include "host.h"

#include "../../../module/ngx_http_codr_conf.h"
#include "../../../module/ngx_http_codr_ws.h"

static ngx_uint_t  refused;


ngx_int_t
ngx_http_codr_send_error(ngx_http_request_t *r, ngx_uint_t status,
    const char *code, const char *message)
{
    (void) r;

    must(status >= 400 && status < 600 && code != NULL && message != NULL);
    refused = status;

    return NGX_ERROR;
}


static int
is_named(const ngx_table_elt_t *h, const char *name)
{
    return h->key.len == strlen(name)
           && memcmp(h->lowcase_key, name, h->key.len) == 0;
}


static void
add_lines(host_t *host, const uint8_t *data, size_t size)
{
    ngx_uint_t       i;
    const uint8_t   *p, *end, *colon;
    ngx_list_part_t *part = &host->request.headers_in.headers.part;

    for (p = data; p < data + size; p = end + 1) {
        end = memchr(p, '\n', (size_t) (data + size - p));
        end = end ? end : data + size;
        colon = memchr(p, ':', (size_t) (end - p));

        if (colon && colon > p) {
            host_header(host, p, (size_t) (colon - p), colon + 1,
                        (size_t) (end - colon - 1));
        }
    }

    for (i = 0; i < part->nelts; i++) {
        ngx_table_elt_t *h = &((ngx_table_elt_t *) part->elts)[i];

        if (is_named(h, "host")) {
            host->request.headers_in.host = h;

        } else if (is_named(h, "authorization")) {
            host->request.headers_in.authorization = h;

        } else if (is_named(h, "?")) {
            host->request.args = h->value;
        }
    }
}


static void
look_at_trace(host_t *host)
{
    size_t     i;
    ngx_str_t  trace;

    ngx_http_codr_traceparent(&host->request, &trace);
    must(trace.len == 0 || (trace.len >= 55
                            && trace.len <= NGX_HTTP_CODR_TRACE_MAX));

    for (i = 0; i < ngx_min(trace.len, 55); i++) {
        must(memchr("0123456789abcdef-", trace.data[i], 17) != NULL);
    }
}


/* Host and port of "scheme://host:port", from where they are. */
static ngx_str_t
host_of(const ngx_str_t *origin)
{
    size_t     i, at = 0;
    ngx_str_t  host = { 0, origin->data };

    for (i = 0; i + 2 < origin->len && at == 0; i++) {
        at = memcmp(origin->data + i, "://", 3) == 0 ? i + 3 : 0;
    }

    host.data += at;
    while (at + host.len < origin->len && host.data[host.len] != ':') {
        host.len++;
    }

    return host;
}


static int
ends_in(const ngx_str_t *text, const char *end)
{
    size_t  len = strlen(end);

    return text->len >= len
           && ngx_strncasecmp(text->data + text->len - len, (u_char *) end,
                              len) == 0;
}


/* Only what the list names gets in, however it is spelled. */
static void
look_at_origin(host_t *host)
{
    ngx_str_t   words[] = {
        ngx_string("codr_origins"), ngx_string("https://*.example.org"),
        ngx_string("http://a.example:8080")
    };
    ngx_str_t    page;
    ngx_uint_t   i;
    ngx_conf_t   cf;
    ngx_list_part_t *part = &host->request.headers_in.headers.part;

    (void) ngx_http_codr_origin_check(&host->request);

    memset(&cf, 0, sizeof(cf));
    cf.pool = host->pool;
    cf.log = &host->log;
    cf.args = ngx_array_create(host->pool, 3, sizeof(ngx_str_t));
    must(cf.args != NULL);
    memcpy(ngx_array_push_n(cf.args, 3), words, sizeof(words));
    host->lcf.origins = NGX_CONF_UNSET_PTR;
    must(ngx_http_codr_origin(&cf, NULL, &host->lcf) == NGX_CONF_OK);

    if (ngx_http_codr_origin_check(&host->request) != NGX_OK) {
        return;
    }

    for (i = 0; i < part->nelts; i++) {
        ngx_table_elt_t *h = &((ngx_table_elt_t *) part->elts)[i];

        if (is_named(h, "origin")) {
            page = host_of(&h->value);
            must(ends_in(&page, ".example.org")
                 || (page.len == 9 && ends_in(&page, "a.example")));
        }
    }
}


static void
look_at_handshake(host_t *host)
{
    ngx_int_t  rc;

    refused = 0;
    host->lcf.deflate = 1;
    rc = ngx_http_codr_handshake(&host->request);
    must((rc == NGX_OK) == (refused == 0));
    must(rc != NGX_OK || host->request.headers_out.status == 101);
    must(rc != NGX_OK || host->request.headers_out.headers.part.nelts >= 2);
    must(host->own.deflate == 0
         || (host->own.deflate >= 8 && host->own.deflate <= 15));
}


/* The digest of "secret". */
static const u_char  secret[32] = {
    0x2b, 0xb8, 0x0d, 0x53, 0x7b, 0x1d, 0xa3, 0xe3, 0x8b, 0xd3, 0x03, 0x61,
    0xaa, 0x85, 0x56, 0x86, 0xbd, 0xe0, 0xea, 0xcd, 0x71, 0x62, 0xfe, 0xf6,
    0xa2, 0x5f, 0xe9, 0x7b, 0xf5, 0x27, 0xa2, 0x5b
};


static int
holds(const uint8_t *data, size_t size, const char *text)
{
    return memmem(data, size, text, strlen(text)) != NULL;
}


static void
look_at_key(host_t *host, const uint8_t *data, size_t size)
{
    ngx_str_t              id;
    ngx_int_t              rc;
    ngx_http_codr_key_t   *key;
    ngx_http_codr_keys_t   keys;

    memset(&keys, 0, sizeof(keys));
    must(ngx_array_init(&keys.keys, host->pool, 1, sizeof(*key)) == NGX_OK);
    key = ngx_array_push(&keys.keys);
    memset(key, 0, sizeof(*key));
    memcpy(key->digest, secret, sizeof(secret));
    ngx_str_set(&key->id, "me");

    host->lcf.keys = &keys;
    host->lcf.auth = NGX_HTTP_CODR_AUTH_KEY;
    rc = ngx_http_codr_key_id(&host->request, &host->lcf, &id);

    /* nobody is let in who did not show it, plain or as base64url */
    must(rc != NGX_OK || holds(data, size, "secret")
         || holds(data, size, "c2VjcmV0"));
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    host_t  host;

    host_begin(&host);
    add_lines(&host, data, size);

    look_at_origin(&host);
    (void) ngx_http_codr_upgrade_wanted(&host.request);
    look_at_trace(&host);
    look_at_handshake(&host);
    look_at_key(&host, data, size);

    host_end(&host);

    return 0;
}
