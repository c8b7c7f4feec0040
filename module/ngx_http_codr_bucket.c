
/*
 * Token buckets.  Their memory is a fixed share of the zone, so that nothing
 * else can crowd them out, nor they anything else.  A full bucket says as much
 * as none: when there is no room the ones that were not used for longest and
 * are full again make it; one that is not full is never forgotten, as that
 * would be a present to who has emptied it.  Runs in workers, under the lock
 * of the zone; time is monotonic.
 */

#include "ngx_http_codr_bucket.h"
#include "ngx_http_codr_zone.h"


#define NGX_HTTP_CODR_BUCKET_TRIES  16         /* to find one that is full */
#define NGX_HTTP_CODR_BUCKET_RETRY  1000       /* milliseconds, without room */


typedef struct {
    ngx_rbtree_node_t          node;           /* by the first bytes of key */
    ngx_queue_t                queue;          /* by last use, or free */
    u_char                     key[CODR_QUOTA_KEY];
    int64_t                    level;          /* parts */
    int64_t                    full;           /* parts */
    uint64_t                   refill;         /* parts a millisecond */
    ngx_msec_t                 last;
} ngx_http_codr_bucket_node_t;


struct ngx_http_codr_buckets_s {
    ngx_rbtree_t               tree;
    ngx_rbtree_node_t          sentinel;
    ngx_queue_t                used;           /* latest first */
    ngx_queue_t                free;
};


static void
ngx_http_codr_bucket_insert(ngx_rbtree_node_t *temp, ngx_rbtree_node_t *node,
    ngx_rbtree_node_t *sentinel)
{
    ngx_rbtree_node_t            **p;
    ngx_http_codr_bucket_node_t   *one, *two;

    one = (ngx_http_codr_bucket_node_t *) node;

    for ( ;; ) {

        if (node->key != temp->key) {
            p = (node->key < temp->key) ? &temp->left : &temp->right;

        } else {
            two = (ngx_http_codr_bucket_node_t *) temp;
            p = (ngx_memcmp(one->key, two->key, CODR_QUOTA_KEY) < 0)
                ? &temp->left : &temp->right;
        }

        if (*p == sentinel) {
            break;
        }

        temp = *p;
    }

    *p = node;
    node->parent = temp;
    node->left = sentinel;
    node->right = sentinel;
    ngx_rbt_red(node);
}


ngx_http_codr_buckets_t *
ngx_http_codr_buckets_create(ngx_slab_pool_t *shpool, size_t size)
{
    size_t                        i;
    ngx_http_codr_buckets_t      *buckets;
    ngx_http_codr_bucket_node_t  *one;

    buckets = ngx_slab_calloc(shpool, size);
    if (buckets == NULL) {
        return NULL;
    }

    ngx_rbtree_init(&buckets->tree, &buckets->sentinel,
                    ngx_http_codr_bucket_insert);
    ngx_queue_init(&buckets->used);
    ngx_queue_init(&buckets->free);

    one = (ngx_http_codr_bucket_node_t *) (buckets + 1);

    for (i = (size - sizeof(*buckets)) / sizeof(*one); i > 0; i--, one++) {
        ngx_queue_insert_tail(&buckets->free, &one->queue);
    }

    return buckets;
}


static ngx_rbtree_key_t
ngx_http_codr_bucket_hash(ngx_http_codr_bucket_t *bucket)
{
    ngx_rbtree_key_t  hash;

    ngx_memcpy(&hash, bucket->key, sizeof(hash));  /* part of a digest */

    return hash;
}


static ngx_http_codr_bucket_node_t *
ngx_http_codr_bucket_find(ngx_http_codr_buckets_t *buckets,
    ngx_http_codr_bucket_t *bucket)
{
    ngx_int_t                     rc;
    ngx_rbtree_key_t              hash;
    ngx_rbtree_node_t            *node;
    ngx_http_codr_bucket_node_t  *one;

    hash = ngx_http_codr_bucket_hash(bucket);
    node = buckets->tree.root;

    while (node != &buckets->sentinel) {

        if (hash != node->key) {
            node = (hash < node->key) ? node->left : node->right;
            continue;
        }

        one = (ngx_http_codr_bucket_node_t *) node;
        rc = ngx_memcmp(bucket->key, one->key, CODR_QUOTA_KEY);

        if (rc == 0) {
            return one;
        }

        node = (rc < 0) ? node->left : node->right;
    }

    return NULL;
}


/* What has come back since it was looked at last. */

static void
ngx_http_codr_bucket_refill(ngx_http_codr_bucket_node_t *one)
{
    int64_t         lacks;
    ngx_msec_int_t  passed;

    passed = (ngx_msec_int_t) (ngx_current_msec - one->last);

    if (passed <= 0) {                         /* another worker was ahead */
        return;
    }

    one->last = ngx_current_msec;
    lacks = one->full - one->level;

    if ((uint64_t) passed > (uint64_t) lacks / one->refill) {
        one->level = one->full;

    } else {
        one->level += (int64_t) (passed * one->refill);
    }
}


/* Some that are not full are passed over, and looked at later than others
   next time. */

