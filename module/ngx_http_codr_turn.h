
/*
 * Jobs that flood take turns: one of them is read in a cycle of the event loop,
 * so that whoever else has something to say waits for one read, and not for one
 * of each.
 */

#ifndef _NGX_HTTP_CODR_TURN_H_INCLUDED_
#define _NGX_HTTP_CODR_TURN_H_INCLUDED_


#include "ngx_http_codr_drain.h"
#include "ngx_http_codr_job.h"


void ngx_http_codr_turn_init(ngx_http_codr_drain_t *drain);

/* The job's read event, with flood clear, comes in its turn. */
void ngx_http_codr_turn_wait(ngx_http_codr_job_t *job);

/* It goes. */
void ngx_http_codr_turn_leave(ngx_http_codr_job_t *job);


#endif /* _NGX_HTTP_CODR_TURN_H_INCLUDED_ */
