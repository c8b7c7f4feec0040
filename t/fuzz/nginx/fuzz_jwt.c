/*
 * Tickets.  The first byte says which: a whole token, which must be refused,
 * as nobody without the key can have made it; a payload, which must come back
 * from what is signed; or the parts of a token that has the right signature.
 */

#include "host.h"

#include "../../../module/ngx_http_codr_jwt.c"

static const ngx_str_t  key = ngx_string("a key that is not guessed");


static void
forged(host_t *host, const uint8_t *data, size_t size)
{
    must(ngx_http_codr_jwt_verify(host->pool, &key, data, size) == NULL);
}


static void
signed_by_us(host_t *host, const uint8_t *data, size_t size)
{
    json_t     *claims, *meant;
    ngx_str_t   token;

    must(ngx_http_codr_jwt_sign(host->pool, &key, data, size, &token)
         == NGX_OK);

    meant = json_loadb((const char *) data, size, JSON_REJECT_DUPLICATES,
                       NULL);
    claims = ngx_http_codr_jwt_verify(host->pool, &key, token.data,
                                      token.len);

    if (token.len > NGX_HTTP_CODR_TOKEN_MAX || !json_is_object(meant)) {
        must(claims == NULL);
    } else {
        must(json_equal(claims, meant));
    }

    json_decref(claims);
    json_decref(meant);

    if (token.len > 0) {
        token.data[token.len / 2] ^= 1;
        forged(host, token.data, token.len);
    }
}


/* "header.payload" of anybody's choice. */
static void
signed_whole(host_t *host, const uint8_t *data, size_t size)
{
    u_char  *token = malloc(size + 1 + NGX_HTTP_CODR_JWT_TEXT);

    must(token != NULL);
    memcpy(token, data, size);
    token[size] = '.';
    must(ngx_http_codr_jwt_signature(&key, token, size, token + size + 1)
         == NGX_OK);

    json_decref(ngx_http_codr_jwt_verify(host->pool, &key, token,
                                         size + 1 + NGX_HTTP_CODR_JWT_TEXT));
    free(token);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    host_t  host;

    host_begin(&host);

    switch (fuzz_byte(&data, &size) % 3) {

    case 0:
        forged(&host, data, size);
        break;

    case 1:
        signed_by_us(&host, data, size);
        break;

    default:
        signed_whole(&host, data, size);
    }

    host_end(&host);

    return 0;
}
