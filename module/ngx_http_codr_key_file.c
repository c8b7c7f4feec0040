
/*
 * The file of codr_api_keys, read by the master while the configuration is:
 * one line a key, with the digest of the key but never the key itself.  A
 * file that others could read, or that says what this build cannot do, is
 * refused as a whole.
 */

#include "ngx_http_codr_conf.h"
#include "ngx_http_codr_quota.h"

#include <openssl/sha.h>


#define NGX_HTTP_CODR_KEY_FILE_MAX  (16 * 1024 * 1024)
#define NGX_HTTP_CODR_KEY_ID_MAX    64
#define NGX_HTTP_CODR_KEY_WORDS     8


static ngx_http_codr_keys_t *ngx_http_codr_keys_read(ngx_conf_t *cf,
    ngx_str_t *file);


char *
ngx_http_codr_api_keys(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_codr_loc_conf_t  *lcf = conf;

    ngx_str_t                  *value, file;
    ngx_uint_t                  i;
    ngx_http_codr_keys_t       *keys, **slot;
    ngx_http_codr_main_conf_t  *mcf;

    if (lcf->keys != NGX_CONF_UNSET_PTR) {
        return "is duplicate";
    }

    value = cf->args->elts;
    file = value[1];

    if (ngx_conf_full_name(cf->cycle, &file, 1) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    mcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_codr_module);
    slot = mcf->keys.elts;

    for (i = 0; i < mcf->keys.nelts; i++) {
        if (slot[i]->file.len == file.len
            && ngx_strcmp(slot[i]->file.data, file.data) == 0)
        {
            lcf->keys = slot[i];
            return NGX_CONF_OK;
        }
    }

    keys = ngx_http_codr_keys_read(cf, &file);
    if (keys == NULL) {
        return NGX_CONF_ERROR;
    }

    slot = ngx_array_push(&mcf->keys);
    if (slot == NULL) {
        return NGX_CONF_ERROR;
    }

    *slot = keys;
    lcf->keys = keys;

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_http_codr_key_error(ngx_conf_t *cf, ngx_str_t *file, ngx_uint_t line,
    const char *text)
{
    /* never the line itself: somebody may have put the key there */

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "%s in key file \"%V\":%ui",
                       text, file, line);
    return NGX_ERROR;
}


static ngx_int_t
ngx_http_codr_key_hex(u_char *digest, ngx_str_t *text)
{
    ngx_int_t   n;
    ngx_uint_t  i;

    if (text->len != 2 * SHA256_DIGEST_LENGTH) {
        return NGX_ERROR;
    }

    for (i = 0; i < SHA256_DIGEST_LENGTH; i++) {
        n = ngx_hextoi(text->data + 2 * i, 2);

        if (n == NGX_ERROR) {
            return NGX_ERROR;
        }

        digest[i] = (u_char) n;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_codr_key_id_valid(ngx_str_t *id)
{
    u_char      c;
    ngx_uint_t  i;

    if (id->len > NGX_HTTP_CODR_KEY_ID_MAX) {
        return 0;
    }

    for (i = 0; i < id->len; i++) {
        c = id->data[i];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
              || (c >= '0' && c <= '9') || (c && ngx_strchr("._-", c))))
        {
            return 0;
        }
    }

    return 1;
}


/* Words of a line up to a comment; NGX_ERROR when there are too many. */

static ngx_int_t
ngx_http_codr_key_words(u_char *p, u_char *last, ngx_str_t *word)
{
    ngx_int_t  n;

    for (n = 0; /* void */ ; n++) {

        while (p < last && (*p == ' ' || *p == '\t' || *p == '\r')) {
            p++;
        }

        if (p == last || *p == '#') {
            return n;
        }

        if (n == NGX_HTTP_CODR_KEY_WORDS) {
            return NGX_ERROR;
        }

        word[n].data = p;

        while (p < last && *p != ' ' && *p != '\t' && *p != '\r') {
            p++;
        }

        word[n].len = p - word[n].data;
    }
}


static ngx_int_t
ngx_http_codr_key_options(ngx_conf_t *cf, ngx_str_t *file,
    ngx_http_codr_key_t *key, ngx_str_t *word, ngx_int_t n)
{
    ngx_int_t  i;

    for (i = 0; i < n; i++) {

        if (word[i].len == sizeof("disabled") - 1
            && ngx_strncmp(word[i].data, "disabled", word[i].len) == 0)
        {
            key->disabled = 1;

        } else if (ngx_http_codr_quota_parameter(&key->quota, &word[i])
                   != NGX_OK)
        {
            return ngx_http_codr_key_error(cf, file, key->line,
                                           "invalid parameter");
        }
    }

    if (key->quota.burst) {
        return ngx_http_codr_key_error(cf, file, key->line,
                                       "invalid parameter");
    }

    key->quota.burst = key->quota.rate;

    return NGX_OK;
}


