
/*
 * JSON Web Tokens, RFC 7519, signed with HMAC-SHA-256 and with nothing else:
 * what a token says of its own algorithm is compared, never obeyed.
 */

#include "ngx_http_codr_ticket.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>


#define NGX_HTTP_CODR_JWT_DIGEST  32
#define NGX_HTTP_CODR_JWT_TEXT    43           /* of a digest, base64url */


static ngx_int_t ngx_http_codr_jwt_signature(const ngx_str_t *key,
    const u_char *text, size_t len, u_char *ret);
static json_t *ngx_http_codr_jwt_part(ngx_pool_t *pool, const u_char *p,
    size_t len);


ngx_int_t
ngx_http_codr_jwt_sign(ngx_pool_t *pool, const ngx_str_t *key,
    const u_char *payload, size_t len, ngx_str_t *ret)
{
    u_char     *p;
    ngx_str_t   src, dst;

    static ngx_str_t  header =
        ngx_string("{\"alg\":\"HS256\",\"typ\":\"JWT\"}");

    p = ngx_pnalloc(pool, ngx_base64_encoded_length(header.len) + 1
                          + ngx_base64_encoded_length(len) + 1
                          + NGX_HTTP_CODR_JWT_TEXT);
    if (p == NULL) {
        return NGX_ERROR;
    }

    ret->data = p;

    dst.data = p;
    ngx_encode_base64url(&dst, &header);
    p += dst.len;

    *p++ = '.';

    src.data = (u_char *) payload;
    src.len = len;
    dst.data = p;
    ngx_encode_base64url(&dst, &src);
    p += dst.len;

    if (ngx_http_codr_jwt_signature(key, ret->data, p - ret->data, p + 1)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    *p++ = '.';
    ret->len = p + NGX_HTTP_CODR_JWT_TEXT - ret->data;

    return NGX_OK;
}


/* As text: of a digest there are several, of which only one is right. */

static ngx_int_t
ngx_http_codr_jwt_signature(const ngx_str_t *key, const u_char *text,
    size_t len, u_char *ret)
{
    u_char        digest[EVP_MAX_MD_SIZE];
    ngx_str_t     src, dst;
    unsigned int  n;

    if (HMAC(EVP_sha256(), key->data, (int) key->len, text, len, digest, &n)
        == NULL || n != NGX_HTTP_CODR_JWT_DIGEST)
    {
        return NGX_ERROR;
    }

    src.data = digest;
    src.len = n;
    dst.data = ret;
    ngx_encode_base64url(&dst, &src);

    return NGX_OK;
}


json_t *
ngx_http_codr_jwt_verify(ngx_pool_t *pool, const ngx_str_t *key,
    const u_char *token, size_t len)
{
    u_char         expected[NGX_HTTP_CODR_JWT_TEXT];
    json_t        *header, *claims;
    const char    *alg;
    const u_char  *first, *second, *last;

    last = token + len;
    first = memchr(token, '.', len);

    if (len > NGX_HTTP_CODR_TOKEN_MAX || first == NULL) {
        return NULL;
    }

    second = memchr(first + 1, '.', last - first - 1);

    if (second == NULL || last - second - 1 != NGX_HTTP_CODR_JWT_TEXT
        || ngx_http_codr_jwt_signature(key, token, second - token, expected)
           != NGX_OK
        || CRYPTO_memcmp(expected, second + 1, NGX_HTTP_CODR_JWT_TEXT) != 0)
    {
        return NULL;
    }

    header = ngx_http_codr_jwt_part(pool, token, first - token);

    alg = json_string_value(json_object_get(header, "alg"));

    if (alg == NULL || ngx_strcmp(alg, "HS256") != 0
        || json_object_get(header, "crit"))
    {
        json_decref(header);
        return NULL;
    }

    json_decref(header);

    claims = ngx_http_codr_jwt_part(pool, first + 1, second - first - 1);

    if (!json_is_object(claims)) {
        json_decref(claims);
        return NULL;
    }

    return claims;
}


/* Only of text that is signed. */

static json_t *
ngx_http_codr_jwt_part(ngx_pool_t *pool, const u_char *p, size_t len)
{
    ngx_str_t  src, dst;

    src.data = (u_char *) p;
    src.len = len;

    dst.data = ngx_pnalloc(pool, ngx_base64_decoded_length(len));

    if (dst.data == NULL || ngx_decode_base64url(&dst, &src) != NGX_OK) {
        return NULL;
    }

    return json_loadb((const char *) dst.data, dst.len, JSON_REJECT_DUPLICATES,
                      NULL);
}
