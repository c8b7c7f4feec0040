
/*
 * The job API: what one request wants to know of one job.
 */

#ifndef _NGX_HTTP_CODR_JOBS_H_INCLUDED_
#define _NGX_HTTP_CODR_JOBS_H_INCLUDED_


#include "ngx_http_codr.h"
#include "ngx_http_codr_fetch.h"
#include "ngx_http_codr_json.h"
#include "ngx_http_codr_records.h"


#define NGX_HTTP_CODR_JOBS_STREAM  (64 * 1024)     /* bytes in a record */
#define NGX_HTTP_CODR_JOBS_OUTPUT  (1024 * 1024)   /* of one answer */


/* One request that waits for the helper; in r->pool. */

typedef struct ngx_http_codr_look_s  ngx_http_codr_look_t;

typedef ngx_int_t (*ngx_http_codr_look_pt)(ngx_http_codr_look_t *look);

struct ngx_http_codr_look_s {
    ngx_http_request_t        *request;
    ngx_http_codr_main_conf_t *mcf;
    u_char                     id[CODR_JOB_ID_LEN];
    ngx_http_codr_stored_t     record;
    ngx_http_codr_question_t   question;
    ngx_http_codr_look_pt      answer;         /* what to send in the end */

    ngx_http_codr_fetch_t     *fetch;          /* NULL before and after */
    ngx_http_codr_json_t       streams[2];     /* raw bytes, as wanted */
    ngx_http_codr_json_t       raw;            /* both, in their order */
    ngx_http_codr_json_t       result;         /* inside of its braces */
    uint64_t                   end;            /* of what is in raw */

    unsigned                   deleting:1;
    unsigned                   remote:1;       /* not of this node */
    unsigned                   merged:1;       /* raw is wanted, not streams */
    unsigned                   known:1;        /* to the helper */
    unsigned                   missing:1;      /* there */
    unsigned                   ended:1;        /* result is set */
    unsigned                   failed:1;       /* and is that of an error */
    unsigned                   full:1;         /* no more fits into raw */
};


/* look: asks the helper, then calls look->answer; as a content handler. */
ngx_int_t ngx_http_codr_look(ngx_http_codr_look_t *look);

/* Whether an owner, and the key of its job, are those of the request. */
ngx_uint_t ngx_http_codr_look_owned(ngx_http_request_t *r, ngx_str_t *owner,
    ngx_str_t *key_id);

/* The answer when there is none, or none that is the request's. */
ngx_int_t ngx_http_codr_look_none(ngx_http_request_t *r);

/* remote: look, for a job that only Redis knows, of another node. */
ngx_int_t ngx_http_codr_remote(ngx_http_codr_look_t *look);

/* The record, as it is now, as the answer. */
ngx_int_t ngx_http_codr_jobs_record(ngx_http_codr_look_t *look);

/* The output, as the answer. */
ngx_int_t ngx_http_codr_jobs_output(ngx_http_codr_look_t *look);


#endif /* _NGX_HTTP_CODR_JOBS_H_INCLUDED_ */
