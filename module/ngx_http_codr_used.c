
/*
 * Tickets that have been used, kept until they expire: a ticket is good once,
 * whichever worker sees it first.  Its name is kept as a digest, so that no
 * name takes more room than another.
 */

#include "ngx_http_codr_store.h"

#include <openssl/rand.h>
#include <openssl/sha.h>


typedef struct {
    ngx_http_codr_node_t       node;
    ngx_queue_t                queue;
    time_t                     expires;
} ngx_http_codr_used_t;


static void
ngx_http_codr_used_free(ngx_http_codr_store_t *store,
    ngx_http_codr_used_t *used)
{
    store->forgotten = ngx_max(store->forgotten, used->expires);

    ngx_queue_remove(&used->queue);
    ngx_http_codr_node_delete(&store->used, &used->node);
    ngx_slab_free_locked(store->pool, used);
}


/* Those at the head have expired, if any have: but for tickets of other
   issuers all live equally long.  With all set it looks at each. */

static void
ngx_http_codr_used_expire(ngx_http_codr_store_t *store, ngx_uint_t all)
{
    time_t                 now;
    ngx_queue_t           *q, *next;
    ngx_http_codr_used_t  *used;

    now = ngx_time();

    for (q = ngx_queue_head(&store->used.queue);
         q != ngx_queue_sentinel(&store->used.queue);
         q = next)
    {
        next = ngx_queue_next(q);
        used = ngx_queue_data(q, ngx_http_codr_used_t, queue);

        if (used->expires <= now) {
            ngx_http_codr_used_free(store, used);

        } else if (!all) {
            return;
        }
    }
}


ngx_int_t
ngx_http_codr_used(ngx_http_codr_main_conf_t *mcf, ngx_str_t *jti,
    time_t expires)
{
    u_char                  digest[SHA256_DIGEST_LENGTH];
    ngx_int_t               rc;
    ngx_http_codr_used_t   *used;
    ngx_http_codr_store_t  *store;

    store = ngx_http_codr_store(mcf);

    if (store == NULL) {
        return NGX_ERROR;
    }

    (void) SHA256(jti->data, jti->len, digest);    /* cannot fail */

    ngx_shmtx_lock(&store->pool->mutex);

    ngx_http_codr_used_expire(store, 0);

    /* tickets that expired are good again when the clock is set back */

    if (expires <= store->forgotten
        || ngx_http_codr_node_find(&store->used, digest))
    {
        rc = NGX_DECLINED;
        goto done;
    }

    rc = NGX_ERROR;
    used = ngx_http_codr_store_alloc_locked(store,
                                            sizeof(ngx_http_codr_used_t));

    if (used == NULL) {
        ngx_http_codr_used_expire(store, 1);

        used = ngx_http_codr_store_alloc_locked(store,
                                                sizeof(ngx_http_codr_used_t));
    }

    if (used) {
        used->expires = expires;
        ngx_http_codr_node_insert(&store->used, &used->node, digest);
        ngx_queue_insert_tail(&store->used.queue, &used->queue);

        rc = NGX_OK;
    }

done:

    ngx_shmtx_unlock(&store->pool->mutex);

    return rc;
}


/* The clock was set back by more than a ticket's life: with another key all
   tickets of before are worth nothing, and need not be remembered.  A key that
   others have, too, stays; what it made is refused until that time is over. */

void
ngx_http_codr_used_before(ngx_http_codr_main_conf_t *mcf, time_t expires)
{
    u_char                  key[NGX_HTTP_CODR_KEY_BYTES];
    ngx_http_codr_store_t  *store;

    store = ngx_http_codr_store(mcf);

    if (store == NULL || mcf->ticket_key.len) {
        return;
    }

    ngx_shmtx_lock(&store->pool->mutex);

    if (expires <= store->forgotten && RAND_bytes(key, sizeof(key)) == 1) {
        ngx_memcpy(store->ticket_key, key, sizeof(key));
        store->forgotten = 0;
    }

    ngx_shmtx_unlock(&store->pool->mutex);
}
