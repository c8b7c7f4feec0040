
/*
 * The job socket, between the file that opens it and the one that reads it.
 */

#ifndef _NGX_HTTP_CODR_JOB_OPEN_H_INCLUDED_
#define _NGX_HTTP_CODR_JOB_OPEN_H_INCLUDED_


#include "ngx_http_codr_job.h"


/* A frame, and a bit more: a read that does not fill the buffer has got all
   there is, which need not be asked for once more. */

#define NGX_HTTP_CODR_JOB_BUFFER  (2 * CODR_FRAME_HEADER + CODR_FRAME_MAX)

/* How much longer than it may the broker takes before it counts as hung. */

#define NGX_HTTP_CODR_JOB_GRACE   30000


/* A socket to the helper, or to another node's, with what is to be sent; the
   one before is the caller's to close. */
ngx_int_t ngx_http_codr_job_connect(ngx_http_codr_job_t *job, ngx_log_t *log);

void ngx_http_codr_job_read_handler(ngx_event_t *rev);


#endif /* _NGX_HTTP_CODR_JOB_OPEN_H_INCLUDED_ */
