
/*
 * codr_job_log: a line a job.
 */

#ifndef _NGX_HTTP_CODR_JOB_LOG_H_INCLUDED_
#define _NGX_HTTP_CODR_JOB_LOG_H_INCLUDED_


#include "ngx_http_codr.h"


char *ngx_http_codr_job_log_set(ngx_conf_t *cf, ngx_command_t *dummy,
    void *conf);

/* When the http block has been read. */
char *ngx_http_codr_job_log_init(ngx_conf_t *cf,
    ngx_http_codr_main_conf_t *mcf);

/* ctx is what codr's variables show, r is NULL when the request is gone. */
void ngx_http_codr_job_log(ngx_http_codr_main_conf_t *mcf,
    ngx_http_request_t *r, ngx_http_codr_ctx_t *ctx);


#endif /* _NGX_HTTP_CODR_JOB_LOG_H_INCLUDED_ */
