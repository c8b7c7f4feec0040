/*
 * epoll, one event a turn.  Runs in the keeper, the supervisor and the
 * broker.
 */

#define _GNU_SOURCE

#include "codr_event.h"

#include <errno.h>
#include <unistd.h>

#include "codr_util.h"


static void
clock_ticked(codr_event_t *event, uint32_t events)
{
    uint64_t       count, now = codr_now_us();
    codr_loop_t   *loop = event->data;
    codr_timer_t  *timer;

    (void) events;

    /* the count does not matter: what is due is in the heap */
    if (read(event->fd, &count, sizeof(count)) == -1 && errno != EAGAIN) {
        return;
    }
    loop->timers.armed_us = 0;

    timer = codr_timers_due(&loop->timers, now);
    if (timer) {
        timer->handler(timer);
    }
}


/* The next that is ready. */
static int
serve_one(int epoll, int timeout)
{
    int                n;
    codr_event_t      *event;
    struct epoll_event ready;

    n = epoll_wait(epoll, &ready, 1, timeout);
    if (n == -1 && errno != EINTR) {
        return -errno;
    }

    if (n == 1) {
        event = ready.data.ptr;
        event->handler(event, ready.events);
    }

    return 0;
}


static void
bulk_ready(codr_event_t *event, uint32_t events)
{
    (void) events;
    (void) serve_one(event->fd, 0);     /* an own epoll does not fail */
}


static int
watch_bulk(codr_loop_t *loop)
{
    loop->bulk.fd = epoll_create1(EPOLL_CLOEXEC);
    if (loop->bulk.fd == -1) {
        return -errno;
    }

    loop->bulk.handler = bulk_ready;

    return codr_event_watch(loop, &loop->bulk, EPOLLIN);
}


int
codr_loop_init(codr_loop_t *loop)
{
    int result;

    *loop = (codr_loop_t) {
        .epoll = -1,
        .clock = CODR_EVENT_NONE,
        .bulk = CODR_EVENT_NONE,
    };

    result = codr_timers_init(&loop->timers);
    if (result < 0) {
        return result;
    }

    loop->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (loop->epoll == -1) {
        result = -errno;
        codr_timers_free(&loop->timers);
        return result;
    }

    loop->clock.fd = loop->timers.fd;
    loop->clock.handler = clock_ticked;
    loop->clock.data = loop;

    result = codr_event_watch(loop, &loop->clock, EPOLLIN);
    if (result == 0) {
        result = watch_bulk(loop);
    }
    if (result < 0) {
        codr_loop_free(loop);
    }

    return result;
}


static void
destroy_doomed(codr_loop_t *loop)
{
    codr_doomed_t *doomed;

    while ((doomed = loop->doomed) != NULL) {
        loop->doomed = doomed->next;
        doomed->destroy(doomed);
    }
}


void
codr_loop_end_turn(codr_loop_t *loop)
{
    void (*late)(void) = loop->late;

    if (late) {
        loop->late = NULL;
        late();
    }

    destroy_doomed(loop);
}


void
codr_loop_free(codr_loop_t *loop)
{
    destroy_doomed(loop);
    codr_timers_free(&loop->timers);
    codr_close(&loop->bulk.fd);
    codr_close(&loop->epoll);
}


int
codr_loop_run(codr_loop_t *loop)
{
    int result = 0;

    while (!loop->stopped && result == 0) {
        codr_loop_end_turn(loop);
        codr_timers_arm(&loop->timers);
        result = serve_one(loop->epoll, -1);
    }

    codr_loop_end_turn(loop);
    return result;
}


void
codr_loop_stop(codr_loop_t *loop)
{
    loop->stopped = true;
}


void
codr_loop_doom(codr_loop_t *loop, codr_doomed_t *doomed,
    void (*destroy)(codr_doomed_t *doomed))
{
    if (doomed->destroy == NULL) {
        doomed->destroy = destroy;
        doomed->next = loop->doomed;
        loop->doomed = doomed;
    }
}


int
codr_event_watch(codr_loop_t *loop, codr_event_t *event, uint32_t events)
{
    int                op;
    struct epoll_event wanted = { .events = events, .data.ptr = event };

    if (event->events == events || event->fd == -1) {
        return 0;
    }

    if (event->events == 0) {
        op = EPOLL_CTL_ADD;
    } else {
        op = events == 0 ? EPOLL_CTL_DEL : EPOLL_CTL_MOD;
    }

    if (epoll_ctl(event->bulk ? loop->bulk.fd : loop->epoll, op, event->fd,
                  &wanted) == -1)
    {
        return -errno;
    }

    event->events = events;
    return 0;
}


int
codr_event_set_bulk(codr_loop_t *loop, codr_event_t *event, bool bulk)
{
    int      result;
    uint32_t events = event->events;

    if (event->bulk == bulk) {
        return 0;
    }

    result = codr_event_watch(loop, event, 0);
    if (result == 0) {
        event->bulk = bulk;
        result = codr_event_watch(loop, event, events);
    }

    return result;
}


int
codr_event_move(codr_loop_t *loop, codr_event_t *to, codr_event_t *from)
{
    int                result = 0;
    struct epoll_event wanted = { .events = from->events, .data.ptr = to };

    if (from->fd == -1) {
        return 0;
    }

    to->bulk = from->bulk;
    to->events = from->events;
    to->fd = codr_steal_fd(&from->fd);
    from->events = 0;

    if (to->events != 0
        && epoll_ctl(to->bulk ? loop->bulk.fd : loop->epoll, EPOLL_CTL_MOD,
                     to->fd, &wanted) == -1)
    {
        result = -errno;
        (void) codr_event_watch(loop, to, 0);   /* of nobody's, then */
    }

    return result;
}


void
codr_event_close(codr_loop_t *loop, codr_event_t *event)
{
    if (event->fd == -1) {
        return;
    }

    /* a duplicate of the descriptor elsewhere would keep reporting */
    (void) codr_event_watch(loop, event, 0);
    codr_close(&event->fd);
}
