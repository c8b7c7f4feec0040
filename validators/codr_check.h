/*
 * One check of one source against one policy: everything it works with.
 */

#ifndef CODR_CHECK_H
#define CODR_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "codr_arena.h"
#include "codr_budget.h"
#include "codr_facts.h"
#include "codr_policy.h"
#include "codr_tree.h"

#define CODR_CHECK_FINDINGS     20      /* that are told */

/* What a rule says of a range of the source, in bytes. */
typedef struct {
    uint32_t  rule;
    uint32_t  start;
    uint32_t  end;
} codr_finding_t;

typedef enum {
    CODR_CHECK_DONE = 0,        /* findings are all there are, up to the most
                                   that are told */
    CODR_CHECK_TOO_COMPLEX,     /* more syntax nodes than allowed */
    CODR_CHECK_UNAVAILABLE      /* a bound was reached */
} codr_check_result_t;

typedef struct codr_check_s codr_check_t;

struct codr_check_s {
    const codr_policy_set_t  *set;
    const codr_policy_t      *policy;
    const codr_grammar_t     *grammar;
    codr_budget_t            *budget;
    codr_arena_t              arena;
    codr_tree_t               tree;
    codr_facts_t              facts;
    bool                      resolves;     /* facts are complete */
    unsigned                  depth;        /* of resolving */
    pcre2_match_data         *match_data;
    pcre2_match_context      *match_context;

    codr_finding_t           *found;        /* as they come */
    uint32_t                  count;
    uint32_t                  room;
};


/*
 * Checks one source.  Up to CODR_CHECK_FINDINGS findings, sorted; *ret_count
 * is how many.  A source of a language without a policy passes.
 */
codr_check_result_t codr_check_source(const codr_policy_set_t *set,
    const codr_policy_language_t *language, codr_policy_level_t level,
    const void *source, uint32_t length, codr_budget_t *budget,
    codr_finding_t ret[CODR_CHECK_FINDINGS], uint32_t *ret_count);

/* False when memory is over. */
bool codr_check_add(codr_check_t *check, uint32_t rule, uint32_t start,
    uint32_t end);

#endif /* CODR_CHECK_H */
