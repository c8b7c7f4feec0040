/*
 * Makes nginx's own code usable without a running server: in a fuzzer, where
 * there is none, and in a replay, where a configuration is just being tested.
 */

#include "host.h"

static ngx_log_t    quiet;
static ngx_cycle_t  cycle;


static void
host_start(void)
{
    static ngx_open_file_t  nowhere;

    if (ngx_cycle != NULL && ngx_pagesize != 0) {
        return;                         /* nginx has done it */
    }

    nowhere.fd = NGX_INVALID_FILE;
    quiet.file = &nowhere;
    cycle.log = &quiet;
    ngx_cycle = &cycle;
    ngx_pagesize = (ngx_uint_t) getpagesize();
    ngx_cacheline_size = 64;

    (void) ngx_strerror_init();
    ngx_time_init();
}


void
host_begin(host_t *host)
{
    static ngx_open_file_t  nowhere;

    host_start();
    ngx_http_codr_module.ctx_index = 0;

    memset(host, 0, sizeof(host_t));
    nowhere.fd = NGX_INVALID_FILE;
    host->log.file = &nowhere;
    host->pool = ngx_create_pool(4096, &host->log);
    must(host->pool != NULL);

    host->connection.log = &host->log;
    host->connection.pool = host->pool;
    host->connection.read = &host->read;
    host->connection.write = &host->write;
    host->request.header_in = &host->empty;
    host->request.connection = &host->connection;
    host->request.pool = host->pool;
    host->request.main = &host->request;
    host->request.ctx = host->ctx;
    host->request.main_conf = host->main_conf;
    host->request.loc_conf = host->loc_conf;
    host->ctx[0] = &host->own;
    host->main_conf[0] = &host->mcf;
    host->loc_conf[0] = &host->lcf;

    must(ngx_list_init(&host->request.headers_in.headers, host->pool, 8,
                       sizeof(ngx_table_elt_t)) == NGX_OK);
    must(ngx_list_init(&host->request.headers_out.headers, host->pool, 8,
                       sizeof(ngx_table_elt_t)) == NGX_OK);
    must(ngx_array_init(&host->mcf.languages, host->pool, 2, sizeof(void *))
         == NGX_OK);
}


void
host_end(host_t *host)
{
    ngx_destroy_pool(host->pool);
}


static u_char *
host_copy(host_t *host, const void *data, size_t len)
{
    u_char  *p = ngx_pnalloc(host->pool, len + 1);

    must(p != NULL);
    ngx_memcpy(p, data, len);
    p[len] = '\0';                      /* as nginx's parser leaves them */

    return p;
}


void
host_header(host_t *host, const void *name, size_t name_len,
    const void *value, size_t len)
{
    ngx_table_elt_t  *h = ngx_list_push(&host->request.headers_in.headers);

    must(h != NULL);
    memset(h, 0, sizeof(*h));
    h->key.data = host_copy(host, name, name_len);
    h->key.len = name_len;
    h->value.data = host_copy(host, value, len);
    h->value.len = len;
    h->lowcase_key = host_copy(host, name, name_len);
    h->hash = ngx_hash_strlow(h->lowcase_key, h->key.data, name_len);
}


ngx_http_codr_language_t *
host_language(host_t *host, const char *name, const char *source,
    const char *glob)
{
    ngx_str_t                  *text;
    ngx_http_codr_language_t   *language, **slot;

    language = ngx_pcalloc(host->pool, sizeof(ngx_http_codr_language_t));
    slot = ngx_array_push(&host->mcf.languages);
    must(language != NULL && slot != NULL);
    *slot = language;

    language->name.data = host_copy(host, name, strlen(name));
    language->name.len = strlen(name);
    language->source.data = host_copy(host, source, strlen(source));
    language->source.len = strlen(source);

    must(ngx_array_init(&language->aliases, host->pool, 1, sizeof(ngx_str_t))
         == NGX_OK
         && ngx_array_init(&language->sources, host->pool, 1,
                           sizeof(ngx_str_t)) == NGX_OK);
    text = ngx_array_push(&language->sources);
    text->data = host_copy(host, glob, strlen(glob));
    text->len = strlen(glob);

    return language;
}
