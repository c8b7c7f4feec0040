
/*
 * A job's bytes as "output" messages.  Whole lines go at once, the rest after
 * a few milliseconds, a flood in few large messages; a character that is cut
 * off waits for its other bytes, stream by stream.  Bytes are copied once and
 * escaped once; nothing is allocated but at the start of a job.  Where bytes go
 * out as they are, large pieces are not even copied.
 *
 * Messages tile the program's output: each begins at the offset at which the
 * one before it ended, and ends where its last byte stands among all bytes of
 * both streams, in the order in which they came.
 */

#include "ngx_http_codr_output.h"
#include "ngx_http_codr_text.h"


#define NGX_HTTP_CODR_OUTPUT_SIZE   16384      /* bytes of one message */
#define NGX_HTTP_CODR_OUTPUT_DELAY  5          /* milliseconds */
#define NGX_HTTP_CODR_OUTPUT_CUT    3          /* bytes of a cut character */
#define NGX_HTTP_CODR_OUTPUT_LARGE  4096       /* bytes of a piece */

#define NGX_HTTP_CODR_OUTPUT_TEXT                                             \
    NGX_HTTP_CODR_TEXT_ESCAPED(NGX_HTTP_CODR_OUTPUT_CUT)

#define NGX_HTTP_CODR_OUTPUT_HEAD                                             \
    "{\"type\":\"output\",\"stream\":\"stdout\",\"data\":\""
#define NGX_HTTP_CODR_OUTPUT_TAIL                                             \
    (sizeof("\",\"offset\":,\"end\":}") + 2 * NGX_INT64_LEN)


typedef struct {
    u_char                     data[NGX_HTTP_CODR_OUTPUT_CUT];
    size_t                     len;
} ngx_http_codr_output_held_t;


struct ngx_http_codr_output_s {
    const ngx_http_codr_output_sink_t  *sink;
    void                        *sink_data;
    ngx_event_t                  timer;
    ngx_msec_t                   sent;         /* when the last message was */
    uint64_t                     offset;       /* end of the last message */
    uint64_t                     raw;          /* bytes that have come */

    u_char                      *message;
    u_char                      *data;         /* not sent yet */
    size_t                       len;
    size_t                       line;         /* of it, up to a newline */
    size_t                       cut;          /* of it, a cut character */
    ngx_uint_t                   stream;       /* 1 or 2 */
    ngx_http_codr_output_held_t  held[2];      /* cut, of the other stream */

    unsigned                     urgent:1;
};


static void ngx_http_codr_output_cleanup(void *data);
static void ngx_http_codr_output_switch(ngx_http_codr_output_t *o,
    ngx_uint_t stream);
static void ngx_http_codr_output_send(ngx_http_codr_output_t *o, size_t n,
    ngx_uint_t last);
static void ngx_http_codr_output_sent(ngx_http_codr_output_t *o, uint64_t end);
static size_t ngx_http_codr_output_message(ngx_http_codr_output_t *o, size_t n,
    ngx_uint_t last);
static void ngx_http_codr_output_timer(ngx_event_t *ev);


