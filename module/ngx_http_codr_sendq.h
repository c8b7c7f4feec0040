
/*
 * Bytes for a socket that may not take them at once.
 */

#ifndef _NGX_HTTP_CODR_SENDQ_H_INCLUDED_
#define _NGX_HTTP_CODR_SENDQ_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


typedef struct ngx_http_codr_sendbuf_s  ngx_http_codr_sendbuf_t;

/* Buffers that were used, for the next ones; zeroed has none. */

typedef struct {
    ngx_http_codr_sendbuf_t   *first;
    ngx_uint_t                 count;
} ngx_http_codr_spares_t;

typedef struct {
    ngx_http_codr_sendbuf_t   *first;
    ngx_http_codr_sendbuf_t   *last;
    size_t                     size;           /* not sent yet */
    ngx_http_codr_sendbuf_t   *sent;           /* newest first; see keep */
    ngx_uint_t                 keep;
    ngx_http_codr_spares_t    *spares;         /* or NULL */
} ngx_http_codr_sendq_t;

/* Copies the bytes to the end; NGX_ERROR without memory. */
ngx_int_t ngx_http_codr_sendq_put(ngx_http_codr_sendq_t *q, const void *data,
    size_t len, ngx_log_t *log);

/* NGX_OK when nothing is left, NGX_AGAIN, or NGX_ERROR of the connection. */
ngx_int_t ngx_http_codr_sendq_send(ngx_http_codr_sendq_t *q,
    ngx_connection_t *c);

/* While keep is set nothing that was sent is freed: again makes all of it
   unsent, for another connection, forget frees it.  Both clear keep. */
void ngx_http_codr_sendq_again(ngx_http_codr_sendq_t *q);
void ngx_http_codr_sendq_forget(ngx_http_codr_sendq_t *q);

void ngx_http_codr_sendq_free(ngx_http_codr_sendq_t *q);


#endif /* _NGX_HTTP_CODR_SENDQ_H_INCLUDED_ */
