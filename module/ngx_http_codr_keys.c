
/*
 * Who asks: the key that a request carries, and whose job it is going to be.
 * Runs in a worker.  A key is never stored, never logged, and compared as a
 * digest in constant time; one that is unknown and one that is disabled look
 * the same.
 */

#include "ngx_http_codr_conf.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>


#define NGX_HTTP_CODR_KEY_MAX       512


/* The name is in lower case. */

static ngx_table_elt_t *
ngx_http_codr_key_header(ngx_http_request_t *r, const char *name)
{
    size_t            len;
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *header;

    len = ngx_strlen(name);
    part = &r->headers_in.headers.part;
    header = part->elts;

    for (i = 0; /* void */ ; i++) {

        if (i >= part->nelts) {
            if (part->next == NULL) {
                return NULL;
            }

            part = part->next;
            header = part->elts;
            i = 0;
        }

        if (header[i].key.len == len
            && ngx_strncmp(header[i].lowcase_key, name, len) == 0)
        {
            return &header[i];
        }
    }
}


/* The first codr.key.BASE64URL of a list; word is the last part of it. */

static ngx_int_t
ngx_http_codr_key_word(ngx_str_t *list, ngx_str_t *word)
{
    u_char  *p, *last, *start;

    p = list->data;
    last = p + list->len;

    for ( ;; ) {

        while (p < last && (*p == ' ' || *p == '\t' || *p == ',')) {
            p++;
        }

        if (p == last) {
            return NGX_DECLINED;
        }

        start = p;

        while (p < last && *p != ' ' && *p != '\t' && *p != ',') {
            p++;
        }

        if ((size_t) (p - start) >= sizeof("codr.key.") - 1
            && ngx_strncmp(start, "codr.key.", sizeof("codr.key.") - 1) == 0)
        {
            word->data = start + sizeof("codr.key.") - 1;
            word->len = p - word->data;

            return NGX_OK;
        }
    }
}


/* What browsers can send: a key among the subprotocols, which are one list on
   any number of lines. */

static ngx_int_t
ngx_http_codr_key_protocol(ngx_http_request_t *r, ngx_str_t *key)
{
    ngx_str_t         word;
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *header;

    static ngx_str_t  name = ngx_string("sec-websocket-protocol");

    for (part = &r->headers_in.headers.part; part; part = part->next) {
        header = part->elts;

        for (i = 0; i < part->nelts; i++) {

            if (header[i].key.len != name.len
                || ngx_strncmp(header[i].lowcase_key, name.data, name.len) != 0
                || ngx_http_codr_key_word(&header[i].value, &word) != NGX_OK)
            {
                continue;
            }

            key->len = 0;
            key->data = ngx_pnalloc(r->pool,
                                    ngx_base64_decoded_length(word.len));

            return (key->data && ngx_decode_base64url(key, &word) == NGX_OK)
                   ? NGX_OK : NGX_ERROR;
        }
    }

    return NGX_DECLINED;
}


/* The key that a request presents: NGX_DECLINED when there is none. */

static ngx_int_t
ngx_http_codr_key_presented(ngx_http_request_t *r, ngx_str_t *key)
{
    ngx_uint_t        i;
    ngx_table_elt_t  *header;

    static const char  *names[] = { "x-api-key", "x-executor-token", NULL };

    header = r->headers_in.authorization;

    if (header && header->value.len >= sizeof("Bearer ") - 1
        && ngx_strncasecmp(header->value.data, (u_char *) "Bearer ",
                           sizeof("Bearer ") - 1)
           == 0)
    {
        key->data = header->value.data + sizeof("Bearer ") - 1;
        key->len = header->value.len - (sizeof("Bearer ") - 1);

        while (key->len && *key->data == ' ') {
            key->data++;
            key->len--;
        }

        return NGX_OK;
    }

    for (i = 0; names[i]; i++) {
        header = ngx_http_codr_key_header(r, names[i]);

        if (header) {
            *key = header->value;
            return NGX_OK;
        }
    }

    return ngx_http_codr_key_protocol(r, key);
}


/* A key in the query ends up in logs and histories: no such request is
   served, whatever else it carries. */

static ngx_int_t
ngx_http_codr_key_in_query(ngx_http_request_t *r)
{
    ngx_str_t    value;
    ngx_uint_t   i;

    static const char  *names[] = {
        "key", "api_key", "api-key", "apikey", "x-api-key", "token",
        "access_token", "job_token", "x-executor-token", NULL
    };

    for (i = 0; names[i]; i++) {
        if (ngx_http_arg(r, (u_char *) names[i], ngx_strlen(names[i]), &value)
            == NGX_OK)
        {
            return 1;
        }
    }

    return 0;
}


/* Looks at every key, so that the time says nothing about them. */

