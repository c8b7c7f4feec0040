
/*
 * Quotas: how many jobs at once, how often, how much CPU time.
 */

#ifndef _NGX_HTTP_CODR_QUOTA_H_INCLUDED_
#define _NGX_HTTP_CODR_QUOTA_H_INCLUDED_


#include "ngx_http_codr.h"
#include "ngx_http_codr_bucket.h"


#define NGX_HTTP_CODR_QUOTA_CPU_MAX     ((uint64_t) 24 * 3600 * 1000000)
#define NGX_HTTP_CODR_QUOTA_PERIOD_MAX  (3600 * 1000)


/* What one execute counts for. */

typedef struct {
    ngx_uint_t                 n;
    struct {
        u_char                 key[CODR_QUOTA_KEY];
        uint32_t               max;
    } jobs[CODR_QUOTAS_MAX];

    ngx_uint_t                 buckets;
    ngx_http_codr_bucket_t     bucket[2 * CODR_QUOTAS_MAX];
} ngx_http_codr_quotas_t;


/* One parameter, "jobs=N", "rate=N/m", "burst=N" or "cpu=T/h": NGX_DECLINED
   when it is none of them, NGX_ERROR when its value is not valid. */
ngx_int_t ngx_http_codr_quota_parameter(ngx_http_codr_quota_t *quota,
    ngx_str_t *word);

/* The smaller of each into the first. */
void ngx_http_codr_quota_narrow(ngx_http_codr_quota_t *quota,
    ngx_http_codr_quota_t *other);

/* key_quota: of all keys with an ID together */
ngx_int_t ngx_http_codr_key_quotas(ngx_conf_t *cf,
    ngx_http_codr_keys_t *keys);
ngx_http_codr_quota_t *ngx_http_codr_keys_quota(ngx_http_codr_keys_t *keys,
    ngx_str_t *id);

/* A CHARGE of the broker. */
ngx_int_t ngx_http_codr_quota_charge(ngx_http_codr_main_conf_t *mcf,
    u_char *payload, size_t len);


#endif /* _NGX_HTTP_CODR_QUOTA_H_INCLUDED_ */
