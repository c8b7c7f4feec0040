/*
 * When a stream is left alone for a moment, and what ends that.
 */

#include "tap.h"

#include <unistd.h>

#include "../../sandbox/codr_nap.h"
#include "../../sandbox/codr_util.h"

#define LONG_US     (1000000ULL * CODR_NAP_US)

static codr_loop_t   loop;
static codr_nap_t    nap;
static codr_event_t  stream, other;
static int           ends[2], other_ends[2];    /* for writing: the second */
static unsigned      called;


static void
count(codr_event_t *event, uint32_t events)
{
    (void) event;
    (void) events;
    called++;
}


static bool
open_stream(codr_event_t *event, int *pipe_ends)
{
    if (pipe(pipe_ends) == -1) {
        return false;
    }
    *event = (codr_event_t) { .fd = pipe_ends[0], .handler = count };
    return codr_event_watch(&loop, event, EPOLLIN) == 0;
}


static bool
begin(void)
{
    called = 0;
    codr_nap_init(&nap, &loop);
    return open_stream(&stream, ends) && open_stream(&other, other_ends);
}


static void
finish(void)
{
    codr_nap_forget(&nap);
    codr_event_close(&loop, &stream);
    codr_event_close(&loop, &other);
    codr_close(&ends[1]);
    codr_close(&other_ends[1]);
}


/* Soon after the last one, or not: the test may be as slow as it likes. */
static void
read_bytes(codr_event_t *event, size_t len, bool soon)
{
    nap.read_us = soon ? codr_now_us() + LONG_US : 1;
    if (codr_nap_after(&nap, event, len) != 0) {
        tap_ok(false, "what was read is counted");
    }
}


static void
fall_asleep(void)
{
    unsigned i;

    for (i = 0; i < CODR_NAP_FEW; i++) {
        read_bytes(&stream, 10, true);
    }
}


static bool
tick(void)
{
    codr_timer_t *timer = codr_timers_due(&loop.timers,
                                          codr_now_us() + LONG_US);

    if (timer) {
        timer->handler(timer);
    }
    return timer != NULL;
}


/* What a write of one byte wakes, if anything. */
static codr_event_t *
woken(int fd)
{
    char               byte;
    struct epoll_event ready;

    if (write(fd, "", 1) != 1 || epoll_wait(loop.epoll, &ready, 1, 0) != 1) {
        return NULL;
    }
    if (read(((codr_event_t *) ready.data.ptr)->fd, &byte, 1) != 1) {
        return NULL;
    }
    return ready.data.ptr;
}


static bool
is_asleep(void)
{
    return codr_nap_asleep(&nap) == &stream && stream.events == EPOLLHUP;
}


static bool
is_awake(void)
{
    return codr_nap_asleep(&nap) == NULL && stream.events == EPOLLIN;
}


static void
lines(void)
{
    unsigned i;

    for (i = 1; i < CODR_NAP_FEW; i++) {
        read_bytes(&stream, 10, true);
    }
    tap_ok(is_awake(), "a few lines are read as they come");
    tap_ok(woken(ends[1]) == &stream, "each wakes");
    read_bytes(&stream, 0, true);
    tap_ok(is_awake(), "to be woken in vain does not count");
    read_bytes(&stream, 10, true);
    tap_ok(is_asleep(), "then it is left alone");
    tap_ok(woken(ends[1]) == NULL, "nothing that comes wakes");
    tap_ok(woken(other_ends[1]) == &other, "but from another stream");

    tap_number(called, 0, "not yet");
    tap_ok(tick(), "a nap is over");
    tap_number(called, 1, "and it is read");
    read_bytes(&stream, CODR_NAP_LINE, false);
    tap_ok(is_asleep() && tick() && called == 2, "again and again");
    read_bytes(&stream, 0, true);
    tap_ok(is_awake(), "until there was nothing");
    tap_ok(!tick(), "no timer is left");
}


static void
wakes(void)
{
    fall_asleep();
    codr_nap_end(&nap);
    tap_ok(is_awake() && !tick(), "somebody looks what comes");
    read_bytes(&stream, 10, true);
    tap_ok(is_awake(), "the next does not make it wait again");

    fall_asleep();
    read_bytes(&stream, CODR_NAP_MUCH, true);
    tap_ok(is_awake() && !tick(), "who writes much is read at once");
    fall_asleep();
    read_bytes(&stream, SIZE_MAX, true);
    tap_ok(is_awake(), "so is what could not be read at once");

    fall_asleep();
    codr_close(&ends[1]);
    tap_ok(epoll_wait(loop.epoll, &(struct epoll_event) { 0 }, 1, 0) == 1,
           "the end of a stream wakes");
    codr_nap_forget(&nap);
    tap_ok(codr_nap_asleep(&nap) == NULL && !tick(),
           "what others watch is forgotten");
}


static void
others(void)
{
    unsigned i;

    for (i = 0; i < 2 * CODR_NAP_FEW; i++) {
        read_bytes(&stream, 10, false);
    }
    tap_ok(is_awake(), "lines that come slowly never wait");
    for (i = 0; i < 2 * CODR_NAP_FEW; i++) {
        read_bytes(&stream, CODR_NAP_LINE, true);
    }
    tap_ok(is_awake(), "nor do large pieces");
    for (i = 0; i < CODR_NAP_FEW; i++) {
        read_bytes(&stream, 10, true);
        read_bytes(&other, 10, true);
    }
    tap_ok(is_awake() && other.events == EPOLLIN,
           "nor those of two streams in turn");

    (void) codr_event_watch(&loop, &stream, 0);
    fall_asleep();
    tap_ok(codr_nap_asleep(&nap) == NULL && stream.events == 0,
           "what is not watched stays so");
}


int
main(void)
{
    size_t i;
    void (*const parts[])(void) = { lines, wakes, others };

    if (codr_loop_init(&loop) < 0) {
        return 1;
    }

    for (i = 0; i < CODR_ARRAY_LEN(parts); i++) {
        if (!begin()) {
            return 1;
        }
        parts[i]();
        finish();
    }

    codr_loop_free(&loop);
    return tap_done();
}
