
/*
 * An execute message, checked: what a client asks for, ready for the broker.
 */

#ifndef _NGX_HTTP_CODR_EXECUTE_H_INCLUDED_
#define _NGX_HTTP_CODR_EXECUTE_H_INCLUDED_


#include "ngx_http_codr.h"
#include "ngx_http_codr_answer.h"
#include "ngx_http_codr_quota.h"
#include "ngx_http_codr_sendq.h"
#include "ngx_http_codr_ticket.h"

#include <jansson.h>


/* A checked execute; strings belong to the message it was read from, or to
   pool. */

typedef struct {
    ngx_str_t                  name;
    ngx_str_t                  data;
} ngx_http_codr_file_t;

typedef struct {
    ngx_pool_t                *pool;           /* these by the caller */
    ngx_http_request_t        *request;
    ngx_http_codr_main_conf_t *mcf;
    ngx_http_codr_loc_conf_t  *lcf;
    ngx_http_codr_identity_t   who;
    ngx_uint_t                 live;           /* a WebSocket: it can type */
    ngx_uint_t                 async;          /* nobody waits for it */
    ngx_uint_t                 watched;        /* output goes out as it comes */
    json_t                    *message;

    ngx_http_codr_language_t  *language;
    codr_limits_t              caps;           /* of location and language */
    codr_limits_t              wished;         /* 0: not a valid number */
    ngx_uint_t                 wishes;         /* bits: which were asked for */
    ngx_array_t                files;          /* ngx_http_codr_file_t, the
                                                  main file first */
    ngx_array_t                args;           /* of ngx_str_t */
    ngx_str_t                  tag;
    ngx_msec_t                 detach;         /* 0: ends with its socket */
    ngx_str_t                  trace;          /* traceparent */
    ngx_str_t                  input;
    ngx_uint_t                 closed;         /* input is all there will be */
    ngx_uint_t                 terminal;       /* codr_terminal_t */
    ngx_uint_t                 cols;
    ngx_uint_t                 rows;
    ngx_uint_t                 echo;
    u_char                     sha256[64];     /* of the code, hexadecimal */
    ngx_http_codr_quotas_t    *quotas;         /* NULL: none */
    ngx_str_t                  head;           /* the EXECUTE frame */
} ngx_http_codr_execute_t;

/* NGX_OK; else refusal says why and nothing was done. */
ngx_int_t ngx_http_codr_execute_read(ngx_http_codr_execute_t *x,
    ngx_http_codr_answer_t *refusal);

/* The same for the files alone; the main file's name is the language's. */
ngx_int_t ngx_http_codr_files_read(ngx_http_codr_execute_t *x,
    ngx_http_codr_answer_t *refusal);

/* execute_frames: EXECUTE in buf, its bytes or 0 when it does not fit; then,
   with that as x->head, the job's frames up to SUBMIT and, where given, its
   whole input. */
size_t ngx_http_codr_execute_head(ngx_http_codr_execute_t *x, u_char *buf,
    size_t size);
ngx_int_t ngx_http_codr_execute_frames(ngx_http_codr_execute_t *x,
    ngx_http_codr_sendq_t *q, ngx_log_t *log);

/* quota: what it counts for; its fields of EXECUTE; and taking what comes back
   with time: NGX_OK, or a refusal */
ngx_int_t ngx_http_codr_quotas_read(ngx_http_codr_execute_t *x,
    ngx_http_codr_answer_t *refusal);
void ngx_http_codr_quotas_put(ngx_http_codr_quotas_t *quotas,
    codr_writer_t *w);
ngx_int_t ngx_http_codr_quotas_take(ngx_http_codr_execute_t *x,
    ngx_http_codr_answer_t *refusal);

/* A terminal's columns or rows: NGX_OK and *side, or NGX_ERROR. */
ngx_int_t ngx_http_codr_side(json_t *value, ngx_uint_t *side);

/* refuse: a refusal with a message made from a format of ngx_sprintf(). */
ngx_int_t ngx_http_codr_refuse(ngx_http_codr_execute_t *x,
    ngx_http_codr_answer_t *refusal, codr_error_t code, const char *fmt, ...);

/* The same, because of a limit: it names the limit and its cap. */
ngx_int_t ngx_http_codr_refuse_limit(ngx_http_codr_execute_t *x,
    ngx_http_codr_answer_t *refusal, codr_error_t code, codr_limit_id_t limit,
    const char *what);


#endif /* _NGX_HTTP_CODR_EXECUTE_H_INCLUDED_ */
