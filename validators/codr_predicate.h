/*
 * Whether what a pattern asks for besides the tree is so.
 */

#ifndef CODR_PREDICATE_H
#define CODR_PREDICATE_H

#include "codr_check.h"

/* False also when a bound is reached: the budget says so then. */
bool codr_predicates_hold(codr_check_t *check, const codr_match_t *match);

/* Whether a node's text is one of the words of an #eq? or #any-of?. */
bool codr_predicate_says(const codr_check_t *check,
    const codr_predicate_t *predicate, uint32_t node);

/* The next match of a #find? of the pattern from *at on, in bytes of the
   text; false when there is none.  1 byte long at least. */
bool codr_predicate_find(codr_check_t *check, const codr_match_t *match,
    uint32_t *at, uint32_t *ret_start, uint32_t *ret_end);

/* Whether a pattern has a #find?. */
const codr_predicate_t *codr_predicate_finder(const codr_pattern_t *pattern);

#endif /* CODR_PREDICATE_H */
