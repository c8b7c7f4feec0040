
/*
 * Between the bytes of a connection and messages: libwslay checks and joins
 * what a peer sends, and answers its pings and its Close; what it leaves to us
 * is how much a peer may send, how fast and in how many pieces, and what comes
 * compressed.  Nothing here ends the request or sends: wslay's callbacks must
 * not, so they only take note and queue.  Runs in workers.
 */

#include "ngx_http_codr_ws.h"
#include "ngx_http_codr_deflate.h"
#include "ngx_http_codr_text.h"


#define NGX_HTTP_CODR_FRAMES_BUDGET     (64 * 1024)   /* bytes of an event */
#define NGX_HTTP_CODR_FRAMES_BLOCK      (256 * 1024)  /* of answers, unread */
#define NGX_HTTP_CODR_FRAMES_MESSAGES   1000          /* of a second */
#define NGX_HTTP_CODR_FRAMES_CONTROLS   100           /* of a second */
#define NGX_HTTP_CODR_FRAMES_CONTROL    125           /* bytes of one */

/* What cannot be compressed gets a little longer by it. */

#define ngx_http_codr_frames_packed(len)  ((len) + (len) / 16 + 64)

/* A socket that sends what is this much shorter than itself makes work for us
   and has little: of a second there may be two messages of the largest size. */

#define NGX_HTTP_CODR_FRAMES_RATIO      32


static ssize_t ngx_http_codr_frames_recv(wslay_event_context_ptr wslay,
    uint8_t *buf, size_t len, int flags, void *data);
static ssize_t ngx_http_codr_frames_send(wslay_event_context_ptr wslay,
    const uint8_t *buf, size_t len, int flags, void *data);
static ssize_t ngx_http_codr_frames_bytes(ngx_http_codr_ws_t *ws,
    u_char *buf, size_t len);
static size_t ngx_http_codr_frames_watch(ngx_http_codr_ws_t *ws,
    const u_char *p, size_t n);
static size_t ngx_http_codr_frames_farewell(ngx_http_codr_ws_t *ws,
    u_char *buf, size_t len);
static size_t ngx_http_codr_frames_cap(ngx_http_codr_ws_t *ws);
static ngx_int_t ngx_http_codr_frames_header(ngx_http_codr_ws_t *ws);
static void ngx_http_codr_frames_start(wslay_event_context_ptr wslay,
    const struct wslay_event_on_frame_recv_start_arg *frame, void *data);
static void ngx_http_codr_frames_chunk(wslay_event_context_ptr wslay,
    const struct wslay_event_on_frame_recv_chunk_arg *chunk, void *data);
static void ngx_http_codr_frames_message(wslay_event_context_ptr wslay,
    const struct wslay_event_on_msg_recv_arg *message, void *data);
static void ngx_http_codr_frames_unpack(ngx_http_codr_ws_t *ws,
    const struct wslay_event_on_msg_recv_arg *message);
static void ngx_http_codr_frames_deliver(ngx_http_codr_ws_t *ws,
    ngx_uint_t opcode, const u_char *data, size_t len);
static ngx_int_t ngx_http_codr_frames_init(ngx_http_codr_ws_t *ws);
static void ngx_http_codr_frames_second(ngx_http_codr_ws_t *ws);
static void ngx_http_codr_frames_result(ngx_http_codr_ws_t *ws, int rc);
static void ngx_http_codr_frames_drain(ngx_http_codr_ws_t *ws);


static const struct wslay_event_callbacks  ngx_http_codr_frames_callbacks = {
    ngx_http_codr_frames_recv,
    ngx_http_codr_frames_send,
    NULL,                                      /* a server masks nothing */
    ngx_http_codr_frames_start,
    ngx_http_codr_frames_chunk,
    NULL,
    ngx_http_codr_frames_message
};


