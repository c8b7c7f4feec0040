
/*
 * Shared memory: figures that all workers add to, and what the log has last
 * said about the helper.  Gauges stand in one slot a process, which its next
 * owner clears, so that a worker that was killed leaves none of them behind;
 * sums only ever grow.
 */

#include "ngx_http_codr_helper.h"
#include "ngx_http_codr_zone.h"


ngx_http_codr_shared_t *
ngx_http_codr_zone_data(ngx_http_codr_main_conf_t *mcf)
{
    return mcf->zone ? mcf->zone->data : NULL;
}


ngx_http_codr_store_t *
ngx_http_codr_store(ngx_http_codr_main_conf_t *mcf)
{
    ngx_http_codr_shared_t  *shared;

    shared = ngx_http_codr_zone_data(mcf);

    return shared ? shared->store : NULL;
}


void
ngx_http_codr_zone_init_process(ngx_http_codr_main_conf_t *mcf)
{
    ngx_http_codr_shared_t  *shared;

    shared = ngx_http_codr_zone_data(mcf);

    if (shared) {
        ngx_memzero(&shared->slot[ngx_process_slot],
                    sizeof(ngx_http_codr_slot_t));
    }
}


void
ngx_http_codr_count(ngx_http_codr_main_conf_t *mcf,
    ngx_http_codr_counter_e counter, ngx_atomic_int_t n)
{
    ngx_http_codr_shared_t  *shared;

    shared = ngx_http_codr_zone_data(mcf);

    if (shared == NULL) {
        return;
    }

    if (counter < NGX_HTTP_CODR_GAUGES) {
        (void) ngx_atomic_fetch_add(
                   &shared->slot[ngx_process_slot].gauge[counter], n);
        return;
    }

    (void) ngx_atomic_fetch_add(&shared->sum[counter], n);
}


ngx_uint_t
ngx_http_codr_counter(ngx_http_codr_main_conf_t *mcf,
    ngx_http_codr_counter_e counter)
{
    ngx_uint_t               i, sum;
    ngx_http_codr_shared_t  *shared;

    shared = ngx_http_codr_zone_data(mcf);

    if (shared == NULL) {
        return 0;
    }

    if (counter >= NGX_HTTP_CODR_GAUGES) {
        return shared->sum[counter];
    }

    sum = 0;

    for (i = 0; i < NGX_MAX_PROCESSES; i++) {
        sum += shared->slot[i].gauge[counter];
    }

    return sum;
}


uint64_t
ngx_http_codr_zone_free(ngx_http_codr_main_conf_t *mcf)
{
    ngx_slab_pool_t  *shpool;

    shpool = (ngx_slab_pool_t *) mcf->zone->shm.addr;

    return (uint64_t) shpool->pfree * ngx_pagesize;
}


ngx_int_t
ngx_http_codr_zone_news(ngx_http_codr_main_conf_t *mcf,
    ngx_http_codr_said_e state)
{
    ngx_atomic_uint_t        said;
    ngx_http_codr_shared_t  *shared;

    shared = ngx_http_codr_zone_data(mcf);

    if (shared == NULL) {
        return NGX_OK;
    }

    said = shared->said;

    if (said == (ngx_atomic_uint_t) state
        || !ngx_atomic_cmp_set(&shared->said, said, state))
    {
        return NGX_DECLINED;
    }

    return NGX_OK;
}
