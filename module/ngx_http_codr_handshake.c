
/*
 * The opening handshake of RFC 6455, section 4.2, from a request that nginx
 * has parsed.  Of the offered subprotocols only our own is ever echoed: the
 * others may carry a key.  Runs in workers.
 */

#include "ngx_http_codr_ws.h"
#include "ngx_http_codr_offer.h"

#include <ngx_sha1.h>


#define NGX_HTTP_CODR_KEY_LEN     24           /* 16 bytes as base64 */
#define NGX_HTTP_CODR_ACCEPT_LEN  28           /* 20 bytes as base64 */


/* Goes through the headers of one name. */

typedef struct {
    ngx_str_t                 *name;
    ngx_list_part_t           *part;
    ngx_uint_t                 i;
} ngx_http_codr_headers_t;


static void ngx_http_codr_headers(ngx_http_codr_headers_t *headers,
    ngx_http_request_t *r, ngx_str_t *name);
static ngx_table_elt_t *ngx_http_codr_headers_next(
    ngx_http_codr_headers_t *headers);
static ngx_table_elt_t *ngx_http_codr_header_in(ngx_http_request_t *r,
    ngx_str_t *name, ngx_uint_t *count);
static ngx_uint_t ngx_http_codr_header_has(ngx_http_request_t *r,
    ngx_str_t *name, ngx_str_t *token);
static ngx_str_t *ngx_http_codr_header_first(ngx_http_request_t *r,
    ngx_str_t *name, ngx_str_t *tokens);
static ngx_str_t *ngx_http_codr_list_first(ngx_str_t *list,
    ngx_str_t *tokens);
static ngx_int_t ngx_http_codr_extend(ngx_http_request_t *r,
    ngx_http_codr_ctx_t *ctx);
static ngx_int_t ngx_http_codr_accept(ngx_http_request_t *r, ngx_str_t *key);


static ngx_str_t  ngx_http_codr_upgrade = ngx_string("Upgrade");
static ngx_str_t  ngx_http_codr_connection = ngx_string("Connection");
static ngx_str_t  ngx_http_codr_websocket = ngx_string("websocket");
static ngx_str_t  ngx_http_codr_version = ngx_string("Sec-WebSocket-Version");
static ngx_str_t  ngx_http_codr_thirteen = ngx_string("13");
static ngx_str_t  ngx_http_codr_key = ngx_string("Sec-WebSocket-Key");
static ngx_str_t  ngx_http_codr_accepted = ngx_string("Sec-WebSocket-Accept");
static ngx_str_t  ngx_http_codr_protocol = ngx_string("Sec-WebSocket-Protocol");
static ngx_str_t  ngx_http_codr_extensions =
    ngx_string("Sec-WebSocket-Extensions");

/* Those we speak; a client's order decides between them. */

static ngx_str_t  ngx_http_codr_protocols[] = {
    ngx_string("codr.v1"),
    ngx_string("codr.v1.bin"),
    ngx_null_string
};


ngx_uint_t
ngx_http_codr_upgrade_wanted(ngx_http_request_t *r)
{
    return ngx_http_codr_header_has(r, &ngx_http_codr_upgrade,
                                    &ngx_http_codr_websocket)
           && ngx_http_codr_header_has(r, &ngx_http_codr_connection,
                                       &ngx_http_codr_upgrade);
}


