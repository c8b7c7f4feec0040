
/*
 * Records that want something.
 */

#ifndef _NGX_HTTP_CODR_RECORDS_LIST_H_INCLUDED_
#define _NGX_HTTP_CODR_RECORDS_LIST_H_INCLUDED_


#include "ngx_http_codr_records.h"


/* What other nodes are to know a job's tokens by; before it is said there that
   it was accepted, or has started. */
void ngx_http_codr_records_tokens(ngx_http_codr_job_t *job,
    ngx_http_codr_answer_t *a);

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


#endif /* _NGX_HTTP_CODR_RECORDS_LIST_H_INCLUDED_ */
