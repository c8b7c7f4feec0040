/*
 * What one check may use.  A check that reaches a bound has no verdict.
 *
 * Work is counted, in nanoseconds that it takes on a processor where nothing
 * else runs: what a source is worth does not depend on the machine, nor on who
 * else is busy on it.  The clock is there for what nobody has thought of.
 */

#ifndef CODR_BUDGET_H
#define CODR_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

#define CODR_BUDGET_STEP    22      /* work of a step of a loop */
#define CODR_BUDGET_NODE    35      /* of a row of the table of nodes */
#define CODR_BUDGET_BYTE    7       /* that a parser looks at, or again */
#define CODR_BUDGET_LETTER  3       /* of a name, where it is not plain */
#define CODR_BUDGET_LOOK    50000   /* between two looks at the clock */

typedef struct {
    uint64_t  work;             /* done */
    uint64_t  most;
    uint64_t  look;             /* work at which to look at the clock */
    uint64_t  cpu_us;           /* deadline, in CPU time of the process */
    uint32_t  nodes;            /* of all sources, that are left */
    bool      over;             /* work, time, memory or matches ran out */
    bool      over_nodes;
    bool      last;             /* the process ends: nothing is freed */
} codr_budget_t;


/* CPU time of the process. */
uint64_t codr_budget_used_us(void);

/* Work that checking this many bytes may be. */
uint64_t codr_budget_work(uint64_t bytes);

/* For sources of so many bytes, together. */
void codr_budget_begin(codr_budget_t *budget, uint64_t bytes, uint32_t nodes);

/* Looks at the clock; true when the time is over, then and for ever. */
bool codr_budget_over(codr_budget_t *budget);

/* True when it is too much. */
static inline bool
codr_budget_spend(codr_budget_t *budget, uint64_t work)
{
    budget->work += work;
    if (budget->work < budget->look) {
        return budget->over;
    }

    return codr_budget_over(budget);
}


static inline bool
codr_budget_steps(codr_budget_t *budget, uint32_t steps)
{
    return codr_budget_spend(budget, (uint64_t) steps * CODR_BUDGET_STEP);
}


static inline bool
codr_budget_step(codr_budget_t *budget)
{
    return codr_budget_steps(budget, 1);
}

#endif /* CODR_BUDGET_H */
