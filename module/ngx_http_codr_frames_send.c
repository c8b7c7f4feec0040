
/*
 * Messages as frames for a peer.  They do not go through libwslay: it would
 * copy each twice, and send a Close before the messages that wait.  Nothing
 * here ends the request.  Runs in workers.
 */

#include "ngx_http_codr_ws.h"
#include "ngx_http_codr_deflate.h"


#define NGX_HTTP_CODR_FRAMES_REASON  123       /* bytes, of a Close */
#define NGX_HTTP_CODR_FRAMES_HEADER  10        /* bytes */
#define NGX_HTTP_CODR_FRAMES_RSV1    0x40      /* in a header: compressed */

/* Bytes of a message that is compressed: less gains nothing, more would hold
   up other sockets. */

#define NGX_HTTP_CODR_FRAMES_LEAST   256
#define NGX_HTTP_CODR_FRAMES_MOST    (1024 * 1024)


_Static_assert(NGX_HTTP_CODR_FRAMES_HEADER + 1 <= NGX_HTTP_CODR_OUTPUT_ROOM
               && NGX_HTTP_CODR_OUTPUT_ROOM
                  <= CODR_FRAME_HEADER + CODR_OUTPUT_HEADER,
               "a header and a stream fit before output");


static ngx_int_t ngx_http_codr_frames_pack(ngx_http_codr_ws_t *ws,
    ngx_uint_t opcode, const u_char *data, size_t len);
static void ngx_http_codr_frames_queue(ngx_http_codr_ws_t *ws,
    ngx_uint_t opcode, const u_char *data, size_t len);
static void ngx_http_codr_frames_goodbye(ngx_http_codr_ws_t *ws);


/* Writes a header for so many bytes, and returns its end. */

static u_char *
ngx_http_codr_frames_begin(u_char *p, ngx_uint_t opcode, size_t len)
{
    *p++ = (u_char) (0x80 | opcode);

    if (len < 126) {
        *p++ = (u_char) len;

    } else if (len < 65536) {
        *p++ = 126;
        *p++ = (u_char) (len >> 8);
        *p++ = (u_char) len;

    } else {
        *p++ = 127;
        ngx_memzero(p, 4);                     /* no message is that long */
        p += 4;
        *p++ = (u_char) (len >> 24);
        *p++ = (u_char) (len >> 16);
        *p++ = (u_char) (len >> 8);
        *p++ = (u_char) len;
    }

    return p;
}


void
ngx_http_codr_frames_put(ngx_http_codr_ws_t *ws, ngx_uint_t opcode,
    const u_char *data, size_t len)
{
    if (ws->closing || ws->failed) {
        return;
    }

    if (ngx_http_codr_frames_pack(ws, opcode, data, len) != NGX_OK) {
        ngx_http_codr_frames_queue(ws, opcode, data, len);
    }
}


/* NGX_OK for a message that is on its way, compressed. */

static ngx_int_t
ngx_http_codr_frames_pack(ngx_http_codr_ws_t *ws, ngx_uint_t opcode,
    const u_char *data, size_t len)
{
    size_t      size;
    u_char     *p;
    ngx_int_t   rc;

    if (ws->ctx->deflate == 0 || wslay_is_ctrl_frame(opcode)
        || len < NGX_HTTP_CODR_FRAMES_LEAST || len > NGX_HTTP_CODR_FRAMES_MOST)
    {
        return NGX_DECLINED;
    }

    p = ngx_alloc(len, ws->request->connection->log);
    if (p == NULL) {
        return NGX_DECLINED;
    }

    rc = ngx_http_codr_deflate_pack(ws->mcf->deflate, ws->ctx->deflate, data,
                                    len, p, &size);

    if (rc == NGX_OK) {
        ngx_http_codr_frames_queue(ws, opcode | NGX_HTTP_CODR_FRAMES_RSV1, p,
                                   size);
    }

    ngx_free(p);

    return rc;
}


static void
ngx_http_codr_frames_queue(ngx_http_codr_ws_t *ws, ngx_uint_t opcode,
    const u_char *data, size_t len)
{
    u_char      header[NGX_HTTP_CODR_FRAMES_HEADER], *p;
    ngx_log_t  *log;

    p = ngx_http_codr_frames_begin(header, opcode, len);
    log = ws->request->connection->log;

    if (ngx_http_codr_sendq_put(&ws->out, header, p - header, log) != NGX_OK
        || ngx_http_codr_sendq_put(&ws->out, data, len, log) != NGX_OK)
    {
        ws->failed = 1;
    }
}


/* What TLS did not take must be offered again from where it was: it is copied
   first. */

void
ngx_http_codr_frames_pass(ngx_http_codr_ws_t *ws, ngx_uint_t opcode,
    u_char *data, size_t len)
{
    u_char             header[NGX_HTTP_CODR_FRAMES_HEADER], *p, *last;
    ssize_t            n;
    ngx_connection_t  *c;

    c = ws->request->connection;

    if (ws->ctx->deflate
        || ws->out.first || ws->closing || ws->failed || !c->write->ready
        || ws->request->out || c->buffered
#if (NGX_HTTP_SSL)
        || c->ssl
#endif
       )
    {
        ngx_http_codr_frames_put(ws, opcode, data, len);
        return;
    }

    last = data + len;
    n = ngx_http_codr_frames_begin(header, opcode, len) - header;
    p = data - n;
    ngx_memcpy(p, header, n);

    while (p < last && c->write->ready) {
        n = c->send(c, p, last - p);

        if (n == NGX_ERROR) {
            ws->failed = 1;
            return;
        }

        if (n <= 0) {
            break;
        }

        p += n;
    }

    if (ngx_http_codr_sendq_put(&ws->out, p, last - p, c->log) != NGX_OK) {
        ws->failed = 1;
    }
}


void
ngx_http_codr_frames_write(ngx_http_codr_ws_t *ws)
{
    if (ws->wslay && wslay_event_send(ws->wslay) != 0) {
        ws->failed = 1;
        return;
    }

    if (ws->closing) {
        return;
    }

    if (ws->wslay && wslay_event_get_close_sent(ws->wslay)) {
        ws->closing = 1;
        ws->closed = ngx_current_msec;
        ws->ctx->close_code = wslay_event_get_status_code_sent(ws->wslay);

    } else if (ws->code) {
        ngx_http_codr_frames_goodbye(ws);
    }
}


/* Our own Close: from here on wslay only reads. */

static void
ngx_http_codr_frames_goodbye(ngx_http_codr_ws_t *ws)
{
    size_t  len;
    u_char  data[2 + NGX_HTTP_CODR_FRAMES_REASON];

    len = ngx_min(ngx_strlen(ws->reason), NGX_HTTP_CODR_FRAMES_REASON);

    data[0] = (u_char) (ws->code >> 8);
    data[1] = (u_char) ws->code;
    ngx_memcpy(data + 2, ws->reason, len);

    ngx_http_codr_frames_put(ws, WSLAY_CONNECTION_CLOSE, data, 2 + len);

    if (ws->wslay) {
        wslay_event_shutdown_write(ws->wslay);
    }

    ws->closing = 1;
    ws->closed = ngx_current_msec;
    ws->ctx->close_code = ws->code;
}
