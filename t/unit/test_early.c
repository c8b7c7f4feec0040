/*
 * Ends of children that nobody has asked for yet: each is told once, to whom
 * it belongs, and the oldest makes room.
 */

#define _GNU_SOURCE

#include "tap.h"

#include "../../sandbox/codr_early.h"


int
main(void)
{
    int              i;
    codr_early_t     early = { 0 };
    codr_early_end_t end = { 0 };
    struct rusage    rusage = { .ru_utime = { .tv_sec = 3 } };

    tap_ok(!codr_early_has(&early, 0), "nobody is none of them");
    tap_ok(!codr_early_has(&early, -1), "nor is an error");
    tap_ok(!codr_early_take(&early, 7, &end), "one that has not ended");

    codr_early_add(&early, 7, 9, &rusage);
    codr_early_add(&early, 8, 1, &rusage);
    tap_ok(codr_early_has(&early, 7), "one that has");
    tap_ok(codr_early_take(&early, 7, &end) && end.wait_status == 9
           && end.rusage.ru_utime.tv_sec == 3, "how it has");
    tap_ok(!codr_early_take(&early, 7, &end), "once");
    tap_ok(codr_early_has(&early, 8), "another one stays");

    for (i = 0; i < CODR_EARLY_MAX; i++) {
        codr_early_add(&early, 100 + i, i, &rusage);
    }
    tap_ok(!codr_early_has(&early, 8), "until there are too many after it");
    tap_ok(codr_early_has(&early, 100), "which are all there");

    codr_early_forget(&early);
    tap_ok(!codr_early_has(&early, 100)
           && !codr_early_has(&early, 100 + CODR_EARLY_MAX - 1),
           "nobody is asked for any more");

    return tap_done();
}
