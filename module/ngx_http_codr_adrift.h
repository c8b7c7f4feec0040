
/*
 * Jobs whose worker or client is gone: how their ends come into their records.
 */

#ifndef _NGX_HTTP_CODR_ADRIFT_H_INCLUDED_
#define _NGX_HTTP_CODR_ADRIFT_H_INCLUDED_


#include "ngx_http_codr.h"
#include "ngx_http_codr_answer.h"


/* A worker begins: it takes over what the one before it in its slot has left
   behind. */
void ngx_http_codr_adrift_init_process(ngx_http_codr_main_conf_t *mcf);

/* A broker has spoken for the first time: jobs it does not know are lost. */
void ngx_http_codr_adrift_sweep(ngx_http_codr_main_conf_t *mcf);

/* There will be no broker any more: so are all of them. */
void ngx_http_codr_adrift_end_all(ngx_http_codr_main_conf_t *mcf);

/* The payload of END. */
ngx_int_t ngx_http_codr_adrift_offered(ngx_http_codr_main_conf_t *mcf,
    const u_char *payload, size_t len);

/* Writes the end of a job into its record; who is first to do so counts it,
   and writes its line.  As ngx_http_codr_records_end(). */
ngx_int_t ngx_http_codr_adrift_end(ngx_http_codr_main_conf_t *mcf,
    ngx_pool_t *pool, const u_char *id, ngx_http_codr_answer_t *a);


#endif /* _NGX_HTTP_CODR_ADRIFT_H_INCLUDED_ */
