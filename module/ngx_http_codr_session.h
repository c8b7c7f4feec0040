
/*
 * What the files of a socket's session share: its messages, and its job.
 */

#ifndef _NGX_HTTP_CODR_SESSION_H_INCLUDED_
#define _NGX_HTTP_CODR_SESSION_H_INCLUDED_


#include "ngx_http_codr_ws.h"


/* Of a pool that lives as long as a message. */

#define NGX_HTTP_CODR_SESSION_POOL  4096


/* session */

void ngx_http_codr_session_notice(ngx_http_codr_ws_t *ws, codr_notice_t code,
    const char *text);
void ngx_http_codr_session_say(ngx_http_codr_ws_t *ws,
    ngx_http_codr_answer_t *a);


/* session_job: messages that begin one; the client is gone or goes, and so
   does the job */

void ngx_http_codr_session_execute(ngx_http_codr_ws_t *ws, json_t *message);
void ngx_http_codr_session_attach(ngx_http_codr_ws_t *ws, json_t *message);
void ngx_http_codr_session_abandon(ngx_http_codr_ws_t *ws);


#endif /* _NGX_HTTP_CODR_SESSION_H_INCLUDED_ */
