
/*
 * What workers share about jobs and tickets, in the zone of codr_zone: nodes
 * in trees, by 16 bytes that nobody can choose.  Everything "_locked" is called
 * with the zone's mutex held.
 */

#ifndef _NGX_HTTP_CODR_STORE_H_INCLUDED_
#define _NGX_HTTP_CODR_STORE_H_INCLUDED_


#include "ngx_http_codr.h"


#define NGX_HTTP_CODR_NODE_ID    16
#define NGX_HTTP_CODR_KEY_BYTES  32            /* of a key of our own */


typedef struct {
    ngx_rbtree_node_t          node;           /* key: the id's first bytes */
    u_char                     id[NGX_HTTP_CODR_NODE_ID];
} ngx_http_codr_node_t;


typedef struct {
    ngx_rbtree_t               tree;
    ngx_rbtree_node_t          sentinel;
    ngx_queue_t                queue;          /* oldest first */
} ngx_http_codr_nodes_t;


typedef struct {
    ngx_slab_pool_t           *pool;
    time_t                     created;
    time_t                     forgotten;      /* no ticket that was used and
                                                  expired later has left */
    size_t                     full;           /* for this size; said; 0: no */
    ngx_uint_t                 redis_said;     /* 1: it is up, 2: it is not */
    u_char                     ticket_key[NGX_HTTP_CODR_KEY_BYTES];
    u_char                     name[NGX_HTTP_CODR_NODE_ID];
                                               /* by which other nodes know
                                                  this one */
    ngx_http_codr_nodes_t      used;           /* tickets */
    ngx_http_codr_nodes_t      records;        /* its queue: finished ones */
    ngx_queue_t                unfinished;
    ngx_uint_t                 count[5];       /* of records.c */
} ngx_http_codr_store_t;


/* zone: NULL without one */
ngx_http_codr_store_t *ngx_http_codr_store(ngx_http_codr_main_conf_t *mcf);

/* In a new zone, by the master; NULL without memory or random bytes. */
ngx_http_codr_store_t *ngx_http_codr_store_create(ngx_slab_pool_t *pool);

/* Zeroed memory of the zone, for which finished records leave, oldest first;
   or NULL: it is full, which the log says once. */
void *ngx_http_codr_store_alloc_locked(ngx_http_codr_store_t *store,
    size_t size);

void ngx_http_codr_nodes_init(ngx_http_codr_nodes_t *nodes);
ngx_http_codr_node_t *ngx_http_codr_node_find(ngx_http_codr_nodes_t *nodes,
    const u_char *id);
void ngx_http_codr_node_insert(ngx_http_codr_nodes_t *nodes,
    ngx_http_codr_node_t *node, const u_char *id);
void ngx_http_codr_node_delete(ngx_http_codr_nodes_t *nodes,
    ngx_http_codr_node_t *node);

/* used: notes that the ticket of this name is used, until it expires.
   NGX_OK; NGX_DECLINED: it was before, or nobody knows any more; NGX_ERROR:
   there is no room. */
ngx_int_t ngx_http_codr_used(ngx_http_codr_main_conf_t *mcf, ngx_str_t *jti,
    time_t expires);

/* Before one is made that expires then: it must not look like one that was
   used long ago. */
void ngx_http_codr_used_before(ngx_http_codr_main_conf_t *mcf,
    time_t expires);

/* records: drops the oldest finished one; NGX_DECLINED: there is none. */
ngx_int_t ngx_http_codr_records_drop_locked(ngx_http_codr_store_t *store);


#endif /* _NGX_HTTP_CODR_STORE_H_INCLUDED_ */
