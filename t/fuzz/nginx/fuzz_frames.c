/*
 * What a client sends on a WebSocket: the first bytes say how it is cut into
 * pieces, the rest are its bytes.  Wherever they are cut, the same messages
 * must come out, and the same Close.
 */

#include "host.h"

#include "../../../module/ngx_http_codr_deflate.h"
#include "../../../module/ngx_http_codr_ws.h"

#define FIRST_MAX   200
#define LATER_MAX   600

#define MESSAGES    1024                /* a second takes no more */

#define BINARY      1                   /* of the first byte */
#define DEFLATE     2

typedef struct {
    const uint8_t  *data;
    size_t          size;
    size_t          pos;
    uint8_t         plan[4];            /* sizes of pieces, in turn; 0: the
                                           worker has to wait */
    unsigned        piece;
    size_t          left;               /* of the piece */

    uint64_t        hash[MESSAGES];     /* of each and those before it */
    unsigned        messages;
    ngx_uint_t      opcode;             /* of the last frame */
} stream_t;

static stream_t *stream;                /* the one that is read */


static ssize_t
receive(ngx_connection_t *c, u_char *buf, size_t len)
{
    size_t  n;

    if (stream->left == 0) {
        stream->left = stream->plan[stream->piece++ % 4];

        if (stream->left == 0 && stream->pos < stream->size) {
            c->read->ready = 0;
            return NGX_AGAIN;
        }
    }

    n = ngx_min(ngx_min(len, stream->left), stream->size - stream->pos);

    if (n == 0) {
        c->read->ready = 0;
        return NGX_AGAIN;
    }

    memcpy(buf, stream->data + stream->pos, n);
    stream->pos += n;
    stream->left -= n;

    return (ssize_t) n;
}


static void
heard(ngx_http_codr_ws_t *ws, const u_char *data, size_t len, int kind)
{
    size_t    i;
    uint64_t  hash = stream->messages ? stream->hash[stream->messages - 1] : 0;

    must(len <= LATER_MAX && stream->messages < MESSAGES);

    hash = hash * 31 + (uint64_t) kind;

    for (i = 0; i < len; i++) {
        hash = hash * 1099511628211u + data[i];
    }

    stream->hash[stream->messages++] = hash;

    if (len > 0 && data[0] == 'T') {            /* as if it had a ticket */
        ws->ctx->trusted = 1;
        ngx_http_codr_frames_trust(ws);
    }
}


static void
text(ngx_http_codr_ws_t *ws, const u_char *data, size_t len)
{
    heard(ws, data, len, 1);
}


static void
bytes(ngx_http_codr_ws_t *ws, const u_char *data, size_t len)
{
    heard(ws, data, len, 2);
}


static const ngx_http_codr_service_t  service = {
    text, bytes, NULL, 1024, 0
};


static void
serve(host_t *host, ngx_http_codr_ws_t *ws)
{
    size_t    before;
    unsigned  idle = 0;

    host->connection.recv = receive;

    while (idle < 8 && !ws->finished && !ws->failed) {
        before = stream->pos;
        host->read.ready = 1;
        ngx_http_codr_frames_read(ws);
        ngx_http_codr_frames_write(ws);
        idle = stream->pos == before ? idle + 1 : 0;

        if (host->read.posted) {
            ngx_delete_posted_event(&host->read);
        }
    }
}


/* The code of the Close that is sent. */
static ngx_uint_t
run(stream_t *of, int how)
{
    host_t              host;
    ngx_uint_t          code;
    ngx_http_codr_ws_t  ws;

    stream = of;
    host_begin(&host);
    host.lcf.first_max = FIRST_MAX;
    host.lcf.message_max = LATER_MAX;

    memset(&ws, 0, sizeof(ws));
    ws.service = &service;
    ws.request = &host.request;
    ws.ctx = &host.own;
    ws.lcf = &host.lcf;
    ws.mcf = &host.mcf;
    ws.binary = (how & BINARY) ? 1 : 0;

    if (how & DEFLATE) {
        host.own.deflate = 15;
        host.mcf.deflate = ngx_http_codr_deflate_create(host.pool);
        must(host.mcf.deflate != NULL);
    }

    serve(&host, &ws);
    code = host.own.close_code;
    of->opcode = ws.opcode;

    if (ws.wslay) {
        wslay_event_context_free(ws.wslay);
    }

    ngx_http_codr_sendq_free(&ws.out);
    host_end(&host);

    return code;
}


static int
is_refusal(ngx_uint_t code)
{
    return code >= 1002 && code <= 1009;
}


/* What is wrong in two ways may be refused for either.  Headers are looked at
   before wslay looks at what came before them, so a length that is too large
   may be refused first.  A peer that closes right after a mistake may get its
   own code back; and the text of its Close, where it comes in pieces, is
   looked at by wslay from the third byte of each. */
static int
may_differ(const stream_t *a, const stream_t *b, ngx_uint_t one,
    ngx_uint_t two)
{
    if (a->opcode == WSLAY_CONNECTION_CLOSE && b->opcode == a->opcode) {
        return 1;
    }

    return one == 1009 || two == 1009 || (is_refusal(one) && is_refusal(two));
}


/* What came right before a mistake, or before a Close with one behind it, may
   be left unread with it. */
static void
same_messages(const stream_t *a, const stream_t *b, ngx_uint_t one,
    ngx_uint_t two)
{
    unsigned  n = ngx_min(a->messages, b->messages);

    must(n == 0 || a->hash[n - 1] == b->hash[n - 1]);
    must(a->messages == b->messages || is_refusal(one) || is_refusal(two)
         || a->opcode == WSLAY_CONNECTION_CLOSE);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int         how = fuzz_byte(&data, &size);
    size_t      i;
    ngx_uint_t  one, two;

    static stream_t  cut, whole;

    ngx_queue_init(&ngx_posted_next_events);
    memset(&cut, 0, sizeof(cut));

    for (i = 0; i < sizeof(cut.plan); i++) {
        cut.plan[i] = fuzz_byte(&data, &size);
    }

    cut.plan[0] |= 1;                           /* something comes at last */
    cut.data = data;
    cut.size = size;
    whole = cut;
    memset(whole.plan, 255, sizeof(whole.plan));

    one = run(&cut, how);
    two = run(&whole, how);

    must(one == two || may_differ(&cut, &whole, one, two));
    same_messages(&cut, &whole, one, two);
    /* 1005: it was one without a code */
    must(one == 0 || (one >= 1000 && one < 5000 && one != 1006
                      && one != 1015));

    return 0;
}
