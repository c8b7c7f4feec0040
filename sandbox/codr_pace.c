/*
 * The average time a place is held.  Runs in the broker; pure.
 *
 * Those who have left are not all there is to know: where people sit at
 * prompts, short jobs leave often and the others never seem to.  So the
 * average of those who are still there counts, too, once it is the longer one.
 */

#include "codr_pace.h"

#define WEIGHT  8       /* of the past in the average */


void
codr_pace_enter(codr_pace_t *pace, uint64_t now_us)
{
    pace->count++;
    pace->began_us += now_us;
}


void
codr_pace_leave(codr_pace_t *pace, uint64_t began_us, uint64_t now_us)
{
    uint64_t held = now_us > began_us ? now_us - began_us : 1;

    pace->count--;
    pace->began_us -= began_us;
    pace->held_us = pace->held_us == 0 ? held
        : (pace->held_us * (WEIGHT - 1) + held) / WEIGHT;
}


uint64_t
codr_pace_wait_us(const codr_pace_t *pace, uint64_t places, uint64_t position,
    uint64_t now_us)
{
    uint64_t age, held = pace->held_us;

    if (held == 0 || places == 0) {
        return 0;
    }

    if (pace->count > 0) {
        age = now_us - pace->began_us / pace->count;
        if (age > held) {
            held = age;
        }
    }

    return held * position / places;
}