ngx_http_codr_output_t *
ngx_http_codr_output_create(ngx_pool_t *pool, ngx_log_t *log,
    const ngx_http_codr_output_sink_t *sink, void *data)
{
    ngx_pool_cleanup_t      *cln;
    ngx_http_codr_output_t  *o;

    o = ngx_pcalloc(pool, sizeof(ngx_http_codr_output_t));
    if (o == NULL) {
        return NULL;
    }

    o->data = ngx_palloc(pool, NGX_HTTP_CODR_OUTPUT_ROOM
                               + NGX_HTTP_CODR_OUTPUT_SIZE);
    cln = ngx_pool_cleanup_add(pool, 0);

    if (o->data == NULL || cln == NULL) {
        return NULL;
    }

    o->data += NGX_HTTP_CODR_OUTPUT_ROOM;

    if (sink->message) {
        o->message = ngx_palloc(pool, NGX_HTTP_CODR_OUTPUT_ROOM
                     + sizeof(NGX_HTTP_CODR_OUTPUT_HEAD)
                     + NGX_HTTP_CODR_TEXT_ESCAPED(NGX_HTTP_CODR_OUTPUT_SIZE)
                     + NGX_HTTP_CODR_OUTPUT_TAIL);

        if (o->message == NULL) {
            return NULL;
        }

        o->message += NGX_HTTP_CODR_OUTPUT_ROOM;
    }

    cln->handler = ngx_http_codr_output_cleanup;
    cln->data = o;

    o->sink = sink;
    o->sink_data = data;
    o->stream = 1;
    o->sent = ngx_current_msec - NGX_HTTP_CODR_OUTPUT_DELAY;

    o->timer.handler = ngx_http_codr_output_timer;
    o->timer.data = o;
    o->timer.log = log;

    return o;
}


static void
ngx_http_codr_output_cleanup(void *data)
{
    ngx_http_codr_output_t  *o = data;

    if (o->timer.timer_set) {
        ngx_del_timer(&o->timer);
    }
}


/* What a reader that was here before held of a character is held again. */

void
ngx_http_codr_output_begin(ngx_http_codr_output_t *o, uint64_t offset,
    const ngx_str_t *held)
{
    size_t                        used;
    u_char                       *p, *last;
    u_char                        text[NGX_HTTP_CODR_OUTPUT_TEXT];
    ngx_http_codr_output_held_t  *to;

    o->offset = offset;
    o->raw = offset;

    if (o->sink->bytes || held == NULL || held->len < 2
        || held->len > 1 + NGX_HTTP_CODR_OUTPUT_CUT
        || (held->data[0] != 1 && held->data[0] != 2))
    {
        return;
    }

    last = held->data + held->len;

    for (p = held->data + 1; p < last; p++) {

        (void) ngx_http_codr_text_escape(text, p, last - p, 0, &used);

        if (used == 0) {
            o->stream = 3 - held->data[0];
            to = &o->held[held->data[0] - 1];
            to->len = last - p;
            ngx_memcpy(to->data, p, to->len);
            return;
        }
    }
}


void
ngx_http_codr_output_urge(ngx_http_codr_output_t *o)
{
    o->urgent = 1;
}


void
ngx_http_codr_output_add(ngx_http_codr_output_t *o, codr_output_t *piece)
{
    size_t         n, left;
    const u_char  *p, *newline;

    if (piece->stream != o->stream) {
        ngx_http_codr_output_switch(o, piece->stream);
    }

    if (piece->offset > o->raw) {              /* the broker left some out */
        ngx_http_codr_output_send(o, o->len, 0);
        o->raw = piece->offset;
        o->offset = piece->offset;
    }

    p = piece->data;
    left = piece->length;

    if (o->sink->bytes && left >= NGX_HTTP_CODR_OUTPUT_LARGE) {
        ngx_http_codr_output_send(o, o->len, 0);
        o->raw += left;
        ngx_http_codr_output_sent(o, o->raw);
        o->sink->bytes(o->sink_data, o->stream, (u_char *) p, left);
        return;
    }

    while (left > 0) {
        n = ngx_min(left, NGX_HTTP_CODR_OUTPUT_SIZE - o->len);
        ngx_memcpy(o->data + o->len, p, n);

        newline = memrchr(p, '\n', n);
        if (newline) {
            o->line = o->len + (newline - p) + 1;
        }

        o->len += n;
        o->raw += n;
        o->cut = 0;
        p += n;
        left -= n;

        if (o->len == NGX_HTTP_CODR_OUTPUT_SIZE) {
            ngx_http_codr_output_send(o, o->line ? o->line : o->len, 0);
        }
    }
}


/* A message is of one stream; what is cut off is kept for later. */

