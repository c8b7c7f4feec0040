/*
 * Frames on a job's stream: the first byte says in pieces of which size the
 * rest comes.  However it is cut, the same frames come out, up to the same
 * mistake.
 */

#define _GNU_SOURCE

#include <sys/socket.h>
#include <unistd.h>

#include "../../../sandbox/codr_wire.h"

#include "../fuzz.h"

typedef struct {
    uint64_t  hash;
    unsigned  frames;
    int       lost;
} heard_t;


static int
on_frame(codr_wire_t *wire, codr_frame_t frame, const uint8_t *payload)
{
    size_t   i;
    heard_t *heard = wire->data;

    must(frame.length <= CODR_FRAME_MAX && frame.type > 0
         && frame.type < CODR_FRAME_TYPES);

    heard->hash = heard->hash * 31 + frame.type;
    for (i = 0; i < frame.length; i++) {
        heard->hash = heard->hash * 1099511628211u + payload[i];
    }
    heard->frames++;

    return 0;
}


static void
on_drained(codr_wire_t *wire)
{
    (void) wire;
}


static void
on_lost(codr_wire_t *wire, int error)
{
    heard_t *heard = wire->data;

    must(error < 0);
    heard->lost = error;
}


static const codr_wire_handlers_t handlers = { on_frame, on_drained, on_lost };


static heard_t
hear(const uint8_t *data, size_t size, size_t piece)
{
    int          pair[2];
    size_t       n;
    heard_t      heard = { 0, 0, 0 };
    codr_loop_t  loop;
    codr_wire_t  wire;

    must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
    must(codr_loop_init(&loop) == 0);
    must(codr_wire_open(&wire, &loop, pair[0], &handlers, &heard) == 0);

    for (; size > 0 && heard.lost == 0; data += n, size -= n) {
        n = piece < size ? piece : size;
        must(write(pair[1], data, n) == (ssize_t) n);
        wire.event.handler(&wire.event, EPOLLIN);
    }

    codr_wire_close(&wire);
    codr_loop_free(&loop);
    (void) close(pair[1]);

    return heard;
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t   piece = (size_t) fuzz_byte(&data, &size) + 1;
    heard_t  cut, whole;

    if (size > 100000) {
        return 0;                       /* a socket takes more at once */
    }

    cut = hear(data, size, piece);
    whole = hear(data, size, size + 1);

    must(cut.frames == whole.frames && cut.hash == whole.hash);
    must(cut.lost == whole.lost);

    return 0;
}
