
/*
 * Token buckets in shared memory: what may be taken so often, by key.
 */

#ifndef _NGX_HTTP_CODR_BUCKET_H_INCLUDED_
#define _NGX_HTTP_CODR_BUCKET_H_INCLUDED_


#include "ngx_http_codr.h"


/* Amounts are in parts of what there is: one thing (a job, a microsecond) is
   as many parts as a period has milliseconds, so that a whole number of parts
   comes back each millisecond. */

typedef struct {
    u_char                     key[CODR_QUOTA_KEY];
    uint64_t                   amount;         /* things a period */
    uint64_t                   period;         /* milliseconds */
    uint64_t                   most;           /* things in a full bucket */
    uint64_t                   need;           /* things to be taken; 0: only
                                                  that it is not empty */
} ngx_http_codr_bucket_t;


typedef struct ngx_http_codr_buckets_s  ngx_http_codr_buckets_t;


/* As many as fit into size bytes of a zone that is being made. */
ngx_http_codr_buckets_t *ngx_http_codr_buckets_create(ngx_slab_pool_t *shpool,
    size_t size);

/* Takes from all of them, or from none: NGX_DECLINED and in how many
   milliseconds there might be enough.  Without room for a new bucket there is
   nothing to be taken. */
ngx_int_t ngx_http_codr_buckets_take(ngx_http_codr_main_conf_t *mcf,
    ngx_http_codr_bucket_t *bucket, ngx_uint_t n, uint64_t *retry_ms);

/* Takes things that are gone already: the bucket may end below empty. */
void ngx_http_codr_buckets_charge(ngx_http_codr_main_conf_t *mcf,
    ngx_http_codr_bucket_t *bucket, uint64_t things);


#endif /* _NGX_HTTP_CODR_BUCKET_H_INCLUDED_ */
