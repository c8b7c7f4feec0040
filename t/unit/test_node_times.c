/*
 * The times that an interpreter has seen and keeps, wherever and however often
 * it does, are moved on in a clone.
 */

#define _GNU_SOURCE

#include "tap.h"

#include <stdint.h>
#include <sys/mman.h>

#include "../../zygotes/codr_node_times.h"

#define COPIES  1000            /* as with busy processors, and more */
#define SEEN    250
#define FIRST   UINT64_C(0x123456789abc000)
#define DAY     1795306930366730.0
#define AGE     UINT64_C(4000000000)

static volatile uint64_t kept[COPIES], reused;
static volatile double   rounded, day;


static uint64_t
seen(size_t i)
{
    return FIRST + i % SEEN * 4096;
}


int
main(void)
{
    size_t  i, moved = 0;
    double *object = mmap(NULL, 8192, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    for (i = 0; i < SEEN; i++) {
        codr_node_times_saw_clock(seen(i));
    }
    for (i = 0; i < COPIES; i++) {
        kept[i] = seen(i);
    }
    rounded = (double) seen(0);
    object[1] = (double) seen(2) / 1e6;

    codr_node_times_saw_day(DAY);
    codr_node_times_saw_day(DAY + 1);
    day = DAY;

    reused = seen(1);

    tap_number(codr_node_times_find(), 0, "times are found");
    reused = 1;
    codr_node_times_saw_clock(seen(0));
    codr_node_times_shift(AGE);

    for (i = 0; i < COPIES; i++) {
        moved += kept[i] == seen(i) + AGE;
    }
    tap_number((long) moved, COPIES, "all of them are moved on");
    tap_ok(rounded > (double) seen(0) + 3.99e9
           && rounded < (double) seen(0) + 4.01e9, "and what was rounded");
    tap_ok(day > DAY + 3.99e6 && day < DAY + 4.01e6,
           "and the day, in its own unit");
    tap_ok(object[1] - (double) seen(2) / 1e6 > 3999
           && object[1] - (double) seen(2) / 1e6 < 4001,
           "and what JavaScript keeps");
    tap_number((long) reused, 1, "what is another's by now is left alone");

    kept[0] += 1;
    codr_node_times_shift(AGE);
    tap_number((long) (kept[1] - seen(1)), 2 * AGE, "once more, the same");
    tap_number((long) (kept[0] - seen(0)), AGE + 1,
               "but for what was set meanwhile");

    return tap_done();
}
