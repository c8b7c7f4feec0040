
/*
 * Names of jobs: CODR_JOB_ID_LEN lower-case hexadecimal digits.
 */

#ifndef _NGX_HTTP_CODR_ID_H_INCLUDED_
#define _NGX_HTTP_CODR_ID_H_INCLUDED_


#include "ngx_http_codr.h"


#define NGX_HTTP_CODR_UUID_LEN  36


/* 32 lower-case digits of as many in any case, or of a UUID; NGX_DECLINED for
   anything else. */
ngx_int_t ngx_http_codr_id_digits(u_char *digits, const u_char *name,
    size_t len);

/* 16 bytes of 32 lower-case digits; NGX_ERROR for anything else. */
ngx_int_t ngx_http_codr_id_bytes(u_char *bytes, const u_char *id, size_t len);


#endif /* _NGX_HTTP_CODR_ID_H_INCLUDED_ */
