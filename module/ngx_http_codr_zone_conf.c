
/*
 * codr_zone: the zone's size, and what stands in a new one.  Across a reload
 * it stays as it is.  Runs in the master.
 */

#include "ngx_http_codr_conf.h"
#include "ngx_http_codr_zone.h"


#define NGX_HTTP_CODR_ZONE_SIZE     (32 * 1024 * 1024)
#define NGX_HTTP_CODR_ZONE_MIN      (512 * 1024)
#define NGX_HTTP_CODR_ZONE_BUCKETS  8          /* the share of quotas: 1/8 */
#define NGX_HTTP_CODR_ZONE_MAX      ((uint64_t) 64 * 1024 * 1024 * 1024)


static ngx_int_t
ngx_http_codr_zone_init(ngx_shm_zone_t *zone, void *old)
{
    ngx_slab_pool_t            *shpool;
    ngx_http_codr_shared_t     *shared;
    ngx_http_codr_main_conf_t  *mcf;

    mcf = zone->data;
    shpool = (ngx_slab_pool_t *) zone->shm.addr;

    if (old) {
        shared = old;

    } else if (zone->shm.exists) {
        shared = shpool->data;

    } else {
        shared = ngx_slab_calloc(shpool, sizeof(ngx_http_codr_shared_t));
        if (shared == NULL) {
            return NGX_ERROR;
        }

        shared->buckets = ngx_http_codr_buckets_create(shpool,
                              zone->shm.size / NGX_HTTP_CODR_ZONE_BUCKETS);
        if (shared->buckets == NULL) {
            return NGX_ERROR;
        }

        shared->store = ngx_http_codr_store_create(shpool);
        if (shared->store == NULL) {
            return NGX_ERROR;
        }

        shpool->data = shared;
    }

    zone->data = shared;

    ngx_http_codr_metrics_init(&shared->metrics, mcf);

    return NGX_OK;
}


/* The size that a zone of this name has in the running nginx, or 0. */

static size_t
ngx_http_codr_zone_running(ngx_conf_t *cf, ngx_str_t *name)
{
    ngx_uint_t        i;
    ngx_shm_zone_t   *zone;
    ngx_list_part_t  *part;

    if (cf->cycle->old_cycle == NULL) {
        return 0;
    }

    part = &cf->cycle->old_cycle->shared_memory.part;
    zone = part->elts;

    for (i = 0; /* void */ ; i++) {

        if (i >= part->nelts) {
            if (part->next == NULL) {
                return 0;
            }

            part = part->next;
            zone = part->elts;
            i = 0;
        }

        if (zone[i].tag == &ngx_http_codr_module
            && zone[i].shm.name.len == name->len
            && ngx_strncmp(zone[i].shm.name.data, name->data, name->len) == 0)
        {
            return zone[i].shm.size;
        }
    }
}


static ngx_int_t
ngx_http_codr_zone_add(ngx_conf_t *cf, ngx_http_codr_main_conf_t *mcf,
    ngx_str_t *name, size_t size)
{
    size_t  running;

    running = ngx_http_codr_zone_running(cf, name);

    if (running && running != size) {
        ngx_conf_log_error(NGX_LOG_WARN, cf, 0,
                           "the size of zone \"%V\" cannot be changed while "
                           "nginx runs, the old one is kept", name);
        size = running;
    }

    mcf->zone = ngx_shared_memory_add(cf, name, size, &ngx_http_codr_module);
    if (mcf->zone == NULL) {
        return NGX_ERROR;
    }

    mcf->zone->init = ngx_http_codr_zone_init;
    mcf->zone->data = mcf;                     /* until then */

    return NGX_OK;
}


char *
ngx_http_codr_zone(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_codr_main_conf_t  *mcf = conf;

    u_char     *colon;
    uint64_t    size;
    ngx_str_t  *value, name, text;

    static const ngx_http_codr_range_t  range = {
        NGX_HTTP_CODR_SIZE, NGX_HTTP_CODR_ZONE_MIN, NGX_HTTP_CODR_ZONE_MAX
    };

    if (mcf->zone) {
        return "is duplicate";
    }

    value = cf->args->elts;

    colon = (u_char *) ngx_strchr(value[1].data, ':');

    if (colon == NULL || colon == value[1].data) {
        return ngx_http_codr_conf_invalid(cf, 1);
    }

    name.data = value[1].data;
    name.len = colon - name.data;

    text.data = colon + 1;
    text.len = value[1].data + value[1].len - text.data;

    if (ngx_http_codr_parse_value(cf, &value[0], &text, &range, &size)
        != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    return ngx_http_codr_zone_add(cf, mcf, &name, (size_t) size) == NGX_OK
           ? NGX_CONF_OK : NGX_CONF_ERROR;
}


ngx_int_t
ngx_http_codr_zone_default(ngx_conf_t *cf, ngx_http_codr_main_conf_t *mcf)
{
    ngx_str_t  name = ngx_string("codr");

    if (!mcf->used) {
        return NGX_OK;
    }

    return ngx_http_codr_zone_add(cf, mcf, &name, NGX_HTTP_CODR_ZONE_SIZE);
}
