
/*
 * One job of another node that somebody here asks for: its socket, and its
 * stream.
 */

#ifndef _NGX_HTTP_CODR_DISTANT_STREAM_H_INCLUDED_
#define _NGX_HTTP_CODR_DISTANT_STREAM_H_INCLUDED_


#include "ngx_http_codr_distant.h"


#define NGX_HTTP_CODR_DISTANT_ANSWER  3000     /* milliseconds */
#define NGX_HTTP_CODR_DISTANT_FIRST   512      /* bytes of the first frame */


/* Outlives its socket while Redis has yet to answer. */

typedef struct {
    ngx_queue_t                queue;
    ngx_http_codr_redis_t     *redis;
    ngx_connection_t          *connection;     /* NULL: it is over */
    ngx_http_codr_sendq_t      out;
    u_char                     in[NGX_HTTP_CODR_DISTANT_FIRST];
    size_t                     len;
    size_t                     skip;           /* bytes of no interest */
    u_char                     id[CODR_JOB_ID_LEN];
    u_char                     stream[NGX_HTTP_CODR_STREAM_NAME];
    u_char                     view_token[CODR_TOKEN_LEN];
    u_char                     digest[NGX_HTTP_CODR_TOKEN_DIGEST];
    uint64_t                   offset;         /* of the next output */
    uint64_t                   size;           /* 0: live */
    uint64_t                   stage;          /* that was said, from 1 */
    uint32_t                   number;         /* of the next message */
    uint64_t                   received;       /* bytes of this stream */
    uint64_t                   credit;
    ngx_event_t                timer;
    ngx_uint_t                 tries;
    ngx_uint_t                 asked;          /* answers that are due */

    unsigned                   begun:1;        /* the first frame is there */
    unsigned                   viewer:1;
    unsigned                   named:1;        /* stream is subscribed to */
    unsigned                   started:1;      /* that was said, or RECORD */
    unsigned                   over:1;         /* so was the last frame */
} ngx_http_codr_distant_t;


/* distant: ends it with an ERROR; and, without a word. */
void ngx_http_codr_distant_end(ngx_http_codr_distant_t *d, codr_error_t code,
    const char *text);
void ngx_http_codr_distant_close(ngx_http_codr_distant_t *d);

/* distant_stream: asks the other node, anew when it was before; says one thing
   to it; writes what has come to the socket. */
void ngx_http_codr_distant_subscribe(ngx_http_codr_distant_t *d);
void ngx_http_codr_distant_unsubscribe(ngx_http_codr_distant_t *d);
void ngx_http_codr_distant_ask(ngx_http_codr_distant_t *d, const char *what);
void ngx_http_codr_distant_flush(ngx_http_codr_distant_t *d);


#endif /* _NGX_HTTP_CODR_DISTANT_STREAM_H_INCLUDED_ */