void
ngx_http_codr_frames_read(ngx_http_codr_ws_t *ws)
{
    int           rc;
    ngx_buf_t    *b;
    ngx_event_t  *rev;

    rev = ws->request->connection->read;
    b = ws->request->header_in;

    if (ws->blocked || ws->eof || ws->failed
        || (ws->wslay == NULL && !rev->ready && b->pos == b->last))
    {
        return;
    }

    ws->budget = NGX_HTTP_CODR_FRAMES_BUDGET;

    if (ws->finished) {
        ngx_http_codr_frames_drain(ws);

    } else if (ngx_http_codr_frames_init(ws) == NGX_OK) {

        /* wslay stops at half a header even when more can be read */

        do {
            ws->drained = 0;
            rc = wslay_event_recv(ws->wslay);
        } while (rc == 0 && !ws->drained && !ws->finished
                 && wslay_event_want_read(ws->wslay));

        ngx_http_codr_frames_result(ws, rc);
    }

    if (ws->budget == 0) {                     /* let others have their turn */
        ngx_post_event(rev, &ngx_posted_next_events);
    }
}


/* Only when something comes: idle sockets are many and cost half without. */

static ngx_int_t
ngx_http_codr_frames_init(ngx_http_codr_ws_t *ws)
{
    if (ws->wslay) {
        return NGX_OK;
    }

    if (wslay_event_context_server_init(&ws->wslay,
                                        &ngx_http_codr_frames_callbacks, ws)
        != 0)
    {
        ws->wslay = NULL;
        ws->failed = 1;
        return NGX_ERROR;
    }

    if (ws->ctx->deflate) {
        wslay_event_config_set_allowed_rsv_bits(ws->wslay, WSLAY_RSV1_BIT);
    }

    ngx_http_codr_frames_trust(ws);

    if (ws->closing) {
        wslay_event_shutdown_write(ws->wslay);
    }

    return NGX_OK;
}


/* wslay has one limit: what it lets pass is looked at again. */

void
ngx_http_codr_frames_trust(ngx_http_codr_ws_t *ws)
{
    size_t  max;

    max = ngx_http_codr_frames_cap(ws);

    if (ws->ctx->deflate) {
        max = ngx_http_codr_frames_packed(max);
    }

    wslay_event_config_set_max_recv_msg_length(ws->wslay, max);
}


static size_t
ngx_http_codr_frames_cap(ngx_http_codr_ws_t *ws)
{
    return ws->ctx->trusted ? ws->lcf->message_max : ws->lcf->first_max;
}


static void
ngx_http_codr_frames_result(ngx_http_codr_ws_t *ws, int rc)
{
    if (ws->failed || (rc == 0 && wslay_event_want_read(ws->wslay))) {
        return;
    }

    if (ws->eof) {                             /* nobody is there to be told */
        wslay_event_shutdown_write(ws->wslay);
        return;
    }

    ws->finished = 1;

    if (wslay_event_get_close_received(ws->wslay)) {
        ws->parted = 1;
        return;
    }

    if (ws->peer_code) {                       /* a good code wslay refuses */
        ws->parted = 1;
        wslay_event_shutdown_write(ws->wslay);
        ngx_http_codr_ws_close(ws, ws->peer_code, "");
        return;
    }

    if (rc == 0) {
        return;                                /* its own Close is queued */
    }

    /* for a malformed header wslay would close without a code */

    wslay_event_shutdown_write(ws->wslay);

    if (rc == WSLAY_ERR_CALLBACK_FAILURE) {
        ngx_http_codr_ws_close(ws, WSLAY_CODE_PROTOCOL_ERROR, "");

    } else {
        ngx_http_codr_ws_close(ws, WSLAY_CODE_INTERNAL_SERVER_ERROR,
                               "out of memory");
    }
}


static ssize_t
ngx_http_codr_frames_recv(wslay_event_context_ptr wslay, uint8_t *buf,
    size_t len, int flags, void *data)
{
    ngx_http_codr_ws_t  *ws = data;

    size_t   given;
    ssize_t  n;

    if (ws->out.size + wslay_event_get_queued_msg_length(wslay)
        > NGX_HTTP_CODR_FRAMES_BLOCK)
    {
        ws->blocked = 1;
    }

    do {
        n = ngx_http_codr_frames_bytes(ws, buf, len);

        if (n < 0) {
            ws->drained = 1;
            wslay_event_set_error(wslay, n == NGX_AGAIN
                                         ? WSLAY_ERR_WOULDBLOCK
                                         : WSLAY_ERR_CALLBACK_FAILURE);
            return -1;
        }

        given = (n > 0) ? ngx_http_codr_frames_watch(ws, buf, (size_t) n)
                        : ngx_http_codr_frames_farewell(ws, buf, len);
    } while (given == 0);

    return given;
}


