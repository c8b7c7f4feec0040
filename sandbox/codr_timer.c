/*
 * A binary heap of deadlines and the timerfd that wakes for the earliest.
 * Runs in the broker and the supervisor.
 */

#define _GNU_SOURCE

#include "codr_timer.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "codr_util.h"

#define FIRST_SIZE  64


int
codr_timers_init(codr_timers_t *timers)
{
    *timers = (codr_timers_t) { .fd = -1 };

    timers->fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);

    return timers->fd == -1 ? -errno : 0;
}


void
codr_timers_free(codr_timers_t *timers)
{
    codr_close(&timers->fd);
    free(timers->heap);
    timers->heap = NULL;
    timers->count = timers->size = 0;
}


static void
put(codr_timers_t *timers, size_t i, codr_timer_t *timer)
{
    timers->heap[i] = timer;
    timer->place = i + 1;
}


/* Moves the timer at i up or down to where it belongs. */
static void
settle(codr_timers_t *timers, size_t i)
{
    size_t        next;
    codr_timer_t *timer = timers->heap[i];

    while (i > 0 && timers->heap[(i - 1) / 2]->at_us > timer->at_us) {
        put(timers, i, timers->heap[(i - 1) / 2]);
        i = (i - 1) / 2;
    }

    for ( ;; ) {
        next = 2 * i + 1;
        if (next + 1 < timers->count
            && timers->heap[next + 1]->at_us < timers->heap[next]->at_us)
        {
            next++;
        }
        if (next >= timers->count
            || timers->heap[next]->at_us >= timer->at_us)
        {
            break;
        }
        put(timers, i, timers->heap[next]);
        i = next;
    }

    put(timers, i, timer);
}


static int
make_room(codr_timers_t *timers)
{
    size_t         size = timers->size ? 2 * timers->size : FIRST_SIZE;
    codr_timer_t **heap;

    if (timers->count < timers->size) {
        return 0;
    }

    heap = realloc(timers->heap, size * sizeof(codr_timer_t *));
    if (heap == NULL) {
        return -ENOMEM;
    }

    timers->heap = heap;
    timers->size = size;
    return 0;
}


int
codr_timer_set(codr_timers_t *timers, codr_timer_t *timer, uint64_t at_us)
{
    if (timer->place == 0) {
        if (make_room(timers) != 0) {
            return -ENOMEM;
        }
        put(timers, timers->count++, timer);
    }

    timer->at_us = at_us;
    settle(timers, timer->place - 1);
    return 0;
}


void
codr_timer_clear(codr_timers_t *timers, codr_timer_t *timer)
{
    size_t        i = timer->place - 1;
    codr_timer_t *last;

    if (timer->place == 0) {
        return;
    }

    timer->place = 0;
    last = timers->heap[--timers->count];

    if (last != timer) {
        put(timers, i, last);
        settle(timers, i);
    }
}


codr_timer_t *
codr_timers_due(codr_timers_t *timers, uint64_t now_us)
{
    codr_timer_t *timer;

    if (timers->count == 0 || timers->heap[0]->at_us > now_us) {
        return NULL;
    }

    timer = timers->heap[0];
    codr_timer_clear(timers, timer);
    return timer;
}


void
codr_timers_arm(codr_timers_t *timers)
{
    uint64_t          at = timers->count ? timers->heap[0]->at_us : 0;
    struct itimerspec when = { 0 };

    /* to be woken once in vain costs as much as to set it anew */
    if (at == timers->armed_us
        || (timers->armed_us != 0 && (at == 0 || at > timers->armed_us)))
    {
        return;
    }

    when.it_value.tv_sec = (time_t) (at / 1000000);
    when.it_value.tv_nsec = (long) (at % 1000000) * 1000;

    if (timerfd_settime(timers->fd, TFD_TIMER_ABSTIME, &when, NULL) == 0) {
        timers->armed_us = at;
    }
}
