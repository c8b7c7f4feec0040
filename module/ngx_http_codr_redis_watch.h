
/*
 * What nodes say to each other through Redis.
 */

#ifndef _NGX_HTTP_CODR_REDIS_WATCH_H_INCLUDED_
#define _NGX_HTTP_CODR_REDIS_WATCH_H_INCLUDED_


#include "ngx_http_codr_redis.h"


/* redis_watch: messages on a channel of a job */

typedef struct {
    ngx_queue_t                queue;
    u_char                     id[CODR_JOB_ID_LEN];
    void                     (*message)(void *data, const char *suffix,
                                        const u_char *text, size_t len);
    void                      *data;
} ngx_http_codr_watcher_t;

/* Calls message for what comes on ":output" and ":complete".  NGX_DECLINED:
   there are too many. */
ngx_int_t ngx_http_codr_redis_watch(ngx_http_codr_redis_t *redis,
    ngx_http_codr_watcher_t *watcher);
void ngx_http_codr_redis_unwatch(ngx_http_codr_redis_t *redis,
    ngx_http_codr_watcher_t *watcher);

/* The connection for messages stands: what is wanted is asked for; and, what
   has come on it. */
void ngx_http_codr_redis_listen(ngx_http_codr_link_t *link);
void ngx_http_codr_redis_message(ngx_http_codr_link_t *link,
    redisReply *reply);


/* redis_ticket: NGX_OK, and handler is called once with NGX_OK, NGX_DECLINED
   (it was used) or NGX_ERROR (nobody knows); else NGX_ERROR. */
typedef void (*ngx_http_codr_redis_used_pt)(void *data, ngx_int_t rc);

ngx_int_t ngx_http_codr_redis_used(ngx_http_codr_redis_t *redis,
    ngx_str_t *jti, time_t expires, ngx_http_codr_redis_used_pt handler,
    void *data);


/* redis_control: stops a job of another node; and, something has come on
   ":control" */
ngx_int_t ngx_http_codr_redis_stop(ngx_http_codr_redis_t *redis,
    const u_char *id);
void ngx_http_codr_redis_control(ngx_http_codr_redis_t *redis,
    const u_char *id, const u_char *text, size_t len);


#endif /* _NGX_HTTP_CODR_REDIS_WATCH_H_INCLUDED_ */
