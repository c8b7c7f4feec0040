/*
 * CPU time of a check.  Wall time would refuse honest programs on a busy
 * machine, so the clock is the process's own.
 */

#define _POSIX_C_SOURCE 200809L

#include "codr_budget.h"

#include <time.h>

#include "codr_sanitized.h"

#define BASE_US     90000       /* any source; 64 KB of the densest take half */
#define FREE_BYTES  65536
#define BYTES_A_US  2           /* beyond that */
#define MOST_US     1000000
#define STEPS       2048        /* of a loop, some ten microseconds */


uint64_t
codr_budget_used_us(void)
{
    struct timespec now = { 0, 0 };

    (void) clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
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
        .began_us = now, .cpu_us = now + cpu_us, .nodes = nodes,
    };
}


void
codr_budget_parse(codr_budget_t *budget)
{
    uint64_t most = codr_budget_used_us()
                    + (budget->cpu_us - budget->began_us) / 2;

    budget->kept_us = most < budget->cpu_us ? budget->cpu_us - most : 0;
    budget->cpu_us -= budget->kept_us;
}


void
codr_budget_parsed(codr_budget_t *budget)
{
    budget->cpu_us += budget->kept_us;
    budget->kept_us = 0;
}


bool
codr_budget_over(codr_budget_t *budget)
{
    if (!budget->over && codr_budget_used_us() > budget->cpu_us) {
        budget->over = true;
    }

    return budget->over;
}


bool
codr_budget_steps(codr_budget_t *budget, uint32_t steps)
{
    budget->steps += steps;
    if (budget->steps < STEPS) {
        return budget->over;
    }

    budget->steps = 0;
    return codr_budget_over(budget);
}


bool
codr_budget_step(codr_budget_t *budget)
{
    return codr_budget_steps(budget, 1);
}