static ngx_int_t
ngx_http_codr_key_lookup(ngx_http_codr_keys_t *keys, ngx_str_t *text,
    ngx_str_t *id)
{
    u_char                digest[SHA256_DIGEST_LENGTH];
    ngx_uint_t            i;
    ngx_http_codr_key_t  *key, *found;

    if (text->len == 0 || text->len > NGX_HTTP_CODR_KEY_MAX) {
        return NGX_ERROR;
    }

    (void) SHA256(text->data, text->len, digest);   /* cannot fail */

    found = NULL;
    key = keys->keys.elts;

    for (i = 0; i < keys->keys.nelts; i++) {
        if (CRYPTO_memcmp(key[i].digest, digest, SHA256_DIGEST_LENGTH) == 0) {
            found = &key[i];
        }
    }

    if (found == NULL || found->disabled) {
        return NGX_ERROR;
    }

    *id = found->id;

    return NGX_OK;
}


ngx_int_t
ngx_http_codr_key_good(ngx_http_codr_keys_t *keys, ngx_str_t *id)
{
    ngx_uint_t            i;
    ngx_http_codr_key_t  *key;

    key = keys->keys.elts;

    for (i = 0; i < keys->keys.nelts; i++) {
        if (!key[i].disabled && key[i].id.len == id->len
            && ngx_strncmp(key[i].id.data, id->data, id->len) == 0)
        {
            return NGX_OK;
        }
    }

    return NGX_DECLINED;
}


ngx_int_t
ngx_http_codr_key_id(ngx_http_request_t *r, ngx_http_codr_loc_conf_t *lcf,
    ngx_str_t *id)
{
    ngx_int_t  rc;
    ngx_str_t  key;

    if (lcf->auth == 0) {
        return NGX_DECLINED;
    }

    if (ngx_http_codr_key_in_query(r)) {
        return NGX_ERROR;
    }

    if (lcf->keys == NULL || !(lcf->auth & NGX_HTTP_CODR_AUTH_KEY)) {
        return NGX_DECLINED;
    }

    rc = ngx_http_codr_key_presented(r, &key);

    return (rc == NGX_OK) ? ngx_http_codr_key_lookup(lcf->keys, &key, id) : rc;
}


ngx_int_t
ngx_http_codr_authenticate(ngx_http_request_t *r, ngx_http_codr_ctx_t *ctx)
{
    ngx_int_t                   rc;
    ngx_http_codr_loc_conf_t   *lcf;
    ngx_http_codr_main_conf_t  *mcf;

    lcf = ngx_http_get_module_loc_conf(r, ngx_http_codr_module);

    rc = (lcf->auth & NGX_HTTP_CODR_AUTH_OFF)
         ? NGX_OK : ngx_http_codr_key_id(r, lcf, &ctx->key_id);

    if (rc == NGX_OK) {
        ctx->known = 1;
        ctx->trusted = 1;
        return NGX_OK;
    }

    if (rc == NGX_DECLINED && (lcf->auth & NGX_HTTP_CODR_AUTH_TICKET)) {
        return NGX_OK;
    }

    mcf = ngx_http_get_module_main_conf(r, ngx_http_codr_module);
    ngx_http_codr_count(mcf, NGX_HTTP_CODR_AUTH_FAILURES, 1);

    return rc;
}


ngx_int_t
ngx_http_codr_owner(ngx_http_request_t *r, ngx_http_codr_loc_conf_t *lcf,
    ngx_str_t *name, ngx_str_t *owner)
{
    u_char  *p, digest[SHA256_DIGEST_LENGTH];

    ngx_str_null(owner);

    if (lcf->owner && ngx_http_complex_value(r, lcf->owner, owner) != NGX_OK) {
        return NGX_ERROR;
    }

    if (owner->len == 0) {
        *owner = name->len ? *name : r->connection->addr_text;
    }

    if (owner->len <= CODR_OWNER_MAX) {
        return NGX_OK;
    }

    p = ngx_pnalloc(r->pool, 2 * SHA256_DIGEST_LENGTH);
    if (p == NULL) {
        return NGX_ERROR;
    }

    (void) SHA256(owner->data, owner->len, digest);
    (void) ngx_hex_dump(p, digest, SHA256_DIGEST_LENGTH);

    owner->data = p;
    owner->len = 2 * SHA256_DIGEST_LENGTH;

    return NGX_OK;
}


ngx_int_t
ngx_http_codr_set_owner(ngx_http_request_t *r, ngx_http_codr_ctx_t *ctx)
{
    ngx_http_codr_loc_conf_t  *lcf;

    lcf = ngx_http_get_module_loc_conf(r, ngx_http_codr_module);

    return ngx_http_codr_owner(r, lcf, &ctx->key_id, &ctx->owner);
}