static void
ngx_http_codr_output_switch(ngx_http_codr_output_t *o, ngx_uint_t stream)
{
    ngx_http_codr_output_held_t  *held;

    ngx_http_codr_output_send(o, o->len, 0);

    held = &o->held[o->stream - 1];
    held->len = o->len;
    ngx_memcpy(held->data, o->data, o->len);

    held = &o->held[stream - 1];
    o->len = held->len;
    o->cut = held->len;
    o->line = 0;
    ngx_memcpy(o->data, held->data, held->len);

    o->stream = stream;
}


/* Makes one message of the first n bytes; only with last set, of a character
   that is cut off, too. */

static void
ngx_http_codr_output_send(ngx_http_codr_output_t *o, size_t n, ngx_uint_t last)
{
    size_t  used;

    if (n == 0) {
        return;
    }

    if (o->sink->bytes) {
        used = n;
        ngx_http_codr_output_sent(o, o->raw - (o->len - used));
        o->sink->bytes(o->sink_data, o->stream, o->data, n);

    } else {
        used = ngx_http_codr_output_message(o, n, last);
    }

    o->len -= used;
    o->line = (o->line > used) ? o->line - used : 0;
    ngx_memmove(o->data, o->data + used, o->len);

    o->cut = n - used;
}


/* The next message begins here. */

static void
ngx_http_codr_output_sent(ngx_http_codr_output_t *o, uint64_t end)
{
    o->offset = end;
    o->sent = ngx_current_msec;

    if (o->timer.timer_set) {                  /* what is left is younger */
        ngx_del_timer(&o->timer);
    }
}


/* How many of the bytes went into it; none are no message. */

static size_t
ngx_http_codr_output_message(ngx_http_codr_output_t *o, size_t n,
    ngx_uint_t last)
{
    size_t     used;
    u_char    *p;
    uint64_t   end;

    p = ngx_cpymem(o->message, NGX_HTTP_CODR_OUTPUT_HEAD,
                   sizeof(NGX_HTTP_CODR_OUTPUT_HEAD) - 1);

    if (o->stream == 2) {
        ngx_memcpy(p - sizeof("stdout\",\"data\":\"") + 1, "stderr", 6);
    }

    p += ngx_http_codr_text_escape(p, o->data, n, last, &used);

    if (used > 0) {
        end = o->raw - (o->len - used);
        p = ngx_sprintf(p, "\",\"offset\":%uL,\"end\":%uL}", o->offset, end);

        ngx_http_codr_output_sent(o, end);
        o->sink->message(o->sink_data, o->message, p - o->message);
    }

    return used;
}


void
ngx_http_codr_output_settle(ngx_http_codr_output_t *o)
{
    if (o->len == o->cut) {
        return;
    }

    if (o->urgent) {
        o->urgent = 0;
        ngx_http_codr_output_send(o, o->len, 0);

    } else if (o->line
               && (ngx_msec_int_t) (ngx_current_msec - o->sent)
                  >= NGX_HTTP_CODR_OUTPUT_DELAY)
    {
        ngx_http_codr_output_send(o, o->line, 0);
    }

    if (o->len > o->cut && !o->timer.timer_set) {
        ngx_add_timer(&o->timer, NGX_HTTP_CODR_OUTPUT_DELAY);
    }
}


static void
ngx_http_codr_output_timer(ngx_event_t *ev)
{
    ngx_http_codr_output_t  *o;

    o = ev->data;

    if (o->len > o->cut) {
        ngx_http_codr_output_send(o, o->line ? o->line : o->len, 0);
    }

    if (o->len > o->cut) {
        ngx_add_timer(&o->timer, NGX_HTTP_CODR_OUTPUT_DELAY);
    }

    o->sink->flush(o->sink_data);
}


void
ngx_http_codr_output_finish(ngx_http_codr_output_t *o)
{
    ngx_http_codr_output_send(o, o->len, 1);
    ngx_http_codr_output_switch(o, 3 - o->stream);
    ngx_http_codr_output_send(o, o->len, 1);
}
