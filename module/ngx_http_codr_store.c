
/*
 * Memory of the zone that jobs and tickets take, and the trees they stand in.
 * A zone that is full refuses what is new and keeps what is there: nothing
 * unfinished, and no ticket that could be used again, ever leaves for it.
 */

#include "ngx_http_codr_store.h"

#include <openssl/rand.h>


static ngx_rbtree_node_t **ngx_http_codr_node_next(ngx_rbtree_node_t *at,
    ngx_rbtree_key_t key, const u_char *id);
static void ngx_http_codr_node_place(ngx_rbtree_node_t *at,
    ngx_rbtree_node_t *node, ngx_rbtree_node_t *sentinel);


ngx_http_codr_store_t *
ngx_http_codr_store_create(ngx_slab_pool_t *pool)
{
    ngx_http_codr_store_t  *store;

    store = ngx_slab_calloc(pool, sizeof(ngx_http_codr_store_t));

    if (store == NULL
        || RAND_bytes(store->ticket_key, NGX_HTTP_CODR_KEY_BYTES) != 1
        || RAND_bytes(store->name, NGX_HTTP_CODR_NODE_ID) != 1)
    {
        return NULL;
    }

    pool->log_nomem = 0;                       /* we say so ourselves, once */

    store->pool = pool;
    store->created = ngx_time();

    ngx_http_codr_nodes_init(&store->used);
    ngx_http_codr_nodes_init(&store->records);
    ngx_queue_init(&store->unfinished);

    return store;
}


void *
ngx_http_codr_store_alloc_locked(ngx_http_codr_store_t *store, size_t size)
{
    void  *p;

    do {
        p = ngx_slab_calloc_locked(store->pool, size);

        if (p) {
            if (store->full == size) {
                store->full = 0;
            }

            return p;
        }
    } while (ngx_http_codr_records_drop_locked(store) == NGX_OK);

    /* what has room for one size may have none for others: only room for the
       same one takes it back */

    if (store->full == 0) {
        store->full = size;

        ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                      "codr: the zone of codr_zone is full: nothing new is "
                      "accepted until there is room");
    }

    return NULL;
}


void
ngx_http_codr_nodes_init(ngx_http_codr_nodes_t *nodes)
{
    ngx_rbtree_init(&nodes->tree, &nodes->sentinel, ngx_http_codr_node_place);
    ngx_queue_init(&nodes->queue);
}


/* Where to look next for the id; NULL: it is this one. */

static ngx_rbtree_node_t **
ngx_http_codr_node_next(ngx_rbtree_node_t *at, ngx_rbtree_key_t key,
    const u_char *id)
{
    ngx_int_t              rc;
    ngx_http_codr_node_t  *node;

    if (key != at->key) {
        return (key < at->key) ? &at->left : &at->right;
    }

    node = (ngx_http_codr_node_t *) at;
    rc = ngx_memcmp(id, node->id, NGX_HTTP_CODR_NODE_ID);

    return (rc == 0) ? NULL : (rc < 0) ? &at->left : &at->right;
}


static ngx_rbtree_key_t
ngx_http_codr_node_key(const u_char *id)
{
    ngx_rbtree_key_t  key;

    ngx_memcpy(&key, id, sizeof(ngx_rbtree_key_t));

    return key;
}


ngx_http_codr_node_t *
ngx_http_codr_node_find(ngx_http_codr_nodes_t *nodes, const u_char *id)
{
    ngx_rbtree_key_t    key;
    ngx_rbtree_node_t  *at, **next;

    key = ngx_http_codr_node_key(id);

    for (at = nodes->tree.root; at != nodes->tree.sentinel; at = *next) {
        next = ngx_http_codr_node_next(at, key, id);

        if (next == NULL) {
            return (ngx_http_codr_node_t *) at;
        }
    }

    return NULL;
}


static void
ngx_http_codr_node_place(ngx_rbtree_node_t *at, ngx_rbtree_node_t *node,
    ngx_rbtree_node_t *sentinel)
{
    ngx_rbtree_node_t  **p;

    for ( ;; ) {
        p = ngx_http_codr_node_next(at, node->key,
                                    ((ngx_http_codr_node_t *) node)->id);

        if (p == NULL) {                       /* callers look before */
            p = &at->right;
        }

        if (*p == sentinel) {
            break;
        }

        at = *p;
    }

    *p = node;
    node->parent = at;
    node->left = sentinel;
    node->right = sentinel;
    ngx_rbt_red(node);
}


void
ngx_http_codr_node_insert(ngx_http_codr_nodes_t *nodes,
    ngx_http_codr_node_t *node, const u_char *id)
{
    ngx_memcpy(node->id, id, NGX_HTTP_CODR_NODE_ID);
    node->node.key = ngx_http_codr_node_key(id);

    ngx_rbtree_insert(&nodes->tree, &node->node);
}


void
ngx_http_codr_node_delete(ngx_http_codr_nodes_t *nodes,
    ngx_http_codr_node_t *node)
{
    ngx_rbtree_delete(&nodes->tree, &node->node);
}
