/*
 * One job's socket in the broker.  Never blocks; what a worker sends is
 * hostile, and a worker that does not read costs CODR_WIRE_PENDING_MAX bytes
 * at most.
 */

#define _GNU_SOURCE

#include "codr_wire.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "codr_io.h"

#define TOGETHER    4096        /* bytes of small frames that go together */
#define READ_SIZE   (2 * (CODR_FRAME_HEADER + CODR_FRAME_MAX))

/* Each call says so itself: O_NONBLOCK is the open file's, and a worker that
   kept a duplicate of our end could clear it. */
#define SEND_FLAGS  (MSG_NOSIGNAL | MSG_DONTWAIT)


/* Small frames of one turn for one worker, which are one message to it: each
   is a wakeup of it, and then of its client.  One process, one thread. */
typedef struct {
    codr_wire_t  *wire;         /* NULL: there are none */
    size_t        len;
    uint8_t       data[TOGETHER];
} together_t;

static together_t together;


static void handle(codr_event_t *event, uint32_t events);
static void send_together(void);


int
codr_wire_open(codr_wire_t *wire, codr_loop_t *loop, int sock,
    const codr_wire_handlers_t *handlers, void *data)
{
    *wire = (codr_wire_t) {
        .loop = loop,
        .event = { .fd = sock, .handler = handle, .data = wire },
        .handlers = handlers,
        .data = data,
    };

    return codr_event_watch(loop, &wire->event, EPOLLIN);
}


void
codr_wire_close(codr_wire_t *wire)
{
    codr_wire_flush(wire);
    codr_event_close(wire->loop, &wire->event);

    free(wire->partial);
    free(wire->pending);
    wire->partial = wire->pending = NULL;
    wire->partial_len = wire->pending_len = wire->pending_pos = 0;
}


void
codr_wire_shutdown(codr_wire_t *wire)
{
    (void) shutdown(wire->event.fd, SHUT_WR);   /* fails if it is gone */
}


/* Keeps the beginning of a frame whose rest has not come yet. */
static int
keep_partial(codr_wire_t *wire, const uint8_t *data, size_t len)
{
    free(wire->partial);
    wire->partial = NULL;
    wire->partial_len = 0;

    if (len == 0) {
        return 0;
    }

    wire->partial = malloc(len);
    if (wire->partial == NULL) {
        return -ENOMEM;
    }

    memcpy(wire->partial, data, len);
    wire->partial_len = len;
    return 0;
}


/* Hands out every whole frame; 0 and how much that was, or negative errno. */
static int
take_frames(codr_wire_t *wire, const uint8_t *data, size_t len,
    size_t *ret_taken)
{
    int          result;
    size_t       pos = 0;
    codr_frame_t frame;

    while (len - pos >= CODR_FRAME_HEADER) {
        if (codr_frame_decode(&frame, data + pos) != 0) {
            return -EPROTO;
        }
        if (len - pos - CODR_FRAME_HEADER < frame.length) {
            break;
        }

        result = wire->handlers->frame(wire, frame,
                                       data + pos + CODR_FRAME_HEADER);
        if (result < 0) {
            return result;
        }
        pos += CODR_FRAME_HEADER + frame.length;

        if (wire->event.fd == -1) {     /* closed by the handler */
            pos = len;
            break;
        }
    }

    *ret_taken = pos;
    return 0;
}


static int
read_frames(codr_wire_t *wire)
{
    int            result;
    size_t         taken, len = wire->partial_len;
    ssize_t        n;
    static uint8_t buffer[READ_SIZE];   /* one process, one thread */

    if (len > 0) {
        memcpy(buffer, wire->partial, len);
    }

    /* no descriptors are expected: those that come are dropped with care */
    n = codr_io_recv_now(wire->event.fd, buffer + len, sizeof(buffer) - len,
                         NULL, 0, NULL, NULL);
    if (n < 0) {
        return n == -EAGAIN ? 0 : (int) n;
    }
    if (n == 0) {
        return -EPIPE;
    }
    len += (size_t) n;

    result = take_frames(wire, buffer, len, &taken);
    if (result < 0) {
        return result;
    }

    return keep_partial(wire, buffer + taken, len - taken);
}


