/*
 * CPU time of a check.  Wall time would refuse honest programs on a busy
 * machine, so the clock is the process's own.
 */

#define _POSIX_C_SOURCE 200809L

#include "codr_budget.h"

#include <time.h>

#include "codr_sanitized.h"

/* For any source up to so many bytes, so that there is a verdict within 50 ms;
   of honest ones the densest take four fifths. */
#define BASE_US     43000
#define FREE_BYTES  65536
#define BYTES_A_US  1           /* beyond that */
#define MOST_US     500000
#define CLEAN_TIMES 2           /* a machine may be slow, or so busy that
                                   nothing is in its caches */
#define CLEAN_PART  8           /* rounds of the parser without an error, for
                                   each with one */


uint64_t
codr_budget_used_us(void)
{
    struct timespec now = { 0, 0 };

    /* of its only thread: while the process has a timer of its CPU time,
       Linux brings its own clock up to date with the ticks only */
    (void) clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (uint64_t) now.tv_sec * 1000000 + (uint64_t) now.tv_nsec / 1000;
}


uint64_t
codr_budget_us(uint64_t bytes)
{
    uint64_t us = BASE_US;

    if (bytes > FREE_BYTES) {
        us += (bytes - FREE_BYTES) / BYTES_A_US;
    }

    return (us < MOST_US ? us : MOST_US) * CODR_SANITIZED_TIMES;
}


void
codr_budget_begin(codr_budget_t *budget, uint64_t cpu_us, uint32_t nodes)
{
    uint64_t now = codr_budget_used_us();

    *budget = (codr_budget_t) {
        .cpu_us = now + cpu_us, .clean_us = now + CLEAN_TIMES * cpu_us,
        .nodes = nodes,
    };
}


void
codr_budget_round(codr_budget_t *budget, bool error)
{
    budget->rounds++;
    budget->errors += error;
}


uint64_t
codr_budget_deadline_us(const codr_budget_t *budget)
{
    return budget->errors > budget->rounds / CLEAN_PART ? budget->cpu_us
                                                        : budget->clean_us;
}


bool
codr_budget_over(codr_budget_t *budget)
{
    if (!budget->over
        && codr_budget_used_us() > codr_budget_deadline_us(budget))
    {
        budget->over = true;
    }

    return budget->over;
}
