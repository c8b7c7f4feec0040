
/*
 * Messages in and out of permessage-deflate (RFC 7692), each by itself: no
 * context is kept between messages, so that a socket costs nothing and a worker
 * one pair of zlib's streams.
 */

#ifndef _NGX_HTTP_CODR_DEFLATE_H_INCLUDED_
#define _NGX_HTTP_CODR_DEFLATE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* The streams of a configuration, made when they are first used and freed with
   the pool.  NULL without memory. */
ngx_http_codr_deflate_t *ngx_http_codr_deflate_create(ngx_pool_t *pool);

/* Writes a message to out, where len bytes fit, as one with a window of so
   many bits, and its size.  NGX_DECLINED: it would not be shorter than it is,
   or there is no memory. */
ngx_int_t ngx_http_codr_deflate_pack(ngx_http_codr_deflate_t *d,
    ngx_uint_t bits, const u_char *data, size_t len, u_char *out, size_t *size);

/* Reads a message into memory that the caller gives to ngx_free(), unless
   there is none.  NGX_DECLINED: it has more than max bytes, NGX_ERROR: it is
   no such message, NGX_ABORT: no memory. */
ngx_int_t ngx_http_codr_deflate_unpack(ngx_http_codr_deflate_t *d,
    const u_char *data, size_t len, size_t max, ngx_str_t *ret, ngx_log_t *log);


#endif /* _NGX_HTTP_CODR_DEFLATE_H_INCLUDED_ */
