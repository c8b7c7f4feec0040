/*
 * What one check may use.  A check that reaches a bound has no verdict.
 */

#ifndef CODR_BUDGET_H
#define CODR_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

#define CODR_BUDGET_STEPS   2048    /* of a loop, some ten microseconds */

typedef struct {
    uint64_t  cpu_us;           /* deadline, in CPU time of the process */
    uint64_t  clean_us;         /* the same, of a source with few errors */
    uint32_t  rounds;           /* of the parser */
    uint32_t  errors;           /* of them: it did not know how to go on */
    uint32_t  nodes;            /* of all sources, that are left */
    uint32_t  steps;            /* since the clock was looked at */
    bool      over;             /* time, memory or matches ran out */
    bool      over_nodes;
    bool      last;             /* the process ends: nothing is freed */
} codr_budget_t;


/* CPU time that checking this many bytes may use. */
uint64_t codr_budget_us(uint64_t bytes);

/* CPU time of the process. */
uint64_t codr_budget_used_us(void);

void codr_budget_begin(codr_budget_t *budget, uint64_t cpu_us,
    uint32_t nodes);

/* One of the parser's rounds.  Most of what is made to hurt it, it cannot
   understand. */
void codr_budget_round(codr_budget_t *budget, bool error);

/* In CPU time of the process. */
uint64_t codr_budget_deadline_us(const codr_budget_t *budget);

/* Looks at the clock; true when the time is over, then and for ever. */
bool codr_budget_over(codr_budget_t *budget);

/* The same, looking at the clock now and then: for loops.  A step is as long
   as so many. */
static inline bool
codr_budget_steps(codr_budget_t *budget, uint32_t steps)
{
    budget->steps += steps;
    if (budget->steps < CODR_BUDGET_STEPS) {
        return budget->over;
    }

    budget->steps = 0;
    return codr_budget_over(budget);
}


static inline bool
codr_budget_step(codr_budget_t *budget)
{
    return codr_budget_steps(budget, 1);
}


/* That tree-sitter makes between two questions whether to go on. */
#define CODR_BUDGET_ROUND   128

#endif /* CODR_BUDGET_H */