/* Bytes of the peer; 0 when its Close is whole. */

static ssize_t
ngx_http_codr_frames_bytes(ngx_http_codr_ws_t *ws, u_char *buf, size_t len)
{
    ssize_t            n;
    ngx_buf_t         *b;
    ngx_connection_t  *c;

    c = ws->request->connection;
    b = ws->request->header_in;

    if (ws->blocked || ws->finished || ws->budget == 0) {
        return NGX_AGAIN;
    }

    if (ws->farewell.data && ws->payload == 0) {
        return ws->farewell.len ? 0 : NGX_AGAIN;
    }

    if (b->pos < b->last) {                    /* came with the handshake */
        n = ngx_min(len, (size_t) (b->last - b->pos));
        ngx_memcpy(buf, b->pos, n);
        b->pos += n;

    } else {
        n = c->recv(c, buf, len);

        if (n == NGX_AGAIN) {
            return NGX_AGAIN;
        }

        if (n <= 0) {
            ws->eof = 1;
            return NGX_ERROR;
        }
    }

    ws->budget -= ngx_min(ws->budget, (size_t) n);
    ws->received += n;

    return n;
}


/* What follows a first message may be read together with it, before that was
   understood: wslay is the one to judge it then. */

static size_t
ngx_http_codr_frames_max(ngx_http_codr_ws_t *ws)
{
    size_t  max;

    max = (ws->begun > 1) ? ws->lcf->message_max : ngx_http_codr_frames_cap(ws);

    return ws->packed ? ngx_http_codr_frames_packed(max) : max;
}


/*
 * wslay looks at a length only when the first byte behind the header is there;
 * one that is too large is to be refused at once.  And it takes the first two
 * bytes of each piece of a Close for the code: it gets all of it as one.
 * Returns how many of the bytes are for wslay now.
 */

static size_t
ngx_http_codr_frames_watch(ngx_http_codr_ws_t *ws, const u_char *p, size_t n)
{
    size_t         skip;
    const u_char  *start;

    start = p;

    while (n > 0) {

        if (ws->farewell.data) {
            skip = (size_t) ngx_min(ws->payload, (uint64_t) n);
            ngx_memcpy(ws->farewell.data + ws->farewell.len, p, skip);
            ws->farewell.len += skip;
            ws->payload -= skip;
            break;                             /* nothing counts after it */
        }

        if (ws->payload > 0) {
            skip = (size_t) ngx_min(ws->payload, (uint64_t) n);
            ws->payload -= skip;
            p += skip;
            n -= skip;
            continue;
        }

        ws->header[ws->have++] = *p++;
        n--;

        if (ngx_http_codr_frames_header(ws) != NGX_OK) {
            continue;
        }

        if (ws->total > ngx_http_codr_frames_max(ws)) {
            ngx_http_codr_ws_close(ws, WSLAY_CODE_MESSAGE_TOO_BIG, "");
            ws->finished = 1;
            break;
        }

        if ((ws->header[0] & 0x0f) == WSLAY_CONNECTION_CLOSE
            && ws->payload > 0
            && ws->payload <= NGX_HTTP_CODR_FRAMES_CONTROL)
        {
            ws->farewell.data = ngx_pnalloc(ws->request->pool,
                                            NGX_HTTP_CODR_FRAMES_CONTROL);
            if (ws->farewell.data == NULL) {
                ws->failed = 1;
                break;
            }
        }
    }

    return p - start;
}


static size_t
ngx_http_codr_frames_farewell(ngx_http_codr_ws_t *ws, u_char *buf, size_t len)
{
    len = ngx_min(len, ws->farewell.len);

    ngx_memcpy(buf, ws->farewell.data, len);
    ws->farewell.data += len;
    ws->farewell.len -= len;

    return len;
}


/* NGX_OK with a whole header: payload is set, and total for a message. */

