
/*
 * What stands in shared memory, for all processes of this nginx.
 */

#ifndef _NGX_HTTP_CODR_ZONE_H_INCLUDED_
#define _NGX_HTTP_CODR_ZONE_H_INCLUDED_


#include "ngx_http_codr.h"
#include "ngx_http_codr_bucket.h"
#include "ngx_http_codr_metrics.h"
#include "ngx_http_codr_store.h"


#define NGX_HTTP_CODR_GAUGES       NGX_HTTP_CODR_AUTH_FAILURES


/* One cache line a process. */

typedef union {
    ngx_atomic_t               gauge[NGX_HTTP_CODR_GAUGES];
    u_char                     line[64];
} ngx_http_codr_slot_t;


typedef struct {
    ngx_atomic_t               said;           /* ngx_http_codr_said_e */
    ngx_atomic_t               sum[NGX_HTTP_CODR_COUNTERS];
    ngx_http_codr_store_t     *store;
    ngx_http_codr_buckets_t   *buckets;
    ngx_http_codr_slot_t       slot[NGX_MAX_PROCESSES];
    ngx_http_codr_metrics_t    metrics;
} ngx_http_codr_shared_t;


/* NULL before the zone has been made. */
ngx_http_codr_shared_t *ngx_http_codr_zone_data(
    ngx_http_codr_main_conf_t *mcf);


#endif /* _NGX_HTTP_CODR_ZONE_H_INCLUDED_ */
