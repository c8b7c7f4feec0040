/*
 * How long places are held: by those who have left, and by those who sit there
 * and do not.
 */

#include "tap.h"

#include "../../sandbox/codr_pace.h"

#define S   1000000ULL


static void
those_who_left(void)
{
    codr_pace_t pace = { .count = 0 };

    codr_pace_enter(&pace, 10 * S);
    tap_number((long) codr_pace_wait_us(&pace, 1, 1, 60 * S), 0,
               "nobody has left yet");

    codr_pace_leave(&pace, 10 * S, 14 * S);
    tap_number((long) codr_pace_wait_us(&pace, 1, 1, 14 * S), 4 * S,
               "as long as the first one");
    tap_number((long) codr_pace_wait_us(&pace, 1, 3, 14 * S), 12 * S,
               "the third waits for three");
    tap_number((long) codr_pace_wait_us(&pace, 4, 3, 14 * S), 3 * S,
               "but less where there are four places");
    tap_number((long) codr_pace_wait_us(&pace, 0, 3, 14 * S), 0,
               "no places");

    codr_pace_enter(&pace, 20 * S);
    codr_pace_leave(&pace, 20 * S, 32 * S);
    tap_number((long) codr_pace_wait_us(&pace, 1, 1, 32 * S), 5 * S,
               "an average that moves slowly");
    tap_number((long) (pace.count + pace.began_us), 0, "nobody is there");
}


static void
those_who_stay(void)
{
    codr_pace_t pace = { .count = 0 };

    codr_pace_enter(&pace, 0);
    codr_pace_leave(&pace, 0, S);

    codr_pace_enter(&pace, 10 * S);
    codr_pace_enter(&pace, 20 * S);
    tap_number((long) codr_pace_wait_us(&pace, 1, 1, 15 * S + S / 2), S,
               "at first nothing says that they stay");
    tap_number((long) codr_pace_wait_us(&pace, 1, 1, 115 * S), 100 * S,
               "people at prompts stay longer than those who have left");
    codr_pace_leave(&pace, 20 * S, 116 * S);
    codr_pace_leave(&pace, 10 * S, 116 * S);
    tap_number((long) (pace.count + pace.began_us), 0, "all are gone");
}


int
main(void)
{
    those_who_left();
    those_who_stay();

    return tap_done();
}
