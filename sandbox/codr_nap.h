/*
 * Programs that write line by line.  Who is woken for each line interrupts the
 * program, for longer than that needs for the line.  A stream that was read a
 * few times in quick succession is left alone for a moment, again and again:
 * until that is over only its end wakes.
 */

#ifndef CODR_NAP_H
#define CODR_NAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "codr_event.h"

#define CODR_NAP_US     250     /* that output waits at most */
#define CODR_NAP_FEW    3       /* reads before it: a line may be two pieces */
#define CODR_NAP_LINE   512     /* bytes that are worth being woken for */
#define CODR_NAP_MUCH   2048    /* who writes as much meanwhile has it full */

/* Of some streams, of which one at a time is not watched: what comes from one
   beside another one has an order. */
typedef struct {
    codr_loop_t    *loop;
    codr_timer_t    timer;
    codr_event_t   *event;      /* what was read last */
    uint64_t        read_us;    /* when */
    unsigned        quick;      /* soon after each other */
    bool            asleep;
} codr_nap_t;


void codr_nap_init(codr_nap_t *nap, codr_loop_t *loop);

/*
 * So many bytes were read, which were all there were; SIZE_MAX: there may be
 * more.  When a nap is over the event's handler is called.  0, or negative
 * errno: the event is not watched any more.
 */
int codr_nap_after(codr_nap_t *nap, codr_event_t *event, size_t len);

/* What is not watched, or NULL. */
codr_event_t *codr_nap_asleep(const codr_nap_t *nap);

/* What comes next goes at once. */
void codr_nap_end(codr_nap_t *nap);

/* The same of events that others watch anew, or close. */
void codr_nap_forget(codr_nap_t *nap);

#endif /* CODR_NAP_H */
