/*
 * Whose turn it is: events that are always ready, bulk and others.
 */

#include "tap.h"

#include <unistd.h>

#include "../../sandbox/codr_event.h"

#define TURNS   600

static codr_loop_t  loop;
static codr_event_t events[3];
static unsigned     turns[3], all;


static void
count(codr_event_t *event, uint32_t ready)
{
    (void) ready;

    turns[event - events]++;
    if (++all == TURNS) {
        codr_loop_stop(&loop);
    }
}


static void
run(void)
{
    all = turns[0] = turns[1] = turns[2] = 0;
    loop.stopped = false;
    tap_number(codr_loop_run(&loop), 0, "the loop runs");
}


static bool
is_about(unsigned n, unsigned wanted)
{
    return n + 2 >= wanted && n <= wanted + 2;
}


int
main(void)
{
    int    ends[2];
    size_t i;

    if (codr_loop_init(&loop) < 0 || pipe(ends) == -1
        || write(ends[1], "", 1) != 1)
    {
        return 1;
    }

    for (i = 0; i < 3; i++) {
        events[i] = (codr_event_t) { .fd = dup(ends[0]), .handler = count };
        tap_number(codr_event_watch(&loop, &events[i], EPOLLIN), 0,
                   "an event is watched");
    }

    run();
    tap_ok(is_about(turns[0], TURNS / 3) && is_about(turns[1], TURNS / 3)
           && is_about(turns[2], TURNS / 3), "all get as many turns");

    tap_number(codr_event_set_bulk(&loop, &events[1], true), 0, "one is bulk");
    tap_number(codr_event_set_bulk(&loop, &events[2], true), 0,
               "so is another");
    run();
    tap_ok(is_about(turns[0], TURNS / 2), "who is not bulk gets half of them");
    tap_ok(is_about(turns[1], TURNS / 4) && is_about(turns[2], TURNS / 4),
           "bulk events share the others");

    tap_number(codr_event_watch(&loop, &events[1], 0), 0,
               "a bulk event is not watched");
    run();
    tap_number(turns[1], 0, "so it gets no turn");
    tap_ok(is_about(turns[2], TURNS / 2), "the other one gets its turns");

    tap_number(codr_event_set_bulk(&loop, &events[2], false), 0,
               "a bulk event is none any more");
    tap_number(codr_event_set_bulk(&loop, &events[1], false), 0,
               "nor is the one that is not watched");
    run();
    tap_number(turns[1], 0, "which does not make it watched");
    tap_ok(is_about(turns[0], TURNS / 2) && is_about(turns[2], TURNS / 2),
           "the others get as many turns");

    for (i = 0; i < 3; i++) {
        codr_event_close(&loop, &events[i]);
    }
    codr_loop_free(&loop);
    return tap_done();
}
