
/*
 * A job's bytes as messages of "output", or as they are: for a WebSocket and
 * for whatever else carries them.
 */

#ifndef _NGX_HTTP_CODR_OUTPUT_H_INCLUDED_
#define _NGX_HTTP_CODR_OUTPUT_H_INCLUDED_


#include "ngx_http_codr.h"


/* Writable bytes before what a sink gets, for a frame's header. */

#define NGX_HTTP_CODR_OUTPUT_ROOM  16


typedef struct ngx_http_codr_output_s  ngx_http_codr_output_t;


/*
 * Where it goes.  message: the JSON of one "output".  bytes instead of it:
 * they are passed on as they are, of one stream at a time.  Both may use what
 * they get, and the room before it, until they return.  flush comes after what
 * was sent by the timer, as the last thing that is done with its event.
 */

typedef struct {
    void  (*message)(void *data, u_char *text, size_t len);
    void  (*bytes)(void *data, ngx_uint_t stream, u_char *p, size_t len);
    void  (*flush)(void *data);
} ngx_http_codr_output_sink_t;


/* Of a job, in its pool; one of message and bytes is NULL.  NULL without
   memory. */
ngx_http_codr_output_t *ngx_http_codr_output_create(ngx_pool_t *pool,
    ngx_log_t *log, const ngx_http_codr_output_sink_t *sink, void *data);

void ngx_http_codr_output_add(ngx_http_codr_output_t *o, codr_output_t *piece);

/* It begins at this offset; held are a stream and its last bytes before it,
   or NULL. */
void ngx_http_codr_output_begin(ngx_http_codr_output_t *o, uint64_t offset,
    const ngx_str_t *held);

/* The next output goes out at once. */
void ngx_http_codr_output_urge(ngx_http_codr_output_t *o);

/* After a batch of pieces: sends what is due, sets the timer for the rest. */
void ngx_http_codr_output_settle(ngx_http_codr_output_t *o);

/* At the end of the job: sends everything. */
void ngx_http_codr_output_finish(ngx_http_codr_output_t *o);


#endif /* _NGX_HTTP_CODR_OUTPUT_H_INCLUDED_ */
