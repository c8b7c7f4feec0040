
/*
 * Which web pages may use a location.  A browser says in Origin on whose
 * behalf it asks; a request without it comes from no browser and is judged by
 * its credentials alone.  Origins are compared as scheme, host and port, never
 * as text that an attacker may extend.
 */

#include "ngx_http_codr_conf.h"


#define NGX_HTTP_CODR_CORS_MAX_AGE  "7200"


typedef enum {
    NGX_HTTP_CODR_ORIGIN_SAME = 0,
    NGX_HTTP_CODR_ORIGIN_ANY,
    NGX_HTTP_CODR_ORIGIN_NULL,
    NGX_HTTP_CODR_ORIGIN_URL
} ngx_http_codr_origin_kind_e;


typedef struct {
    ngx_str_t                    scheme;
    ngx_str_t                    host;         /* with a leading dot after a
                                                  wildcard */
    in_port_t                    port;         /* 0 = none of a known scheme */
} ngx_http_codr_url_t;


typedef struct {
    ngx_http_codr_origin_kind_e  kind;
    ngx_flag_t                   wildcard;
    ngx_http_codr_url_t          url;
} ngx_http_codr_origin_t;


typedef enum {
    NGX_HTTP_CODR_ALLOW_NONE = 0,              /* refused */
    NGX_HTTP_CODR_ALLOW_PLAIN,                 /* no CORS headers needed */
    NGX_HTTP_CODR_ALLOW_ANY,
    NGX_HTTP_CODR_ALLOW_NAMED
} ngx_http_codr_allow_e;


static ngx_int_t
ngx_http_codr_origin_equal(ngx_str_t *a, ngx_str_t *b)
{
    return a->len == b->len && ngx_strncasecmp(a->data, b->data, a->len) == 0;
}


static in_port_t
ngx_http_codr_origin_port(ngx_str_t *scheme)
{
    ngx_str_t  http = ngx_string("http");
    ngx_str_t  https = ngx_string("https");

    if (ngx_http_codr_origin_equal(scheme, &http)) {
        return 80;
    }

    return ngx_http_codr_origin_equal(scheme, &https) ? 443 : 0;
}


static ngx_int_t
ngx_http_codr_origin_chars(ngx_str_t *text, const char *others)
{
    u_char      c;
    ngx_uint_t  i;

    for (i = 0; i < text->len; i++) {
        c = text->data[i] | 0x20;

        if ((c >= 'a' && c <= 'z')
            || (text->data[i] >= '0' && text->data[i] <= '9')
            || (text->data[i] && ngx_strchr(others, text->data[i])))
        {
            continue;
        }

        return NGX_ERROR;
    }

    return text->len ? NGX_OK : NGX_ERROR;
}


/* HOST [":" PORT] between p and last, the port being standard without one. */

static ngx_int_t
ngx_http_codr_origin_authority(u_char *p, u_char *last, in_port_t standard,
    ngx_http_codr_url_t *url)
{
    u_char     *colon;
    ngx_int_t   port;

    colon = last;

    if (p < last && *p == '[') {
        while (colon > p && *(colon - 1) != ']') {
            colon--;
        }

        if (colon < last && *colon != ':') {
            return NGX_ERROR;
        }

        url->host.data = p;
        url->host.len = colon - p;

        if (url->host.len < 4 || strspn((char *) p + 1, "0123456789abcdefABCDEF"
                                        ":.") != url->host.len - 2)
        {
            return NGX_ERROR;
        }

    } else {
        colon = ngx_strlchr(p, last, ':');

        if (colon == NULL) {
            colon = last;
        }

        url->host.data = p;
        url->host.len = colon - p;

        if (ngx_http_codr_origin_chars(&url->host, "-._") != NGX_OK) {
            return NGX_ERROR;
        }
    }

    url->port = standard;

    if (colon == last) {
        return NGX_OK;
    }

    port = ngx_atoi(colon + 1, last - colon - 1);

    if (port < 1 || port > 65535) {
        return NGX_ERROR;
    }

    url->port = (in_port_t) port;

    return NGX_OK;
}


/* SCHEME "://" HOST [":" PORT], nothing more; the text ends in a NUL. */

