/*
 * A key file: what is taken has sound IDs, no key twice, and can be looked
 * up; nothing else is taken.
 */

#include "host.h"

#include "../../../module/ngx_http_codr_key_file.c"

static const uint8_t  *text_of_file;
static size_t          size_of_file;


ngx_int_t
ngx_http_codr_secret(ngx_conf_t *cf, ngx_pool_t *pool, ngx_str_t *file,
    const char *what, size_t max, ngx_str_t *text)
{
    (void) cf;
    (void) file;
    (void) what;
    must(size_of_file <= max);

    text->data = ngx_pnalloc(pool, size_of_file ? size_of_file : 1);
    must(text->data != NULL);
    ngx_memcpy(text->data, text_of_file, size_of_file);
    text->len = size_of_file;

    return NGX_OK;
}


static void
check(ngx_http_codr_keys_t *keys)
{
    ngx_uint_t            i, k;
    ngx_http_codr_key_t  *key = keys->keys.elts;

    for (i = 0; i < keys->keys.nelts; i++) {
        must(key[i].id.len > 0
             && key[i].id.len <= NGX_HTTP_CODR_KEY_ID_MAX);

        for (k = 0; k < key[i].id.len; k++) {
            must(key[i].id.data[k] > ' ' && key[i].id.data[k] < 0x7f);
        }

        must(i == 0 || memcmp(key[i - 1].digest, key[i].digest, 32) < 0);
        must(key[i].disabled
             || ngx_http_codr_key_good(keys, &key[i].id) == NGX_OK);
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    host_t                 host;
    ngx_conf_t             cf;
    ngx_str_t              name = ngx_string("keys");
    ngx_http_codr_keys_t  *keys;

    text_of_file = data;
    size_of_file = size;

    host_begin(&host);
    memset(&cf, 0, sizeof(cf));
    cf.pool = host.pool;
    cf.temp_pool = host.pool;
    cf.log = &host.log;

    keys = ngx_http_codr_keys_read(&cf, &name);
    if (keys != NULL) {
        check(keys);
    }

    host_end(&host);

    return 0;
}