static ngx_int_t
ngx_http_codr_frames_header(ngx_http_codr_ws_t *ws)
{
    size_t      i, size;
    uint64_t    length;
    ngx_uint_t  opcode;

    if (ws->have < 2) {
        return NGX_AGAIN;
    }

    opcode = ws->header[0] & 0x0f;
    length = ws->header[1] & 0x7f;
    size = (length == 126) ? 2 : (length == 127) ? 8 : 0;

    if (ws->have < 2 + size + ((ws->header[1] & 0x80) ? 4 : 0)) {
        return NGX_AGAIN;
    }

    if (size > 0) {
        length = 0;

        for (i = 0; i < size; i++) {
            length = (length << 8) | ws->header[2 + i];
        }
    }

    ws->have = 0;
    ws->payload = length;

    if (wslay_is_ctrl_frame(opcode) || length > INT64_MAX) {
        return NGX_OK;                         /* wslay knows what to do */
    }

    if (opcode != WSLAY_CONTINUATION_FRAME) {
        ws->total = 0;
        ws->begun = ngx_min(ws->begun + 1, 2);
        ws->packed = ws->ctx->deflate && (ws->header[0] & 0x40);
    }

    ws->total = (length > UINT32_MAX) ? UINT64_MAX : ws->total + length;

    return NGX_OK;
}


static ssize_t
ngx_http_codr_frames_send(wslay_event_context_ptr wslay, const uint8_t *buf,
    size_t len, int flags, void *data)
{
    ngx_http_codr_ws_t  *ws = data;

    if (ngx_http_codr_sendq_put(&ws->out, buf, len,
                                ws->request->connection->log)
        != NGX_OK)
    {
        wslay_event_set_error(wslay, WSLAY_ERR_CALLBACK_FAILURE);
        return -1;
    }

    return len;
}


static void
ngx_http_codr_frames_start(wslay_event_context_ptr wslay,
    const struct wslay_event_on_frame_recv_start_arg *frame, void *data)
{
    ngx_http_codr_ws_t  *ws = data;

    ws->heard = 1;
    ws->opcode = frame->opcode;

    ngx_http_codr_frames_second(ws);

    if (wslay_is_ctrl_frame(frame->opcode)) {

        if (++ws->controls > NGX_HTTP_CODR_FRAMES_CONTROLS) {
            ngx_http_codr_ws_close(ws, WSLAY_CODE_POLICY_VIOLATION,
                                   "too many control frames");
        }

        if (frame->opcode == WSLAY_CONNECTION_CLOSE
            && frame->payload_length == 1)
        {
            /* half a code: wslay would take it for none */

            wslay_event_shutdown_write(wslay);
            ngx_http_codr_ws_close(ws, WSLAY_CODE_PROTOCOL_ERROR, "");
        }

        return;
    }

    if (frame->opcode != WSLAY_CONTINUATION_FRAME) {
        ws->fragments = 0;
    }

    if (++ws->fragments > ws->service->fragments) {
        ngx_http_codr_ws_close(ws, WSLAY_CODE_POLICY_VIOLATION,
                               "too many fragments");
    }

    if (frame->opcode == WSLAY_BINARY_FRAME && !ws->binary) {
        ngx_http_codr_ws_close(ws, WSLAY_CODE_UNSUPPORTED_DATA,
                               "text messages only");
    }
}


/* 1012 to 1014 were registered after this wslay was written. */

static void
ngx_http_codr_frames_chunk(wslay_event_context_ptr wslay,
    const struct wslay_event_on_frame_recv_chunk_arg *chunk, void *data)
{
    ngx_http_codr_ws_t  *ws = data;

    size_t  i;

    if (ws->opcode != WSLAY_CONNECTION_CLOSE) {
        return;
    }

    for (i = 0; i < chunk->data_length && ws->coded < 2; i++) {
        ws->peer_said = (ws->peer_said << 8) | chunk->data[i];
        ws->coded++;
    }

    if (ws->coded == 2 && ws->peer_said >= 1012 && ws->peer_said <= 1014) {
        ws->peer_code = ws->peer_said;
    }
}


