
/*
 * What a client sends as JSON.
 */

#ifndef _NGX_HTTP_CODR_BODY_H_INCLUDED_
#define _NGX_HTTP_CODR_BODY_H_INCLUDED_


#include "ngx_http_codr.h"

#include <jansson.h>


/* The body that nginx has read, in one piece of r->pool. */
ngx_int_t ngx_http_codr_read_body(ngx_http_request_t *r, ngx_str_t *body);

/* NULL for what is no JSON, or more of it than any message needs; the caller's
   to release. */
json_t *ngx_http_codr_parse(const u_char *data, size_t len);


#endif /* _NGX_HTTP_CODR_BODY_H_INCLUDED_ */
