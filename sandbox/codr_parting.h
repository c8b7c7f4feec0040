/*
 * A validator's child that has answered.  Its end is work for a processor,
 * as much as half a verdict, and what the verdict was for comes first: the
 * child waits until nobody listens to it any more.
 */

#ifndef CODR_PARTING_H
#define CODR_PARTING_H

#include "codr_event.h"

typedef struct {
    codr_loop_t   *loop;
    codr_event_t   child;       /* the last one that has answered, or none */
    codr_timer_t   timer;
    const void    *owner;       /* not looked into */
} codr_parting_t;


void codr_parting_init(codr_parting_t *parting, codr_loop_t *loop);

/* Takes the descriptor over, closes it later; of another one, now.  owner is
   what the answer was for. */
void codr_parting_take(codr_parting_t *parting, codr_event_t *answer,
    const void *owner);

/* If that is what is over, it need not be kept any more. */
void codr_parting_end(codr_parting_t *parting, const void *owner);

#endif /* CODR_PARTING_H */
