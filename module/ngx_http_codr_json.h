
/*
 * JSON for clients: a small writer, and every message but "output".
 */

#ifndef _NGX_HTTP_CODR_JSON_H_INCLUDED_
#define _NGX_HTTP_CODR_JSON_H_INCLUDED_


#include "ngx_http_codr.h"
#include "ngx_http_codr_job.h"


/* A text that grows in a pool.  Failed for good without memory: look once, at
   the end. */

typedef struct {
    ngx_pool_t                *pool;
    u_char                    *start;
    u_char                    *pos;
    u_char                    *end;

    unsigned                   comma:1;        /* before the next value */
    unsigned                   failed:1;
} ngx_http_codr_json_t;


void ngx_http_codr_json_init(ngx_http_codr_json_t *j, ngx_pool_t *pool,
    size_t size);

/* Opens an object: the value of key, or without one the whole text. */
void ngx_http_codr_json_open(ngx_http_codr_json_t *j, const char *key);
void ngx_http_codr_json_close(ngx_http_codr_json_t *j);

/* An array, likewise. */
void ngx_http_codr_json_array(ngx_http_codr_json_t *j, const char *key);
void ngx_http_codr_json_array_end(ngx_http_codr_json_t *j);

void ngx_http_codr_json_text(ngx_http_codr_json_t *j, const char *key,
    const ngx_str_t *value);
void ngx_http_codr_json_name(ngx_http_codr_json_t *j, const char *key,
    const char *value);
void ngx_http_codr_json_number(ngx_http_codr_json_t *j, const char *key,
    int64_t value);
void ngx_http_codr_json_seconds(ngx_http_codr_json_t *j, const char *key,
    uint64_t us);
void ngx_http_codr_json_time(ngx_http_codr_json_t *j, const char *key,
    uint64_t ms);
void ngx_http_codr_json_bool(ngx_http_codr_json_t *j, const char *key,
    uint64_t value);
void ngx_http_codr_json_null(ngx_http_codr_json_t *j, const char *key);

/* A value that is JSON already. */
void ngx_http_codr_json_raw(ngx_http_codr_json_t *j, const char *key,
    const void *data, size_t len);

/* Bytes as they are: for a text that is no JSON yet. */
void ngx_http_codr_json_put(ngx_http_codr_json_t *j, const void *data,
    size_t len);


/* The server's message for an answer of the broker, or for a refusal; job is
   NULL when there is none. */
void ngx_http_codr_json_answer(ngx_http_codr_json_t *j,
    ngx_http_codr_answer_t *a, ngx_http_codr_job_t *job);

/* The fields of "complete", and those of an error but its code, without
   braces. */
void ngx_http_codr_json_complete(ngx_http_codr_json_t *j,
    ngx_http_codr_answer_t *a, ngx_http_codr_job_t *job);
void ngx_http_codr_json_error(ngx_http_codr_json_t *j,
    ngx_http_codr_answer_t *a, ngx_http_codr_job_t *job);

/* The same fields for a program that did not compile. */
void ngx_http_codr_json_uncompiled(ngx_http_codr_json_t *j,
    ngx_http_codr_answer_t *a, ngx_http_codr_job_t *job);


#endif /* _NGX_HTTP_CODR_JSON_H_INCLUDED_ */
