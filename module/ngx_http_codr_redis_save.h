
/*
 * Records in Redis: the hash of a job, and what is published of it.
 */

#ifndef _NGX_HTTP_CODR_REDIS_SAVE_H_INCLUDED_
#define _NGX_HTTP_CODR_REDIS_SAVE_H_INCLUDED_


#include "ngx_http_codr_redis.h"
#include "ngx_http_codr_records.h"


/* Writes what is known of a job by now; and, when it has ended, all of it with
   its output, and says so.  Without Redis nothing happens. */
void ngx_http_codr_redis_note(ngx_http_codr_main_conf_t *mcf,
    const u_char *id);
void ngx_http_codr_redis_save(ngx_http_codr_main_conf_t *mcf,
    const u_char *id);

/* The first note of a job that must not begin without: handler gets the
   answer.  NGX_DECLINED: there will be none. */
ngx_int_t ngx_http_codr_redis_begin(ngx_http_codr_redis_t *redis,
    ngx_http_codr_job_t *job, ngx_http_codr_redis_pt handler, void *data);

/* Publishes one message of a job. */
void ngx_http_codr_redis_publish(ngx_http_codr_redis_t *redis,
    const u_char *id, const char *suffix, const u_char *text, size_t len);

/* redis_output: what the job's program writes */
ngx_int_t ngx_http_codr_publish_create(ngx_http_codr_redis_t *redis,
    ngx_http_codr_job_t *job);
void ngx_http_codr_publish(ngx_http_codr_job_t *job, codr_output_t *output);
void ngx_http_codr_publish_end(ngx_http_codr_job_t *job);

/* Redis is there again: saves what it has missed. */
void ngx_http_codr_redis_catch_up(ngx_http_codr_redis_t *redis);

/* It has answered a write with an error. */
void ngx_http_codr_redis_failed(ngx_http_codr_redis_t *redis,
    redisReply *reply);


#endif /* _NGX_HTTP_CODR_REDIS_SAVE_H_INCLUDED_ */
