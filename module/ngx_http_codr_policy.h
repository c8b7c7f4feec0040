
/*
 * Policies in the configuration.
 */

#ifndef _NGX_HTTP_CODR_POLICY_H_INCLUDED_
#define _NGX_HTTP_CODR_POLICY_H_INCLUDED_


#include "ngx_http_codr.h"


char *ngx_http_codr_policy(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_codr_policies(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
void ngx_http_codr_policy_merge(ngx_http_codr_loc_conf_t *prev,
    ngx_http_codr_loc_conf_t *conf);

/* Asks the validator about all policies; logs an [emerg]. */
ngx_int_t ngx_http_codr_policy_check(ngx_conf_t *cf);


#endif /* _NGX_HTTP_CODR_POLICY_H_INCLUDED_ */
