
/*
 * Questions to the helper about one job, by its id: its end, its output, or to
 * stop it.  Whose job it is has been looked at before.
 */

#ifndef _NGX_HTTP_CODR_FETCH_H_INCLUDED_
#define _NGX_HTTP_CODR_FETCH_H_INCLUDED_


#include "ngx_http_codr.h"
#include "ngx_http_codr_answer.h"


typedef struct ngx_http_codr_fetch_s  ngx_http_codr_fetch_t;


typedef struct {
    const u_char              *id;             /* 32 digits */
    ngx_msec_t                 wait;           /* for its end, at most */
    ngx_uint_t                 stop;
    ngx_uint_t                 remote;         /* it is another node's */
    ngx_uint_t                 output;         /* is wanted, from offset on */
    uint64_t                   offset;
    uint64_t                   size;           /* of each stream, at most */
} ngx_http_codr_question_t;


/*
 * output and answer only take down what came: RECORD, then FETCHED or the
 * job's COMPLETE or ERROR; or nothing but an ERROR.  done is the last of all,
 * and may do anything: the fetch is gone by then.
 */

typedef struct {
    void  (*output)(void *data, codr_output_t *output);
    void  (*answer)(void *data, ngx_http_codr_answer_t *a);
    void  (*done)(void *data);
} ngx_http_codr_fetch_handler_t;


/* NULL: the helper cannot be asked. */
ngx_http_codr_fetch_t *ngx_http_codr_fetch(ngx_http_codr_main_conf_t *mcf,
    ngx_http_codr_question_t *question,
    const ngx_http_codr_fetch_handler_t *handler, void *data, ngx_log_t *log);

/* Ends it without done. */
void ngx_http_codr_fetch_close(ngx_http_codr_fetch_t *fetch);


#endif /* _NGX_HTTP_CODR_FETCH_H_INCLUDED_ */
