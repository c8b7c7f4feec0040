
/*
 * Jobs of other nodes, watched through Redis.
 *
 * The node that watches (distant) asks on the job's ":control", signed; the
 * one that has the job (relay) publishes what its helper says, frame by frame,
 * on "job:ID:stream:NAME".  It publishes no more than it was given credit for:
 * who does not read holds up nobody and fills no memory.
 *
 * A message of a stream is a header and whole frames of codr_proto.h:
 *
 *     u32 number, from 0, little endian | u8 kind | 3 bytes of zero
 */

#ifndef _NGX_HTTP_CODR_DISTANT_H_INCLUDED_
#define _NGX_HTTP_CODR_DISTANT_H_INCLUDED_


#include "ngx_http_codr_redis.h"
#include "ngx_http_codr_answer.h"


#define NGX_HTTP_CODR_STREAM_NAME    32        /* hexadecimal digits */
#define NGX_HTTP_CODR_STREAM_HEADER  8
#define NGX_HTTP_CODR_STREAM_WINDOW  (256 * 1024)  /* bytes of frames */
#define NGX_HTTP_CODR_STREAM_ALIVE   2000      /* milliseconds: at most so
                                                  long nothing is said */

typedef enum {
    NGX_HTTP_CODR_STREAM_FRAMES = 0,           /* none: it is still there */
    NGX_HTTP_CODR_STREAM_MOVED                 /* to another worker: ask anew */
} ngx_http_codr_stream_kind_e;


/* What is asked on ":control". */

typedef struct {
    ngx_str_t                  control;        /* "stop", "watch", "more",
                                                  "leave" */
    u_char                     stream[NGX_HTTP_CODR_STREAM_NAME];
    uint64_t                   offset;
    uint64_t                   size;           /* 0: live, to the end */
    uint64_t                   credit;         /* in all */
} ngx_http_codr_control_t;

/* redis_control: signs and publishes it. */
ngx_int_t ngx_http_codr_redis_ask(ngx_http_codr_redis_t *redis,
    const u_char *id, ngx_http_codr_control_t *control);


/* redis_names: as ngx_http_codr_redis_name(): "PREFIXjob:ID:stream:NAME" */
size_t ngx_http_codr_redis_stream(ngx_http_codr_redis_t *redis, u_char *buf,
    const u_char *id, const u_char *stream);

/* "PREFIXcodr:node:NAME", likewise: it is there as long as the node is. */
size_t ngx_http_codr_redis_node(ngx_http_codr_redis_t *redis, u_char *buf,
    const u_char *node);

/* relay */

void ngx_http_codr_relay_watch(ngx_http_codr_redis_t *redis, const u_char *id,
    ngx_http_codr_control_t *control);
void ngx_http_codr_relay_more(ngx_http_codr_redis_t *redis,
    ngx_http_codr_control_t *control);
void ngx_http_codr_relay_leave(ngx_http_codr_redis_t *redis,
    ngx_http_codr_control_t *control);

/* This worker leaves: another one is to go on. */
void ngx_http_codr_relay_move(ngx_http_codr_redis_t *redis);


/* distant */

/* Whether a job is asked for at other nodes: it is not one of ours. */
ngx_uint_t ngx_http_codr_distant_wanted(ngx_http_codr_main_conf_t *mcf,
    const u_char *id);

/* The end of a socket on which a job of another node is asked for as from the
   helper: by ATTACH, whose token is checked, or by FETCH, where the caller has
   looked whose job it is.  -1: none can be had. */
int ngx_http_codr_distant_open(ngx_http_codr_main_conf_t *mcf, ngx_log_t *log);

/* A message, or the confirmation that the channel is ours, by the name at the
   end of it. */
void ngx_http_codr_distant_message(ngx_http_codr_redis_t *redis,
    const u_char *name, const u_char *data, size_t len);
void ngx_http_codr_distant_subscribed(ngx_http_codr_redis_t *redis,
    const u_char *name);

void ngx_http_codr_distant_close_all(ngx_http_codr_redis_t *redis);

/* The connection for messages is a new one. */
void ngx_http_codr_distant_again(ngx_http_codr_redis_t *redis);

/* What other nodes know of a token instead of it, 32 bytes; in Redis they are
   hexadecimal digits. */
#define NGX_HTTP_CODR_TOKEN_DIGEST  64

ngx_int_t ngx_http_codr_distant_digest(ngx_http_codr_main_conf_t *mcf,
    const char *kind, const u_char *id, const ngx_str_t *token, u_char *ret);


#endif /* _NGX_HTTP_CODR_DISTANT_H_INCLUDED_ */