static ngx_int_t
ngx_http_codr_origin_parse(ngx_str_t *text, ngx_http_codr_url_t *url)
{
    u_char  *p, *last;

    last = text->data + text->len;
    p = ngx_strlchr(text->data, last, ':');

    if (p == NULL || last - p < 3 || p[1] != '/' || p[2] != '/') {
        return NGX_ERROR;
    }

    url->scheme.data = text->data;
    url->scheme.len = p - text->data;

    if (ngx_http_codr_origin_chars(&url->scheme, "+-.") != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_http_codr_origin_authority(p + 3, last,
                                    ngx_http_codr_origin_port(&url->scheme),
                                    url);
}


static ngx_int_t
ngx_http_codr_origin_value(ngx_conf_t *cf, ngx_str_t *value,
    ngx_http_codr_origin_t *origin)
{
    u_char     *p, *star;
    ngx_str_t   text;

    static const struct {
        const char                   *name;
        ngx_http_codr_origin_kind_e   kind;
    } words[] = {
        { "same", NGX_HTTP_CODR_ORIGIN_SAME },
        { "any", NGX_HTTP_CODR_ORIGIN_ANY },
        { "null", NGX_HTTP_CODR_ORIGIN_NULL }
    };

    ngx_uint_t  i;

    ngx_memzero(origin, sizeof(ngx_http_codr_origin_t));

    for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (ngx_strcmp(value->data, words[i].name) == 0) {
            origin->kind = words[i].kind;
            return NGX_OK;
        }
    }

    origin->kind = NGX_HTTP_CODR_ORIGIN_URL;

    text.len = value->len;
    text.data = ngx_pnalloc(cf->pool, value->len + 1);
    if (text.data == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(text.data, value->data, value->len + 1);

    /* a star is parsed as if it were a label, then left out */

    star = (u_char *) ngx_strstr(text.data, "://*.");

    if (star) {
        star += 3;
        *star = 'x';
    }

    if (ngx_http_codr_origin_parse(&text, &origin->url) != NGX_OK
        || ngx_http_codr_origin_port(&origin->url.scheme) == 0)
    {
        return NGX_ERROR;               /* no browser has such pages */
    }

    if (star) {
        origin->wildcard = 1;
        origin->url.host.data++;
        origin->url.host.len--;

        p = origin->url.host.data;

        return (origin->url.host.len > 1 && p[1] != '.') ? NGX_OK : NGX_ERROR;
    }

    return NGX_OK;
}


char *
ngx_http_codr_origin(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_codr_loc_conf_t  *lcf = conf;

    ngx_str_t               *value;
    ngx_uint_t               i;
    ngx_http_codr_origin_t  *origin;

    if (lcf->origins != NGX_CONF_UNSET_PTR) {
        return "is duplicate";
    }

    lcf->origins = ngx_array_create(cf->pool, cf->args->nelts - 1,
                                    sizeof(ngx_http_codr_origin_t));
    if (lcf->origins == NULL) {
        return NGX_CONF_ERROR;
    }

    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {

        origin = ngx_array_push(lcf->origins);
        if (origin == NULL) {
            return NGX_CONF_ERROR;
        }

        if (ngx_http_codr_origin_value(cf, &value[i], origin) != NGX_OK) {
            return ngx_http_codr_conf_invalid(cf, i);
        }

        if (origin->kind == NGX_HTTP_CODR_ORIGIN_ANY && cf->args->nelts > 2) {
            return "has \"any\" beside others";
        }
    }

    return NGX_CONF_OK;
}


/* The one Origin header: NGX_DECLINED without any, NGX_ERROR with several. */

static ngx_int_t
ngx_http_codr_origin_header(ngx_http_request_t *r, ngx_str_t *value)
{
    ngx_int_t         rc;
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *header;

    rc = NGX_DECLINED;
    part = &r->headers_in.headers.part;
    header = part->elts;

    for (i = 0; /* void */ ; i++) {

        if (i >= part->nelts) {
            if (part->next == NULL) {
                return rc;
            }

            part = part->next;
            header = part->elts;
            i = 0;
        }

        if (header[i].key.len != sizeof("origin") - 1
            || ngx_strncmp(header[i].lowcase_key, "origin",
                           sizeof("origin") - 1)
               != 0)
        {
            continue;
        }

        if (rc == NGX_OK) {
            return NGX_ERROR;
        }

        *value = header[i].value;
        rc = NGX_OK;
    }
}


/* Is it the page's own server?  Behind a proxy that ends TLS the scheme is
   not known here: then the host must be the same, and its port as the
   origin's scheme implies it. */

static ngx_int_t
ngx_http_codr_origin_same(ngx_http_request_t *r, ngx_http_codr_url_t *url)
{
    ngx_str_t            *host;
    in_port_t             standard;
    ngx_http_codr_url_t   own;

    if (r->headers_in.host == NULL) {
        return 0;
    }

    standard = ngx_http_codr_origin_port(&url->scheme);

    if (standard == 0) {
        return 0;
    }

#if (NGX_HTTP_SSL)
    if (r->connection->ssl && standard != 443) {
        return 0;
    }
#endif

    host = &r->headers_in.host->value;

    if (ngx_http_codr_origin_authority(host->data, host->data + host->len,
                                       standard, &own)
        != NGX_OK)
    {
        return 0;
    }

    return own.port == url->port
           && ngx_http_codr_origin_equal(&own.host, &url->host);
}


static ngx_int_t
ngx_http_codr_origin_matches(ngx_http_codr_origin_t *origin,
    ngx_http_codr_url_t *url)
{
    ngx_str_t  tail;

    if (origin->url.port != url->port
        || !ngx_http_codr_origin_equal(&origin->url.scheme, &url->scheme))
    {
        return 0;
    }

    if (!origin->wildcard) {
        return ngx_http_codr_origin_equal(&origin->url.host, &url->host);
    }

    if (url->host.len <= origin->url.host.len) {
        return 0;
    }

    tail.len = origin->url.host.len;
    tail.data = url->host.data + url->host.len - tail.len;

    return ngx_http_codr_origin_equal(&origin->url.host, &tail);
}


static ngx_http_codr_allow_e
ngx_http_codr_origin_one(ngx_http_request_t *r, ngx_http_codr_origin_t *origin,
    ngx_http_codr_url_t *url)
{
    switch (origin->kind) {

    case NGX_HTTP_CODR_ORIGIN_ANY:
        return url ? NGX_HTTP_CODR_ALLOW_ANY : NGX_HTTP_CODR_ALLOW_NONE;

    case NGX_HTTP_CODR_ORIGIN_NULL:
        return url ? NGX_HTTP_CODR_ALLOW_NONE : NGX_HTTP_CODR_ALLOW_NAMED;

    case NGX_HTTP_CODR_ORIGIN_SAME:
        return (url && ngx_http_codr_origin_same(r, url))
               ? NGX_HTTP_CODR_ALLOW_PLAIN : NGX_HTTP_CODR_ALLOW_NONE;

    case NGX_HTTP_CODR_ORIGIN_URL:
        return (url && ngx_http_codr_origin_matches(origin, url))
               ? NGX_HTTP_CODR_ALLOW_NAMED : NGX_HTTP_CODR_ALLOW_NONE;
    }

    return NGX_HTTP_CODR_ALLOW_NONE;
}


static ngx_http_codr_allow_e
ngx_http_codr_origin_judge(ngx_http_request_t *r, ngx_str_t *value)
{
    ngx_int_t                  rc;
    ngx_uint_t                 i;
    ngx_http_codr_url_t        url, *parsed;
    ngx_http_codr_allow_e      allow, best;
    ngx_http_codr_origin_t     same, *origin;
    ngx_http_codr_loc_conf_t  *lcf;

    rc = ngx_http_codr_origin_header(r, value);

    if (rc == NGX_DECLINED) {
        return NGX_HTTP_CODR_ALLOW_PLAIN;
    }

    if (rc != NGX_OK) {
        return NGX_HTTP_CODR_ALLOW_NONE;
    }

    parsed = &url;

    if (value->len == sizeof("null") - 1
        && ngx_strncmp(value->data, "null", sizeof("null") - 1) == 0)
    {
        parsed = NULL;

    } else if (ngx_http_codr_origin_parse(value, &url) != NGX_OK) {
        return NGX_HTTP_CODR_ALLOW_NONE;
    }

    lcf = ngx_http_get_module_loc_conf(r, ngx_http_codr_module);

    if (lcf->origins == NULL) {
        ngx_memzero(&same, sizeof(ngx_http_codr_origin_t));
        return ngx_http_codr_origin_one(r, &same, parsed);
    }

    best = NGX_HTTP_CODR_ALLOW_NONE;
    origin = lcf->origins->elts;

    for (i = 0; i < lcf->origins->nelts; i++) {
        allow = ngx_http_codr_origin_one(r, &origin[i], parsed);
        best = ngx_max(best, allow);
    }

    return best;
}


ngx_int_t
ngx_http_codr_origin_check(ngx_http_request_t *r)
{
    ngx_str_t  value;

    return ngx_http_codr_origin_judge(r, &value) == NGX_HTTP_CODR_ALLOW_NONE
           ? NGX_HTTP_FORBIDDEN : NGX_OK;
}


static ngx_int_t
ngx_http_codr_cors_header(ngx_http_request_t *r, const char *name,
    const char *text, ngx_str_t *value)
{
    ngx_table_elt_t  *h;

    h = ngx_list_push(&r->headers_out.headers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    ngx_memzero(h, sizeof(ngx_table_elt_t));

    h->hash = 1;
    h->key.data = (u_char *) name;
    h->key.len = ngx_strlen(name);

    if (value) {
        h->value = *value;

    } else {
        h->value.data = (u_char *) text;
        h->value.len = ngx_strlen(text);
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_codr_cors(ngx_http_request_t *r)
{
    ngx_str_t              value;
    ngx_http_codr_allow_e  allow;

    allow = ngx_http_codr_origin_judge(r, &value);

    if (allow != NGX_HTTP_CODR_ALLOW_ANY && allow != NGX_HTTP_CODR_ALLOW_NAMED)
    {
        return NGX_OK;
    }

    /* pages of anybody get no use of the browser's own credentials */

    if (allow == NGX_HTTP_CODR_ALLOW_ANY) {
        if (ngx_http_codr_cors_header(r, "Access-Control-Allow-Origin", "*",
                                      NULL)
            != NGX_OK)
        {
            return NGX_ERROR;
        }

    } else if (ngx_http_codr_cors_header(r, "Access-Control-Allow-Origin",
                                         NULL, &value)
               != NGX_OK
               || ngx_http_codr_cors_header(r,
                                         "Access-Control-Allow-Credentials",
                                         "true", NULL)
                  != NGX_OK
               || ngx_http_codr_cors_header(r, "Vary", "Origin", NULL)
                  != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_codr_cors_header(r, "Access-Control-Expose-Headers",
                                     "Location, Retry-After, "
                                     "WWW-Authenticate, X-Codr-Next-Offset",
                                     NULL);
}


ngx_int_t
ngx_http_codr_preflight(ngx_http_request_t *r, const char *methods)
{
    ngx_int_t   rc;
    ngx_uint_t  i;

    const char  *headers[][2] = {
        { "Allow", methods },
        { "Access-Control-Allow-Methods", methods },
        { "Access-Control-Allow-Headers",
          "Accept, Authorization, Content-Type, X-API-Key, X-Executor-Token" },
        { "Access-Control-Max-Age", NGX_HTTP_CODR_CORS_MAX_AGE }
    };

    if (ngx_http_codr_origin_check(r) != NGX_OK) {
        return ngx_http_codr_send_error(r, NGX_HTTP_FORBIDDEN, "unauthorized",
                                        "this origin is not allowed");
    }

    rc = ngx_http_discard_request_body(r);
    if (rc != NGX_OK) {
        return rc;
    }

    if (ngx_http_codr_cors(r) != NGX_OK) {
        return NGX_ERROR;
    }

    for (i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
        if (ngx_http_codr_cors_header(r, headers[i][0], headers[i][1], NULL)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    r->headers_out.status = NGX_HTTP_NO_CONTENT;
    r->header_only = 1;

    return ngx_http_send_header(r);
}
