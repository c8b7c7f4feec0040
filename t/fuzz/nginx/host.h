/*
 * What nginx is to the targets that need it: a pool for one input, a logger
 * that says nothing, requests and configurations as they need them.
 */

#ifndef HOST_H
#define HOST_H

#include "../../../module/ngx_http_codr.h"

#include "../fuzz.h"

typedef struct {
    ngx_pool_t          *pool;
    ngx_log_t            log;
    ngx_connection_t     connection;
    ngx_event_t          read;
    ngx_event_t          write;
    ngx_buf_t            empty;         /* what came with the request */
    ngx_http_request_t   request;
    void                *ctx[1];        /* codr's own is the only one */
    void                *main_conf[1];
    void                *loc_conf[1];

    ngx_http_codr_ctx_t        own;
    ngx_http_codr_main_conf_t  mcf;
    ngx_http_codr_loc_conf_t   lcf;
} host_t;


/* Everything zero but what points to each other. */
void host_begin(host_t *host);
void host_end(host_t *host);

/* One more header of the request. */
void host_header(host_t *host, const void *name, size_t name_len,
    const void *value, size_t len);

/* A language as most are. */
ngx_http_codr_language_t *host_language(host_t *host, const char *name,
    const char *source, const char *glob);

#endif /* HOST_H */
