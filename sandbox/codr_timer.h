/*
 * Deadlines on the monotonic clock: a heap of timers behind one timerfd.
 */

#ifndef CODR_TIMER_H
#define CODR_TIMER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct codr_timer_s codr_timer_t;

typedef void (*codr_timer_pt)(codr_timer_t *timer);

/* Belongs to whoever embeds it; zeroed is unset. */
struct codr_timer_s {
    uint64_t       at_us;
    size_t         place;           /* in the heap, from 1; 0 = not set */
    codr_timer_pt  handler;
    void          *data;
};

typedef struct {
    codr_timer_t **heap;            /* heap[0] is the earliest */
    size_t         count;
    size_t         size;
    uint64_t       armed_us;        /* what the timerfd is set to; 0 = off */
    int            fd;
} codr_timers_t;


/* 0, or negative errno. */
int codr_timers_init(codr_timers_t *timers);
void codr_timers_free(codr_timers_t *timers);

/* Sets or moves a timer, whose handler and data the caller has filled in.
   0, or -ENOMEM when a timer that was not set found no room. */
int codr_timer_set(codr_timers_t *timers, codr_timer_t *timer,
    uint64_t at_us);

/* Accepts one that is not set. */
void codr_timer_clear(codr_timers_t *timers, codr_timer_t *timer);

static inline bool
codr_timer_is_set(const codr_timer_t *timer)
{
    return timer->place != 0;
}

/* Takes the earliest timer that is due off the heap; NULL: none is. */
codr_timer_t *codr_timers_due(codr_timers_t *timers, uint64_t now_us);

/* Sets the timerfd to the earliest deadline. */
void codr_timers_arm(codr_timers_t *timers);

#endif /* CODR_TIMER_H */
