
/*
 * Records of jobs, in the zone: who asked for what, and how it ended.  A
 * record ends once, whoever tells of it first; the others are told that they
 * are late.
 */

#ifndef _NGX_HTTP_CODR_RECORDS_H_INCLUDED_
#define _NGX_HTTP_CODR_RECORDS_H_INCLUDED_


#include "ngx_http_codr.h"
#include "ngx_http_codr_job.h"
#include "ngx_http_codr_store.h"


typedef enum {
    NGX_HTTP_CODR_RECORD_OPEN = 0,             /* nobody has accepted it yet */
    NGX_HTTP_CODR_RECORD_QUEUED,
    NGX_HTTP_CODR_RECORD_PROCESSING,
    NGX_HTTP_CODR_RECORD_COMPLETED,
    NGX_HTTP_CODR_RECORD_FAILED
} ngx_http_codr_record_e;


typedef struct {
    ngx_http_codr_node_t       node;           /* by the job's id */
    ngx_queue_t                queue;          /* unfinished or finished */
    ngx_uint_t                 state;          /* ngx_http_codr_record_e */
    uint64_t                   created_ms;     /* since 1970, as these two */
    uint64_t                   started_ms;     /* 0: not yet, as this one */
    uint64_t                   completed_ms;
    ngx_msec_t                 ended;          /* on the clock of timers */
    ngx_pid_t                  pid;            /* of the worker that has its
                                                  socket; 0: none */
    ngx_int_t                  slot;           /* of that worker */
    ngx_uint_t                 outlives;       /* its socket */
    ngx_uint_t                 unsaved;        /* Redis is to have it */
    ngx_pid_t                  saver;          /* who sees to that; 0: nobody */

    u_char                     tokens[2][32];  /* digests: attach, view */
    u_char                     sha256[64];     /* of the code, hexadecimal */

    ngx_str_t                  owner;
    ngx_str_t                  key_id;
    ngx_str_t                  language;
    ngx_str_t                  tag;
    ngx_str_t                  trace;          /* traceparent */
    ngx_str_t                  result;         /* what stands between the
                                                  braces of "result", or of
                                                  "error"; own memory */
} ngx_http_codr_stored_t;


/* The life of a record, as its job goes.  open: NGX_OK; NGX_DECLINED, there is
   one of this id; NGX_ERROR, there is no room. */
ngx_int_t ngx_http_codr_records_open(ngx_http_codr_job_t *job);
void ngx_http_codr_records_accepted(ngx_http_codr_job_t *job);
void ngx_http_codr_records_started(ngx_http_codr_job_t *job);

/* As ngx_http_codr_records_end(). */
ngx_int_t ngx_http_codr_records_ended(ngx_http_codr_job_t *job,
    ngx_http_codr_answer_t *a);

/* Its socket is closed before its end has come. */
void ngx_http_codr_records_left(ngx_http_codr_job_t *job);

/* The end of any job, by whoever hears of it.  NGX_OK; NGX_DECLINED: somebody
   else has heard of it first; NGX_ABORT: it was never accepted, or is not
   known. */
ngx_int_t ngx_http_codr_records_end(ngx_http_codr_main_conf_t *mcf,
    const u_char *id, ngx_http_codr_answer_t *a, ngx_http_codr_job_t *job);

/* A copy in pool of the record with these 32 digits; NGX_DECLINED when there
   is none. */
ngx_int_t ngx_http_codr_records_read(ngx_http_codr_main_conf_t *mcf,
    ngx_pool_t *pool, const u_char *id, ngx_http_codr_stored_t *copy);

/* How many there were, since the zone was made. */

typedef struct {
    ngx_uint_t                 accepted;
    ngx_uint_t                 finished;
    ngx_uint_t                 failed;
    ngx_uint_t                 stopped;
    ngx_uint_t                 unfinished;     /* now */
} ngx_http_codr_tally_t;

ngx_int_t ngx_http_codr_records_tally(ngx_http_codr_main_conf_t *mcf,
    ngx_http_codr_tally_t *tally);


/* Whose job this is that began elsewhere, and what it runs, for its line in the
   log; nothing where it is not known. */
void ngx_http_codr_records_joined(ngx_http_codr_job_t *job);


/* For the files of records only.  lock: with the mutex held, or NULL; find:
   with it held; old: it has ended, and codr_job_ttl is over. */
ngx_uint_t ngx_http_codr_records_old(ngx_http_codr_stored_t *record,
    ngx_msec_t ttl);
ngx_http_codr_store_t *ngx_http_codr_records_lock(
    ngx_http_codr_main_conf_t *mcf);
ngx_http_codr_stored_t *ngx_http_codr_records_find(
    ngx_http_codr_store_t *store, const u_char *id);
void ngx_http_codr_records_free(ngx_http_codr_store_t *store,
    ngx_http_codr_stored_t *record);


/* "queued", "processing", "completed" or "failed" */
const char *ngx_http_codr_record_name(ngx_uint_t state);


#endif /* _NGX_HTTP_CODR_RECORDS_H_INCLUDED_ */
