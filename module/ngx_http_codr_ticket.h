
/*
 * Tickets: a JSON Web Token that is good for one execute.
 */

#ifndef _NGX_HTTP_CODR_TICKET_H_INCLUDED_
#define _NGX_HTTP_CODR_TICKET_H_INCLUDED_


#include "ngx_http_codr.h"
#include "ngx_http_codr_answer.h"

#include <jansson.h>


#define NGX_HTTP_CODR_TOKEN_MAX    4096        /* bytes of one */
#define NGX_HTTP_CODR_TICKET_SKEW  60          /* seconds a clock may be off */


/* jwt: HS256 and nothing else */

/* The token of a payload, in pool. */
ngx_int_t ngx_http_codr_jwt_sign(ngx_pool_t *pool, const ngx_str_t *key,
    const u_char *payload, size_t len, ngx_str_t *ret);

/* The claims of a token that was signed with the key, or NULL; what they say
   is not looked at. */
json_t *ngx_http_codr_jwt_verify(ngx_pool_t *pool, const ngx_str_t *key,
    const u_char *token, size_t len);


/* Who an execute is for, and which job it is to be. */

typedef struct {
    ngx_str_t                  owner;
    ngx_str_t                  key_id;         /* empty: no key */
    ngx_str_t                  job_id;         /* empty: any */
    ngx_str_t                  jti;            /* empty: nobody but us needs
                                                  to know that it is used */
    time_t                     expires;
} ngx_http_codr_identity_t;


/* ticket: what an execute's message presents, or else the request did.  NGX_OK
   and who, in memory of the request, of pool or of the message; NGX_DECLINED:
   no good credential, which is counted; NGX_BUSY: nobody can tell now. */
ngx_int_t ngx_http_codr_admit(ngx_http_request_t *r, ngx_pool_t *pool,
    json_t *message, ngx_http_codr_identity_t *who);

/* What signs tickets, and whatever else nodes must believe of each other; own
   is room for it.  NULL: there is none. */
ngx_str_t *ngx_http_codr_ticket_key(ngx_http_codr_main_conf_t *mcf,
    ngx_str_t *own);

/* What is said when ngx_http_codr_admit() has returned rc. */
void ngx_http_codr_not_admitted(ngx_int_t rc, ngx_http_codr_answer_t *refusal);

/* The answer to POST .../create. */
ngx_int_t ngx_http_codr_ticket_handler(ngx_http_request_t *r);


#endif /* _NGX_HTTP_CODR_TICKET_H_INCLUDED_ */
