/*
 * TAP for unit tests: one line a check, the plan at the end.  Included by the
 * one file of a test program; tap_done() is what main() returns.
 */

#ifndef TAP_H
#define TAP_H

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static int tap_run;
static int tap_failed;

#define tap_ok(cond, name)  tap_check((cond), (name), __FILE__, __LINE__)

#define tap_number(got, want, name)                                           \
    tap_check_number((long long) (got), (long long) (want), (name),           \
                     __FILE__, __LINE__)

#define tap_text(got, want, name)                                             \
    tap_check_text((got), (want), (name), __FILE__, __LINE__)


static inline bool
tap_check(bool good, const char *name, const char *file, int line)
{
    printf("%sok %d - %s\n", good ? "" : "not ", ++tap_run, name);

    if (!good) {
        tap_failed++;
        fprintf(stderr, "# %s:%d: %s\n", file, line, name);
    }

    return good;
}


static inline bool
tap_check_number(long long got, long long want, const char *name,
    const char *file, int line)
{
    if (tap_check(got == want, name, file, line)) {
        return true;
    }

    fprintf(stderr, "#     got %lld, expected %lld\n", got, want);
    return false;
}


static inline bool
tap_check_text(const char *got, const char *want, const char *name,
    const char *file, int line)
{
    bool  good;

    good = got == want || (got && want && strcmp(got, want) == 0);

    if (tap_check(good, name, file, line)) {
        return true;
    }

    fprintf(stderr, "#     got %s, expected %s\n", got ? got : "NULL",
            want ? want : "NULL");
    return false;
}


static inline void
tap_skip(const char *name, const char *reason)
{
    printf("ok %d - %s # SKIP %s\n", ++tap_run, name, reason);
}


static inline int
tap_done(void)
{
    printf("1..%d\n", tap_run);
    return tap_failed ? 1 : 0;
}

#endif /* TAP_H */
