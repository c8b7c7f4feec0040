
/*
 * An attach message, checked: which job a client wants to join.
 */

#ifndef _NGX_HTTP_CODR_ATTACH_H_INCLUDED_
#define _NGX_HTTP_CODR_ATTACH_H_INCLUDED_


#include "ngx_http_codr.h"

#include <jansson.h>


typedef struct {
    u_char                     digits[CODR_JOB_ID_LEN];
    ngx_str_t                  job_id;
    ngx_str_t                  token;
    uint64_t                   offset;
    ngx_uint_t                 viewer;         /* it is a view token */
} ngx_http_codr_attach_t;


/* NGX_OK, and attach points into the message or to its own digits;
   NGX_DECLINED for what cannot be an id or a token; NGX_ERROR for a malformed
   message. */
ngx_int_t ngx_http_codr_attach_read(json_t *message,
    ngx_http_codr_attach_t *attach);


#endif /* _NGX_HTTP_CODR_ATTACH_H_INCLUDED_ */
