
/*
 * What an Accept header would rather have: server-sent events or JSON.
 *
 * Pure: libc only, no allocation, no nginx; every byte may be hostile.
 */

#ifndef _NGX_HTTP_CODR_ACCEPT_H_INCLUDED_
#define _NGX_HTTP_CODR_ACCEPT_H_INCLUDED_


#include <stddef.h>


/* Weights in thousandths; negative: not named. */

typedef struct {
    int   events;                              /* text/event-stream */
    int   json;                                /* application/json */
    int   any;                                 /* application/, or all */
} ngx_http_codr_accept_t;


/* Adds one header's value to what others said: all of them are one list. */
void ngx_http_codr_accept_init(ngx_http_codr_accept_t *accept);
void ngx_http_codr_accept_read(ngx_http_codr_accept_t *accept,
    const unsigned char *p, size_t len);

/* Events have to be named; JSON wins where both are named alike. */
int ngx_http_codr_accept_events(const ngx_http_codr_accept_t *accept);


#endif /* _NGX_HTTP_CODR_ACCEPT_H_INCLUDED_ */