static ngx_int_t
ngx_http_codr_key_line(ngx_conf_t *cf, ngx_http_codr_keys_t *keys,
    u_char *p, u_char *last, ngx_uint_t line)
{
    ngx_int_t             n;
    ngx_str_t             word[NGX_HTTP_CODR_KEY_WORDS];
    ngx_http_codr_key_t  *key;

    n = ngx_http_codr_key_words(p, last, word);

    if (n == 0) {
        return NGX_OK;
    }

    if (n == NGX_ERROR) {
        return ngx_http_codr_key_error(cf, &keys->file, line,
                                       "too many parameters");
    }

    if (n == 1 || !ngx_http_codr_key_id_valid(&word[0])) {
        return ngx_http_codr_key_error(cf, &keys->file, line,
                                       "no \"ID SHA256\"");
    }

    key = ngx_array_push(&keys->keys);
    if (key == NULL) {
        return NGX_ERROR;
    }

    ngx_memzero(key, sizeof(ngx_http_codr_key_t));
    key->line = line;
    key->id.len = word[0].len;
    key->id.data = ngx_pstrdup(cf->pool, &word[0]);
    if (key->id.data == NULL) {
        return NGX_ERROR;
    }

    if (ngx_http_codr_key_hex(key->digest, &word[1]) != NGX_OK) {
        return ngx_http_codr_key_error(cf, &keys->file, line,
                                       "no SHA-256 digest in hexadecimal");
    }

    return ngx_http_codr_key_options(cf, &keys->file, key, &word[2], n - 2);
}


static int ngx_libc_cdecl
ngx_http_codr_key_compare(const void *one, const void *two)
{
    const ngx_http_codr_key_t  *first = one;
    const ngx_http_codr_key_t  *second = two;

    return ngx_memcmp(first->digest, second->digest, SHA256_DIGEST_LENGTH);
}


static ngx_int_t
ngx_http_codr_keys_unique(ngx_conf_t *cf, ngx_http_codr_keys_t *keys)
{
    ngx_uint_t            i;
    ngx_http_codr_key_t  *key;

    key = keys->keys.elts;

    ngx_qsort(key, keys->keys.nelts, sizeof(ngx_http_codr_key_t),
              ngx_http_codr_key_compare);

    for (i = 1; i < keys->keys.nelts; i++) {
        if (ngx_http_codr_key_compare(&key[i - 1], &key[i]) == 0) {
            return ngx_http_codr_key_error(cf, &keys->file,
                       ngx_max(key[i - 1].line, key[i].line),
                       "the same key twice");
        }
    }

    return NGX_OK;
}


static ngx_http_codr_keys_t *
ngx_http_codr_keys_read(ngx_conf_t *cf, ngx_str_t *file)
{
    u_char                *p, *end, *last;
    ngx_str_t              text;
    ngx_uint_t             line;
    ngx_http_codr_keys_t  *keys;

    keys = ngx_pcalloc(cf->pool, sizeof(ngx_http_codr_keys_t));
    if (keys == NULL) {
        return NULL;
    }

    keys->file = *file;

    if (ngx_array_init(&keys->keys, cf->pool, 16, sizeof(ngx_http_codr_key_t))
        != NGX_OK)
    {
        return NULL;
    }

    if (ngx_http_codr_secret(cf, cf->temp_pool, file, "key file",
                             NGX_HTTP_CODR_KEY_FILE_MAX, &text)
        != NGX_OK)
    {
        return NULL;
    }

    last = text.data + text.len;

    for (p = text.data, line = 1; p < last; p = end + 1, line++) {
        end = ngx_strlchr(p, last, '\n');

        if (end == NULL) {
            end = last;
        }

        if (ngx_http_codr_key_line(cf, keys, p, end, line) != NGX_OK) {
            return NULL;
        }
    }

    if (ngx_http_codr_keys_unique(cf, keys) != NGX_OK
        || ngx_http_codr_key_quotas(cf, keys) != NGX_OK)
    {
        return NULL;
    }

    return keys;
}
