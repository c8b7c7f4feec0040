/*
 * What one check may use.  A check that reaches a bound has no verdict.
 */

#ifndef CODR_BUDGET_H
#define CODR_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

typedef struct {
    uint64_t  began_us;         /* CPU time of the process */
    uint64_t  cpu_us;           /* the same: deadline */
    uint64_t  kept_us;          /* for what comes after the parser */
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

/* Half of the time is the parser's, where most can be lost; the other half is
   for what comes after it. */
void codr_budget_parse(codr_budget_t *budget);
void codr_budget_parsed(codr_budget_t *budget);

/* Looks at the clock; true when the time is over, then and for ever. */
bool codr_budget_over(codr_budget_t *budget);

/* The same, looking at the clock now and then: for loops. */
bool codr_budget_step(codr_budget_t *budget);

/* The same, of a step that is as long as so many. */
bool codr_budget_steps(codr_budget_t *budget, uint32_t steps);

/* That tree-sitter makes between two questions whether to go on. */
#define CODR_BUDGET_ROUND   128

#endif /* CODR_BUDGET_H */
