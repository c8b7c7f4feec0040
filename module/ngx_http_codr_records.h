
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
    ngx_pid_t                  pid;            /* of the worker that has its
                                                  socket; 0: none */
    ngx_int_t                  slot;           /* of that worker */
    ngx_uint_t                 outlives;       /* its socket */
    ngx_uint_t                 unsaved;        /* Redis is to have it */
    ngx_pid_t                  saver;          /* who sees to that; 0: nobody */

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

/* What the helper says of one that may have changed while nobody listened:
   a RECORD. */
void ngx_http_codr_records_learn(ngx_http_codr_main_conf_t *mcf,
    const u_char *id, ngx_http_codr_answer_t *a);

/* Jobs of a worker that is gone, of whose slot the caller has taken hold: the
   ids of those that ended with it are added to lost, the others are adrift.
   How many are. */
ngx_uint_t ngx_http_codr_records_inherit(ngx_http_codr_main_conf_t *mcf,
    ngx_array_t *lost);

/* Adds the ids of jobs that no worker has hold of. */
void ngx_http_codr_records_adrift(ngx_http_codr_main_conf_t *mcf,
    ngx_array_t *ids);

/* hold: a worker is to learn the end of one of these.  NGX_OK, it is the
   caller's until let_go or its end; NGX_DECLINED, nothing is left to learn;
   NGX_BUSY, some process has it. */
ngx_int_t ngx_http_codr_records_hold(ngx_http_codr_main_conf_t *mcf,
    const u_char *id);
void ngx_http_codr_records_let_go(ngx_http_codr_main_conf_t *mcf,
    const u_char *id);

/* One that has ended and that Redis has not is saved by one process at a time,
   so that its end is said once.  save: NGX_OK for the one that is to do so;
   saved: it has, or (done is 0) could not; unsaved: another one, whose id is
   set and which is the caller's then, or NGX_DECLINED. */
ngx_int_t ngx_http_codr_records_save(ngx_http_codr_main_conf_t *mcf,
    const u_char *id);
void ngx_http_codr_records_saved(ngx_http_codr_main_conf_t *mcf,
    const u_char *id, ngx_uint_t done);
ngx_int_t ngx_http_codr_records_unsaved(ngx_http_codr_main_conf_t *mcf,
    u_char id[CODR_JOB_ID_LEN]);

/* Adds the ids of unfinished ones that are the caller's to tell of: those it
   has hold of, and for one worker those that nobody has. */
void ngx_http_codr_records_live(ngx_http_codr_main_conf_t *mcf,
    ngx_array_t *ids);

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


/* For the files of records only.  lock: with the mutex held, or NULL; find:
   with it held. */
uint64_t ngx_http_codr_records_now(void);
ngx_http_codr_store_t *ngx_http_codr_records_lock(
    ngx_http_codr_main_conf_t *mcf);
ngx_http_codr_stored_t *ngx_http_codr_records_find(
    ngx_http_codr_store_t *store, const u_char *id);
void ngx_http_codr_records_free(ngx_http_codr_store_t *store,
    ngx_http_codr_stored_t *record);


/* "queued", "processing", "completed" or "failed" */
const char *ngx_http_codr_record_name(ngx_uint_t state);

/* 16 bytes of 32 lower-case digits; NGX_ERROR for anything else. */
ngx_int_t ngx_http_codr_record_id(u_char *bytes, const u_char *id,
    size_t len);


#endif /* _NGX_HTTP_CODR_RECORDS_H_INCLUDED_ */