ngx_int_t
ngx_http_codr_handshake(ngx_http_request_t *r)
{
    ngx_str_t             bytes, *protocol;
    ngx_uint_t            keys, versions;
    u_char                decoded[NGX_HTTP_CODR_KEY_LEN];
    ngx_table_elt_t      *key, *version;
    ngx_http_codr_ctx_t  *ctx;

    if (r->headers_in.content_length_n > 0 || r->headers_in.chunked) {
        return ngx_http_codr_send_error(r, NGX_HTTP_BAD_REQUEST, "bad_message",
                                        "a handshake has no body");
    }

    version = ngx_http_codr_header_in(r, &ngx_http_codr_version, &versions);

    if (versions != 1 || version->value.len != ngx_http_codr_thirteen.len
        || ngx_strncmp(version->value.data, ngx_http_codr_thirteen.data,
                       ngx_http_codr_thirteen.len)
           != 0)
    {
        return ngx_http_codr_upgrade_required(r);
    }

    key = ngx_http_codr_header_in(r, &ngx_http_codr_key, &keys);

    bytes.data = decoded;

    if (keys != 1 || key->value.len != NGX_HTTP_CODR_KEY_LEN
        || ngx_decode_base64(&bytes, &key->value) != NGX_OK
        || bytes.len != 16)
    {
        return ngx_http_codr_send_error(r, NGX_HTTP_BAD_REQUEST, "bad_message",
                                  "Sec-WebSocket-Key must be 16 bytes, once");
    }

    protocol = ngx_http_codr_header_first(r, &ngx_http_codr_protocol,
                                          ngx_http_codr_protocols);

    if (protocol
        && ngx_http_codr_header_out(r, &ngx_http_codr_protocol, protocol)
           != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ctx = ngx_http_get_module_ctx(r, ngx_http_codr_module);
    ctx->binary = (protocol == &ngx_http_codr_protocols[1]);

    if (ngx_http_codr_extend(r, ctx) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_codr_accept(r, &key->value);
}


/* What is not taken is not answered: the socket stands without it. */

static ngx_int_t
ngx_http_codr_extend(ngx_http_request_t *r, ngx_http_codr_ctx_t *ctx)
{
    u_char                    *p;
    ngx_str_t                  value;
    ngx_table_elt_t           *header;
    ngx_http_codr_offer_t      offer;
    ngx_http_codr_headers_t    headers;
    ngx_http_codr_loc_conf_t  *lcf;

    static const char  text[] = "permessage-deflate"
                                "; server_no_context_takeover"
                                "; client_no_context_takeover";
    static const char  named[] = "; server_max_window_bits=";

    lcf = ngx_http_get_module_loc_conf(r, ngx_http_codr_module);

    if (!lcf->deflate) {
        return NGX_OK;
    }

    ngx_http_codr_headers(&headers, r, &ngx_http_codr_extensions);

    do {
        header = ngx_http_codr_headers_next(&headers);

        if (header == NULL) {
            return NGX_OK;
        }

    } while (ngx_http_codr_offer_read(header->value.data, header->value.len,
                                      &offer)
             != 0);

    p = ngx_pnalloc(r->pool, sizeof(text) + sizeof(named) + NGX_INT_T_LEN);
    if (p == NULL) {
        return NGX_ERROR;
    }

    value.data = p;
    p = ngx_cpymem(p, text, sizeof(text) - 1);

    if (offer.named) {
        p = ngx_sprintf(p, "%s%ui", named, (ngx_uint_t) offer.bits);
    }

    value.len = p - value.data;
    ctx->deflate = offer.bits;

    return ngx_http_codr_header_out(r, &ngx_http_codr_extensions, &value);
}


static ngx_int_t
ngx_http_codr_accept(ngx_http_request_t *r, ngx_str_t *key)
{
    u_char      digest[20];
    ngx_str_t   src, dst;
    ngx_sha1_t  sha1;

    ngx_sha1_init(&sha1);
    ngx_sha1_update(&sha1, key->data, key->len);
    ngx_sha1_update(&sha1, "258EAFA5-E914-47DA-95CA-C5AB0DC85B11", 36);
    ngx_sha1_final(digest, &sha1);

    src.data = digest;
    src.len = sizeof(digest);

    dst.data = ngx_pnalloc(r->pool, NGX_HTTP_CODR_ACCEPT_LEN);
    if (dst.data == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_encode_base64(&dst, &src);

    /* "Connection: upgrade" is nginx's own doing */

    if (ngx_http_codr_header_out(r, &ngx_http_codr_upgrade,
                                 &ngx_http_codr_websocket)
        != NGX_OK
        || ngx_http_codr_header_out(r, &ngx_http_codr_accepted, &dst)
           != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    r->headers_out.status = NGX_HTTP_SWITCHING_PROTOCOLS;
    ngx_str_set(&r->headers_out.status_line, "101 Switching Protocols");

    return NGX_OK;
}


ngx_int_t
ngx_http_codr_upgrade_required(ngx_http_request_t *r)
{
    if (ngx_http_codr_header_out(r, &ngx_http_codr_upgrade,
                                 &ngx_http_codr_websocket)
        != NGX_OK
        || ngx_http_codr_header_out(r, &ngx_http_codr_version,
                                    &ngx_http_codr_thirteen)
           != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    /* nginx has no words for this one */

    ngx_str_set(&r->headers_out.status_line, "426 Upgrade Required");

    return ngx_http_codr_send_error(r, 426, "bad_message",
                                    "this is a WebSocket, and takes POST");
}


static void
ngx_http_codr_headers(ngx_http_codr_headers_t *headers, ngx_http_request_t *r,
    ngx_str_t *name)
{
    headers->name = name;
    headers->part = &r->headers_in.headers.part;
    headers->i = 0;
}


static ngx_table_elt_t *
ngx_http_codr_headers_next(ngx_http_codr_headers_t *headers)
{
    ngx_str_t        *name;
    ngx_table_elt_t  *header;

    name = headers->name;

    for ( /* void */ ; headers->part; headers->part = headers->part->next) {

        while (headers->i < headers->part->nelts) {
            header = headers->part->elts;
            header += headers->i++;

            if (header->key.len == name->len
                && ngx_strncasecmp(header->key.data, name->data, name->len)
                   == 0)
            {
                return header;
            }
        }

        headers->i = 0;
    }

    return NULL;
}


/* The first header of this name, and how many there are. */

static ngx_table_elt_t *
ngx_http_codr_header_in(ngx_http_request_t *r, ngx_str_t *name,
    ngx_uint_t *count)
{
    ngx_table_elt_t          *header, *found;
    ngx_http_codr_headers_t   headers;

    found = NULL;
    *count = 0;

    ngx_http_codr_headers(&headers, r, name);

    while ((header = ngx_http_codr_headers_next(&headers)) != NULL) {

        if ((*count)++ == 0) {
            found = header;
        }
    }

    return found;
}


/* Whether the lists of all headers of this name have the token, any case. */

static ngx_uint_t
ngx_http_codr_header_has(ngx_http_request_t *r, ngx_str_t *name,
    ngx_str_t *token)
{
    ngx_str_t  tokens[2];

    tokens[0] = *token;
    ngx_str_null(&tokens[1]);

    return ngx_http_codr_header_first(r, name, tokens) != NULL;
}


/* The first item of these lists that is one of the tokens, any case; the last
   token is empty. */

static ngx_str_t *
ngx_http_codr_header_first(ngx_http_request_t *r, ngx_str_t *name,
    ngx_str_t *tokens)
{
    ngx_str_t                *token;
    ngx_table_elt_t          *header;
    ngx_http_codr_headers_t   headers;

    ngx_http_codr_headers(&headers, r, name);

    while ((header = ngx_http_codr_headers_next(&headers)) != NULL) {
        token = ngx_http_codr_list_first(&header->value, tokens);

        if (token) {
            return token;
        }
    }

    return NULL;
}


static ngx_str_t *
ngx_http_codr_list_first(ngx_str_t *list, ngx_str_t *tokens)
{
    u_char     *p, *last, *start;
    ngx_str_t  *token;

    p = list->data;
    last = p + list->len;

    while (p < last) {

        while (p < last && (*p == ' ' || *p == '\t' || *p == ',')) {
            p++;
        }

        start = p;

        while (p < last && *p != ' ' && *p != '\t' && *p != ',') {
            p++;
        }

        for (token = tokens; token->len; token++) {
            if ((size_t) (p - start) == token->len
                && ngx_strncasecmp(start, token->data, token->len) == 0)
            {
                return token;
            }
        }
    }

    return NULL;
}


ngx_int_t
ngx_http_codr_header_out(ngx_http_request_t *r, ngx_str_t *name,
    ngx_str_t *value)
{
    ngx_table_elt_t  *h;

    h = ngx_list_push(&r->headers_out.headers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    h->hash = 1;
    h->key = *name;
    h->value = *value;
#if (nginx_version >= 1023000)
    h->next = NULL;
#endif

    return NGX_OK;
}
