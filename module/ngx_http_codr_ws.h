
/*
 * A WebSocket: the handshake, the socket (timers, what the peer may do), its
 * frames.  Who serves it gets messages and knows nothing of all that.
 */

#ifndef _NGX_HTTP_CODR_WS_H_INCLUDED_
#define _NGX_HTTP_CODR_WS_H_INCLUDED_


#include "ngx_http_codr.h"
#include "ngx_http_codr_job.h"
#include "ngx_http_codr_output.h"

#include <wslay/wslay.h>


typedef struct ngx_http_codr_ws_s  ngx_http_codr_ws_t;


/* Whole messages, text of which is UTF-8.  abandon: the client is gone or
   goes; it may come again. */

typedef struct {
    void        (*text)(ngx_http_codr_ws_t *ws, const u_char *data, size_t len);
    void        (*bytes)(ngx_http_codr_ws_t *ws, const u_char *data, size_t n);
    void        (*abandon)(ngx_http_codr_ws_t *ws);
    ngx_uint_t    fragments;                   /* of a message, at most */
    ngx_uint_t    binary;                      /* unsigned  1:1, bytes may come
                                                  on any subprotocol */
} ngx_http_codr_service_t;


struct ngx_http_codr_ws_s {
    ngx_queue_t                 queue;         /* in drain->sockets */
    ngx_http_request_t         *request;
    ngx_http_codr_ctx_t        *ctx;
    ngx_http_codr_loc_conf_t   *lcf;
    ngx_http_codr_main_conf_t  *mcf;

    const ngx_http_codr_service_t  *service;

    wslay_event_context_ptr     wslay;         /* NULL until something comes */
    ngx_http_codr_sendq_t       out;
    size_t                      budget;        /* bytes to read, this event */

    ngx_http_codr_job_t        *job;           /* NULL between jobs */
    ngx_http_codr_output_t     *output;        /* of the job */

    ngx_msec_t                  quiet;         /* since then no message, job */
    ngx_msec_t                  pinged;        /* when the last ping was due */
    ngx_msec_t                  closed;        /* our Close queued, or sent */
    ngx_msec_t                  wake;          /* what the timer is set to */
    ngx_msec_t                  second;        /* when it began, the counts: */
    ngx_uint_t                  messages;
    ngx_uint_t                  controls;
    ngx_uint_t                  fragments;     /* of the open message */
    ngx_uint_t                  begun;         /* messages, 0 to 2 */
    size_t                      received;      /* bytes since the last look */
    size_t                      unpacked;      /* of this second; see frames */

    u_char                      header[14];    /* of the next frame */
    size_t                      have;          /* bytes of it */
    uint64_t                    payload;       /* bytes to come */
    uint64_t                    total;         /* of the open message */
    ngx_str_t                   farewell;      /* of its Close, masked */

    ngx_uint_t                  code;          /* of our Close; 0: none */
    const char                 *reason;
    ngx_uint_t                  peer_said;     /* the code of its Close, */
    ngx_uint_t                  coded;         /* so many bytes of it */
    ngx_uint_t                  peer_code;     /* the same, if 1012..4 */
    ngx_uint_t                  opcode;        /* of the open frame */
    ngx_uint_t                  missed;        /* pings without an answer */

    unsigned                    binary:1;      /* codr.v1.bin */
    unsigned                    packed:1;      /* the open message is */
    unsigned                    heard:1;       /* since the last ping */
    unsigned                    spoken:1;      /* a message has come */
    unsigned                    drained:1;     /* nothing to read now */
    unsigned                    blocked:1;     /* until our answers are read */
    unsigned                    parted:1;      /* the peer's Close has come */
    unsigned                    closing:1;     /* our Close is in the queue, */
    unsigned                    said:1;        /* and has left it */
    unsigned                    overdue:1;     /* it, or the peer's, is */
    unsigned                    finished:1;    /* nothing is read any more */
    unsigned                    eof:1;         /* the peer's half is */
    unsigned                    failed:1;      /* the connection is */
    unsigned                    done:1;        /* the request is over */
};


/* ws: a content handler's last step; what it returns is that handler's */

ngx_int_t ngx_http_codr_ws_serve(ngx_http_request_t *r,
    const ngx_http_codr_service_t *service);

/* Closes with a code once everything queued before is sent; the first call
   counts.  reason is a literal. */
void ngx_http_codr_ws_close(ngx_http_codr_ws_t *ws, ngx_uint_t code,
    const char *reason);

/* Sends what there is and sets the socket up for what comes next.  May end the
   request: ws is not to be touched afterwards. */
void ngx_http_codr_ws_run(ngx_http_codr_ws_t *ws);

/* The same for callers that are not the request's own events. */
void ngx_http_codr_ws_run_foreign(ngx_http_codr_ws_t *ws);


/* frames: what wslay makes of bytes, under our limits */

/* Reads and handles what is there, up to the budget of one event. */
void ngx_http_codr_frames_read(ngx_http_codr_ws_t *ws);

/* A credential was good: messages may be longer from now on. */
void ngx_http_codr_frames_trust(ngx_http_codr_ws_t *ws);


/* frames_send: ours */

/* A message, or a control frame, for the peer, at the end of ws->out. */
void ngx_http_codr_frames_put(ngx_http_codr_ws_t *ws, ngx_uint_t opcode,
    const u_char *data, size_t len);

/* The same for a message with room before its data, which may be changed: it
   is not copied, as far as the peer takes it at once. */
void ngx_http_codr_frames_pass(ngx_http_codr_ws_t *ws, ngx_uint_t opcode,
    u_char *data, size_t len);

/* Puts wslay's answers there, and our Close when it is due. */
void ngx_http_codr_frames_write(ngx_http_codr_ws_t *ws);


/* handshake: NGX_OK and the headers of the 101 are set; else the answer, or
   an HTTP status to give. */
ngx_int_t ngx_http_codr_handshake(ngx_http_request_t *r);

/* The answer to a GET that asks for no WebSocket. */
ngx_int_t ngx_http_codr_upgrade_required(ngx_http_request_t *r);

/* One more header of the answer. */
ngx_int_t ngx_http_codr_header_out(ngx_http_request_t *r, ngx_str_t *name,
    ngx_str_t *value);

/* Whether a GET asks for a WebSocket. */
ngx_uint_t ngx_http_codr_upgrade_wanted(ngx_http_request_t *r);


#endif /* _NGX_HTTP_CODR_WS_H_INCLUDED_ */