static void
ngx_http_codr_frames_message(wslay_event_context_ptr wslay,
    const struct wslay_event_on_msg_recv_arg *message, void *data)
{
    ngx_http_codr_ws_t  *ws = data;

    if (ws->code || ws->failed) {
        return;
    }

    if (wslay_is_ctrl_frame(message->opcode)) {

        /* a pong goes before what is answered later */

        if (message->opcode == WSLAY_PING && wslay_event_send(wslay) != 0) {
            ws->failed = 1;
        }

        return;
    }

    ngx_http_codr_frames_second(ws);

    if (++ws->messages > NGX_HTTP_CODR_FRAMES_MESSAGES) {
        ngx_http_codr_ws_close(ws, WSLAY_CODE_POLICY_VIOLATION,
                               "too many messages");
        return;
    }

    ws->spoken = 1;
    ws->quiet = ngx_current_msec;

    if (wslay_get_rsv1(message->rsv)) {
        ngx_http_codr_frames_unpack(ws, message);

    } else if (message->msg_length > ngx_http_codr_frames_cap(ws)) {
        ngx_http_codr_ws_close(ws, WSLAY_CODE_MESSAGE_TOO_BIG, "");

    } else {
        ngx_http_codr_frames_deliver(ws, message->opcode, message->msg,
                                     message->msg_length);
    }
}


static void
ngx_http_codr_frames_unpack(ngx_http_codr_ws_t *ws,
    const struct wslay_event_on_msg_recv_arg *message)
{
    size_t      max, given;
    ngx_int_t   rc;
    ngx_str_t   data;

    max = ngx_http_codr_frames_cap(ws);
    given = NGX_HTTP_CODR_FRAMES_RATIO * message->msg_length;

    rc = ngx_http_codr_deflate_unpack(ws->mcf->deflate, message->msg,
                                      message->msg_length, max, &data,
                                      ws->request->connection->log);

    if (rc == NGX_DECLINED) {
        ngx_http_codr_ws_close(ws, WSLAY_CODE_MESSAGE_TOO_BIG, "");
        return;
    }

    if (rc == NGX_ERROR) {
        ngx_http_codr_ws_close(ws, WSLAY_CODE_INVALID_FRAME_PAYLOAD_DATA, "");
        return;
    }

    if (rc != NGX_OK) {
        ngx_http_codr_ws_close(ws, WSLAY_CODE_INTERNAL_SERVER_ERROR,
                               "out of memory");
        return;
    }

    ws->budget -= ngx_min(ws->budget, data.len);
    ws->unpacked += (data.len > given) ? data.len - given : 0;

    if (ws->unpacked > 2 * max) {
        ngx_http_codr_ws_close(ws, WSLAY_CODE_POLICY_VIOLATION,
                               "too much in too little");

    } else if (message->opcode == WSLAY_TEXT_FRAME
               && ngx_http_codr_text_valid(data.data, data.len) != 0)
    {
        ngx_http_codr_ws_close(ws, WSLAY_CODE_INVALID_FRAME_PAYLOAD_DATA, "");

    } else {
        ngx_http_codr_frames_deliver(ws, message->opcode, data.data, data.len);
    }

    ngx_free(data.data);
}


static void
ngx_http_codr_frames_deliver(ngx_http_codr_ws_t *ws, ngx_uint_t opcode,
    const u_char *data, size_t len)
{
    if (opcode == WSLAY_BINARY_FRAME) {
        ws->service->bytes(ws, data, len);
        return;
    }

    ws->service->text(ws, data, len);
}


static void
ngx_http_codr_frames_second(ngx_http_codr_ws_t *ws)
{
    if ((ngx_msec_int_t) (ngx_current_msec - ws->second) >= 1000) {
        ws->second = ngx_current_msec;
        ws->messages = 0;
        ws->controls = 0;
        ws->unpacked = 0;
    }
}


/* What follows a Close or a protocol error is not looked at, only taken: the
   peer may want to be rid of it before it reads. */

static void
ngx_http_codr_frames_drain(ngx_http_codr_ws_t *ws)
{
    u_char             junk[4096];
    ssize_t            n;
    ngx_buf_t         *b;
    ngx_connection_t  *c;

    c = ws->request->connection;
    b = ws->request->header_in;
    b->pos = b->last;

    while (ws->budget > 0) {
        n = c->recv(c, junk, sizeof(junk));

        if (n == NGX_AGAIN) {
            return;
        }

        if (n <= 0) {
            ws->eof = 1;
            return;
        }

        ws->budget -= ngx_min(ws->budget, (size_t) n);
    }
}
