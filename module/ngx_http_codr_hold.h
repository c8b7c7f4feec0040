
/*
 * What must be before the helper gets any of a job.
 */

#ifndef _NGX_HTTP_CODR_HOLD_H_INCLUDED_
#define _NGX_HTTP_CODR_HOLD_H_INCLUDED_


#include "ngx_http_codr_job.h"


/* The one with these 32 digits that this worker controls, or NULL. */
ngx_http_codr_job_t *ngx_http_codr_job_find(ngx_http_codr_main_conf_t *mcf,
    const u_char *id);

/* One answer has come that it was held for; and, it is not to begin. */
void ngx_http_codr_job_release(ngx_http_codr_job_t *job);
void ngx_http_codr_job_deny(ngx_http_codr_job_t *job, codr_error_t code,
    const char *reason);

/* hold: NGX_OK, it has a record and may be held; else refusal says why it
   cannot be run. */
ngx_int_t ngx_http_codr_hold(ngx_http_codr_job_t *job,
    ngx_http_codr_execute_t *x, ngx_http_codr_answer_t *refusal);


#endif /* _NGX_HTTP_CODR_HOLD_H_INCLUDED_ */
