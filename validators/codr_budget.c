/*
 * Work and CPU time of a check.
 */

#define _POSIX_C_SOURCE 200809L

#include "codr_budget.h"

#include <time.h>

#include "codr_sanitized.h"

/* For any source up to so many bytes, so that there is a verdict within 50 ms;
   of honest ones the densest are two thirds. */
#define BASE        32000000
#define FREE_BYTES  65536
#define PER_BYTE    1000            /* beyond that */
#define MOST        500000000

/* The longest that work may take: a machine may be slow, or so busy that
   nothing is in its caches. */
#define TIMES       6
#define NS_A_US     1000


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
codr_budget_work(uint64_t bytes)
{
    uint64_t work = BASE;

    if (bytes > FREE_BYTES) {
        work = bytes - FREE_BYTES < (MOST - BASE) / PER_BYTE
               ? BASE + (bytes - FREE_BYTES) * PER_BYTE : MOST;
    }

    return work;
}


void
codr_budget_begin(codr_budget_t *budget, uint64_t bytes, uint32_t nodes)
{
    uint64_t most = codr_budget_work(bytes);

    *budget = (codr_budget_t) {
        .most = most, .look = CODR_BUDGET_LOOK,
        .cpu_us = codr_budget_used_us()
                  + most / NS_A_US * TIMES * CODR_SANITIZED_TIMES,
        .nodes = nodes,
    };
}


bool
codr_budget_over(codr_budget_t *budget)
{
    budget->look = budget->work + CODR_BUDGET_LOOK;
    if (budget->work > budget->most
        || codr_budget_used_us() > budget->cpu_us)
    {
        budget->over = true;
    }

    return budget->over;
}
