
/*
 * A job's messages as server-sent events.
 */

#ifndef _NGX_HTTP_CODR_SSE_H_INCLUDED_
#define _NGX_HTTP_CODR_SSE_H_INCLUDED_


#include "ngx_http_codr.h"
#include "ngx_http_codr_job.h"


typedef struct ngx_http_codr_sse_s  ngx_http_codr_sse_t;


/* To be put into ctx->session.  NULL without memory. */
ngx_http_codr_sse_t *ngx_http_codr_sse_create(ngx_http_request_t *r,
    ngx_http_codr_job_t *job);

/* As of ngx_http_codr_job_handler_t: flush may end the request. */
void ngx_http_codr_sse_output(ngx_http_codr_sse_t *sse,
    codr_output_t *output);
void ngx_http_codr_sse_answer(ngx_http_codr_sse_t *sse,
    ngx_http_codr_answer_t *a);
void ngx_http_codr_sse_flush(ngx_http_codr_sse_t *sse);


#endif /* _NGX_HTTP_CODR_SSE_H_INCLUDED_ */
