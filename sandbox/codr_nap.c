/*
 * Naps between two reads of a stream.  Runs in the broker.
 */

#include "codr_nap.h"

#include "codr_util.h"


static void
over(codr_timer_t *timer)
{
    codr_nap_t *nap = timer->data;

    nap->event->handler(nap->event, EPOLLIN);
}


void
codr_nap_init(codr_nap_t *nap, codr_loop_t *loop)
{
    *nap = (codr_nap_t) {
        .loop = loop,
        .timer = { .handler = over, .data = nap },
    };
}


static int
wake(codr_nap_t *nap)
{
    int result = codr_event_watch(nap->loop, nap->event, EPOLLIN);

    if (result == 0) {
        codr_timer_clear(&nap->loop->timers, &nap->timer);
        nap->asleep = false;
    }

    return result;
}


/* A few lines one after another, or, of naps, what can be more of them. */
static bool
is_time(codr_nap_t *nap, codr_event_t *event, size_t len, uint64_t now_us)
{
    if (nap->asleep && len > 0 && len < CODR_NAP_MUCH) {
        return true;
    }

    if (nap->asleep || nap->event != event || len >= CODR_NAP_LINE
        || now_us >= nap->read_us + CODR_NAP_US)
    {
        nap->quick = 0;
    }

    return ++nap->quick >= CODR_NAP_FEW;
}


int
codr_nap_after(codr_nap_t *nap, codr_event_t *event, size_t len)
{
    bool     sleep;
    uint64_t now = codr_now_us();

    if (event->events == 0 || (len == 0 && !nap->asleep)) {
        return 0;               /* nobody wants any, or there was none */
    }

    sleep = is_time(nap, event, len, now);
    nap->event = event;
    nap->read_us = now;

    if (!sleep || codr_timer_set(&nap->loop->timers, &nap->timer,
                                 now + CODR_NAP_US) < 0)
    {
        return nap->asleep ? wake(nap) : 0;
    }

    nap->asleep = true;
    return codr_event_watch(nap->loop, event, EPOLLHUP);
}


codr_event_t *
codr_nap_asleep(const codr_nap_t *nap)
{
    return nap->asleep ? nap->event : NULL;
}


void
codr_nap_end(codr_nap_t *nap)
{
    if (nap->asleep) {
        (void) wake(nap);       /* or the timer does, which goes on */
    }

    nap->quick = 0;
}


void
codr_nap_forget(codr_nap_t *nap)
{
    if (nap->asleep) {
        codr_timer_clear(&nap->loop->timers, &nap->timer);
    }

    nap->asleep = false;
    nap->quick = 0;
}
