
/*
 * What a worker must look after when it is told to leave, and which of its jobs
 * take turns.
 */

#ifndef _NGX_HTTP_CODR_DRAIN_H_INCLUDED_
#define _NGX_HTTP_CODR_DRAIN_H_INCLUDED_


#include "ngx_http_codr.h"
#include "ngx_http_codr_sendq.h"


#define NGX_HTTP_CODR_JOB_SPARES  8


struct ngx_http_codr_drain_s {
    ngx_queue_t                sockets;        /* ngx_http_codr_ws_t */
    ngx_queue_t                jobs;           /* ngx_http_codr_job_t */
    ngx_http_codr_spares_t     spares;         /* of sockets and jobs */
    u_char                    *buffers[NGX_HTTP_CODR_JOB_SPARES];
    ngx_uint_t                 nbuffers;       /* jobs have used, too */
    ngx_connection_t          *guard;
    ngx_event_t                goodbye;
    ngx_queue_t                floods;         /* ngx_http_codr_job_t */
    ngx_event_t                turn;
};


/* Of this worker; NULL without memory. */
ngx_http_codr_drain_t *ngx_http_codr_drain(ngx_http_codr_main_conf_t *mcf);


#endif /* _NGX_HTTP_CODR_DRAIN_H_INCLUDED_ */
