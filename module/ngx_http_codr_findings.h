
/*
 * What a policy has found.
 */

#ifndef _NGX_HTTP_CODR_FINDINGS_H_INCLUDED_
#define _NGX_HTTP_CODR_FINDINGS_H_INCLUDED_


#include "ngx_http_codr_json.h"


/* A field of a finding into the answer; NGX_DECLINED when it is another, or
   NGX_ERROR. */
ngx_int_t ngx_http_codr_findings_field(ngx_http_codr_answer_t *a,
    codr_field_t *field);

/* The findings of an answer as an array; nothing when there are none. */
void ngx_http_codr_findings_json(ngx_http_codr_json_t *j, const char *key,
    ngx_http_codr_answer_t *a);


#endif /* _NGX_HTTP_CODR_FINDINGS_H_INCLUDED_ */