static int
flush(codr_wire_t *wire)
{
    ssize_t n;

    while (wire->pending_pos < wire->pending_len) {
        n = send(wire->event.fd, wire->pending + wire->pending_pos,
                 wire->pending_len - wire->pending_pos, SEND_FLAGS);
        if (n == -1 && errno == EINTR) {
            continue;
        }
        if (n == -1) {
            return errno == EAGAIN ? 0 : -errno;
        }
        wire->pending_pos += (size_t) n;
    }

    free(wire->pending);
    wire->pending = NULL;
    wire->pending_len = wire->pending_pos = 0;

    return codr_event_watch(wire->loop, &wire->event, EPOLLIN);
}


void
codr_wire_ask(codr_wire_t *wire)
{
    (void) codr_event_watch(wire->loop, &wire->event, EPOLLIN | EPOLLOUT);
}


static void
handle(codr_event_t *event, uint32_t events)
{
    int          result;
    codr_wire_t *wire = event->data;

    if (events & EPOLLOUT) {
        result = flush(wire);
        if (result < 0) {
            wire->handlers->lost(wire, result);
            return;
        }
        if (codr_wire_is_drained(wire)) {
            wire->handlers->drained(wire);
        }
    }

    /* the handler may have closed the socket */
    if ((events & ~(uint32_t) EPOLLOUT) && wire->event.fd != -1) {
        result = read_frames(wire);
        if (result < 0) {
            wire->handlers->lost(wire, result);
        }
    }
}


void
codr_wire_look(codr_wire_t *wire)
{
    handle(&wire->event, EPOLLIN);
}


static int
append(codr_wire_t *wire, const uint8_t *data, size_t len)
{
    uint8_t *pending;

    if (len > CODR_WIRE_PENDING_MAX - wire->pending_len) {
        return -ENOBUFS;
    }

    pending = realloc(wire->pending, wire->pending_len + len);
    if (pending == NULL) {
        return -ENOMEM;
    }

    memcpy(pending + wire->pending_len, data, len);
    wire->pending = pending;
    wire->pending_len += len;

    return codr_event_watch(wire->loop, &wire->event, EPOLLIN | EPOLLOUT);
}


/* Who misses a frame must not wait for it: both sides see the end, we in our
   own turn. */
static int
break_off(const codr_wire_t *wire, int error)
{
    (void) shutdown(wire->event.fd, SHUT_RDWR);

    return error;
}


static int
send_now(codr_wire_t *wire, const uint8_t *data, size_t len)
{
    int     result;
    ssize_t n = 0;

    if (codr_wire_is_drained(wire)) {
        n = send(wire->event.fd, data, len, SEND_FLAGS);
        if (n == -1) {
            if (errno != EAGAIN && errno != EINTR) {
                return break_off(wire, -errno);
            }
            n = 0;
        }
        if ((size_t) n == len) {
            return 0;
        }
    }

    result = append(wire, data + n, len - (size_t) n);

    /* without room for it the frame may be told later, or by another one */
    return result < 0 && result != -ENOBUFS ? break_off(wire, result) : result;
}


static void
send_together(void)
{
    codr_wire_t *wire = together.wire;

    if (wire) {
        together.wire = NULL;
        (void) send_now(wire, together.data, together.len);
    }
}


void
codr_wire_flush(codr_wire_t *wire)
{
    if (together.wire == wire) {
        send_together();
    }
}


/* Nothing of it is pending, so that later there is room for it. */
static void
put_together(codr_wire_t *wire, const void *frame, size_t len)
{
    if (together.wire == NULL) {
        together.wire = wire;
        together.len = 0;
        wire->loop->late = send_together;
    }

    memcpy(together.data + together.len, frame, len);
    together.len += len;
}


int
codr_wire_send(codr_wire_t *wire, const void *frame, size_t len)
{
    size_t used = together.wire == wire ? together.len : 0;

    if (len > TOGETHER - used || together.wire != wire) {
        send_together();
    }

    if (len > TOGETHER || !codr_wire_is_drained(wire)) {
        return send_now(wire, frame, len);
    }

    put_together(wire, frame, len);
    return 0;
}
