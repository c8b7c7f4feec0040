/*
 * How long places are held, and so how long the next ones will have to be
 * waited for.
 */

#ifndef CODR_PACE_H
#define CODR_PACE_H

#include <stdint.h>

/* Zeroed, nobody has had a place yet. */
typedef struct {
    uint64_t  count;            /* who hold one now */
    uint64_t  began_us;         /* sum of since when they do */
    uint64_t  held_us;          /* average of those who have left; 0: none */
} codr_pace_t;


void codr_pace_enter(codr_pace_t *pace, uint64_t now_us);

/* began_us is what it has entered with. */
void codr_pace_leave(codr_pace_t *pace, uint64_t began_us, uint64_t now_us);

/* Estimate for who is at a position, from 1, in a queue for so many places,
   all of which are held; 0 = not known. */
uint64_t codr_pace_wait_us(const codr_pace_t *pace, uint64_t places,
    uint64_t position, uint64_t now_us);

#endif /* CODR_PACE_H */
