
/*
 * Which records want something: an end that nobody has told yet, or a place in
 * Redis.
 */

#include "ngx_http_codr_records.h"


ngx_uint_t
ngx_http_codr_records_adrift(ngx_http_codr_main_conf_t *mcf,
    u_char (*id)[CODR_JOB_ID_LEN], ngx_uint_t n)
{
    ngx_uint_t               i;
    ngx_queue_t             *q;
    ngx_http_codr_store_t   *store;
    ngx_http_codr_stored_t  *record;

    store = ngx_http_codr_records_lock(mcf);

    if (store == NULL) {
        return 0;
    }

    i = 0;

    for (q = ngx_queue_head(&store->unfinished);
         q != ngx_queue_sentinel(&store->unfinished) && i < n;
         q = ngx_queue_next(q))
    {
        record = ngx_queue_data(q, ngx_http_codr_stored_t, queue);

        if (record->pid == 0) {
            (void) ngx_hex_dump(id[i++], record->node.id,
                                NGX_HTTP_CODR_NODE_ID);
        }
    }

    ngx_shmtx_unlock(&store->pool->mutex);

    return i;
}


void
ngx_http_codr_records_saved(ngx_http_codr_main_conf_t *mcf, const u_char *id)
{
    ngx_http_codr_store_t   *store;
    ngx_http_codr_stored_t  *record;

    store = ngx_http_codr_records_lock(mcf);

    if (store == NULL) {
        return;
    }

    record = ngx_http_codr_records_find(store, id);

    if (record) {
        record->unsaved = 0;
    }

    ngx_shmtx_unlock(&store->pool->mutex);
}


ngx_uint_t
ngx_http_codr_records_unsaved(ngx_http_codr_main_conf_t *mcf,
    u_char (*id)[CODR_JOB_ID_LEN], ngx_uint_t n)
{
    uint64_t                 now;
    ngx_uint_t               i;
    ngx_queue_t             *q;
    ngx_http_codr_store_t   *store;
    ngx_http_codr_stored_t  *record;

    store = ngx_http_codr_records_lock(mcf);

    if (store == NULL) {
        return 0;
    }

    i = 0;
    now = ngx_http_codr_records_now();

    for (q = ngx_queue_head(&store->records.queue);
         q != ngx_queue_sentinel(&store->records.queue) && i < n;
         q = ngx_queue_next(q))
    {
        record = ngx_queue_data(q, ngx_http_codr_stored_t, queue);

        if (record->unsaved && record->completed_ms + mcf->job_ttl > now) {
            (void) ngx_hex_dump(id[i++], record->node.id,
                                NGX_HTTP_CODR_NODE_ID);
        }
    }

    ngx_shmtx_unlock(&store->pool->mutex);

    return i;
}
