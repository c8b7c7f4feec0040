
/*
 * Why an execute is refused, in words that are made for it.  Runs in workers.
 */

#include "ngx_http_codr_execute.h"


#define NGX_HTTP_CODR_REFUSAL  256             /* bytes of a message */


ngx_int_t
ngx_http_codr_refuse(ngx_http_codr_execute_t *x,
    ngx_http_codr_answer_t *refusal, codr_error_t code, const char *fmt, ...)
{
    u_char   *message, *last;
    va_list   args;

    ngx_http_codr_answer_error(refusal, code, "");

    message = ngx_pnalloc(x->pool, NGX_HTTP_CODR_REFUSAL);

    if (message) {
        va_start(args, fmt);
        last = ngx_vslprintf(message, message + NGX_HTTP_CODR_REFUSAL, fmt,
                             args);
        va_end(args);

        refusal->message.data = message;
        refusal->message.len = last - message;
    }

    return NGX_ERROR;
}


ngx_int_t
ngx_http_codr_refuse_limit(ngx_http_codr_execute_t *x,
    ngx_http_codr_answer_t *refusal, codr_error_t code, codr_limit_id_t limit,
    const char *what)
{
    uint64_t  cap;

    cap = x->caps.value[limit];

    (void) ngx_http_codr_refuse(x, refusal, code, "%s: the limit is %uL", what,
                                cap);

    ngx_http_codr_answer_set(refusal, CODR_FIELD_LIMIT);
    refusal->limit = limit;
    refusal->limits.value[limit] = cap;

    return NGX_ERROR;
}
