/*
 * One child at a time is kept: where there are verdicts all the time there is
 * no better moment, and children that wait for their end are not replaced.
 * But not for the next verdict, where there is a moment before: its end would
 * be in the way of what that one is for.
 */

#define _GNU_SOURCE

#include "codr_parting.h"

#include <sys/epoll.h>

#include "codr_util.h"

#define KEEP_US     50000       /* most programs run by then */


static void
part(codr_parting_t *parting)
{
    codr_timer_clear(&parting->loop->timers, &parting->timer);
    codr_event_close(parting->loop, &parting->child);
}


static void
kept(codr_timer_t *timer)
{
    part(timer->data);
}


/* It has ended, or says more than it was asked. */
static void
child_spoke(codr_event_t *event, uint32_t events)
{
    (void) events;
    part(event->data);
}


void
codr_parting_init(codr_parting_t *parting, codr_loop_t *loop)
{
    *parting = (codr_parting_t) {
        .loop = loop,
        .child = { .fd = -1, .handler = child_spoke, .data = parting },
        .timer = { .handler = kept, .data = parting },
    };
}


void
codr_parting_take(codr_parting_t *parting, codr_event_t *answer,
    const void *owner)
{
    part(parting);
    parting->owner = owner;

    if (codr_event_move(parting->loop, &parting->child, answer) < 0
        || codr_timer_set(&parting->loop->timers, &parting->timer,
                          codr_now_us() + KEEP_US) < 0)
    {
        part(parting);
    }
}


void
codr_parting_end(codr_parting_t *parting, const void *owner)
{
    if (parting->owner == owner) {
        part(parting);
    }
}