static ngx_int_t
ngx_http_codr_bucket_evict(ngx_http_codr_buckets_t *buckets)
{
    ngx_uint_t                    i;
    ngx_queue_t                  *q;
    ngx_http_codr_bucket_node_t  *one;

    for (i = 0; i < NGX_HTTP_CODR_BUCKET_TRIES; i++) {

        if (ngx_queue_empty(&buckets->used)) {
            return NGX_ERROR;
        }

        q = ngx_queue_last(&buckets->used);
        one = ngx_queue_data(q, ngx_http_codr_bucket_node_t, queue);

        ngx_http_codr_bucket_refill(one);
        ngx_queue_remove(q);

        if (one->level == one->full) {
            ngx_rbtree_delete(&buckets->tree, &one->node);
            ngx_queue_insert_head(&buckets->free, q);
            return NGX_OK;
        }

        ngx_queue_insert_head(&buckets->used, q);
    }

    return NGX_ERROR;
}


/* As it is now; a new one is full.  NULL: there is no room. */

static ngx_http_codr_bucket_node_t *
ngx_http_codr_bucket_get(ngx_http_codr_buckets_t *buckets,
    ngx_http_codr_bucket_t *bucket)
{
    ngx_queue_t                  *q;
    ngx_http_codr_bucket_node_t  *one;

    one = ngx_http_codr_bucket_find(buckets, bucket);

    if (one) {
        ngx_http_codr_bucket_refill(one);
        ngx_queue_remove(&one->queue);
        ngx_queue_insert_head(&buckets->used, &one->queue);
        return one;
    }

    if (ngx_queue_empty(&buckets->free)
        && ngx_http_codr_bucket_evict(buckets) != NGX_OK)
    {
        return NULL;
    }

    q = ngx_queue_head(&buckets->free);
    one = ngx_queue_data(q, ngx_http_codr_bucket_node_t, queue);

    ngx_memcpy(one->key, bucket->key, CODR_QUOTA_KEY);
    one->node.key = ngx_http_codr_bucket_hash(bucket);
    one->refill = bucket->amount;
    one->full = (int64_t) (bucket->most * bucket->period);
    one->level = one->full;
    one->last = ngx_current_msec;

    ngx_queue_remove(q);
    ngx_queue_insert_head(&buckets->used, q);
    ngx_rbtree_insert(&buckets->tree, &one->node);

    return one;
}


/* Milliseconds until it has enough; 0: it has. */

static uint64_t
ngx_http_codr_bucket_wait(ngx_http_codr_buckets_t *buckets,
    ngx_http_codr_bucket_t *bucket)
{
    int64_t                       need;
    ngx_http_codr_bucket_node_t  *one;

    one = ngx_http_codr_bucket_get(buckets, bucket);

    if (one == NULL) {
        return NGX_HTTP_CODR_BUCKET_RETRY;
    }

    need = bucket->need ? (int64_t) (bucket->need * bucket->period) : 1;

    if (one->level >= need) {
        return 0;
    }

    return (uint64_t) (need - one->level) / one->refill + 1;
}


ngx_int_t
ngx_http_codr_buckets_take(ngx_http_codr_main_conf_t *mcf,
    ngx_http_codr_bucket_t *bucket, ngx_uint_t n, uint64_t *retry_ms)
{
    uint64_t                      wait;
    ngx_uint_t                    i;
    ngx_slab_pool_t              *shpool;
    ngx_http_codr_shared_t       *shared;
    ngx_http_codr_bucket_node_t  *one;

    *retry_ms = 0;

    shared = ngx_http_codr_zone_data(mcf);
    shpool = (ngx_slab_pool_t *) mcf->zone->shm.addr;

    ngx_shmtx_lock(&shpool->mutex);

    for (i = 0; i < n; i++) {
        wait = ngx_http_codr_bucket_wait(shared->buckets, &bucket[i]);
        *retry_ms = ngx_max(*retry_ms, wait);
    }

    for (i = 0; i < n && *retry_ms == 0; i++) {
        one = ngx_http_codr_bucket_find(shared->buckets, &bucket[i]);

        if (one == NULL) {                     /* evicted by the last of us */
            *retry_ms = NGX_HTTP_CODR_BUCKET_RETRY;

        } else {
            one->level -= (int64_t) (bucket[i].need * bucket[i].period);
        }
    }

    ngx_shmtx_unlock(&shpool->mutex);

    return *retry_ms ? NGX_DECLINED : NGX_OK;
}


void
ngx_http_codr_buckets_charge(ngx_http_codr_main_conf_t *mcf,
    ngx_http_codr_bucket_t *bucket, uint64_t things)
{
    int64_t                       parts;
    ngx_slab_pool_t              *shpool;
    ngx_http_codr_shared_t       *shared;
    ngx_http_codr_bucket_node_t  *one;

    shared = ngx_http_codr_zone_data(mcf);

    if (shared == NULL) {
        return;
    }

    /* no debt is so large that a sum with it would not be a number */

    parts = (things > INT64_MAX / 4 / bucket->period)
            ? INT64_MAX / 4 : (int64_t) (things * bucket->period);

    shpool = (ngx_slab_pool_t *) mcf->zone->shm.addr;

    ngx_shmtx_lock(&shpool->mutex);

    one = ngx_http_codr_bucket_get(shared->buckets, bucket);

    if (one) {
        one->level = ngx_max(one->level - parts, -(INT64_MAX / 4));
    }

    ngx_shmtx_unlock(&shpool->mutex);
}
