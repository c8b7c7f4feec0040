/*
 * Where a query matches.
 */

#ifndef CODR_WALK_H
#define CODR_WALK_H

#include <stdbool.h>

#include "codr_facts.h"

struct codr_check_s;

/* False: no further one. */
typedef bool (*codr_walk_take_t)(struct codr_check_s *check,
    const codr_match_t *match);


/* Calls take for every match, whose predicates are not looked at; its captures
   are gone afterwards.  skip names rules to leave out, or is NULL.  False: a
   bound was reached, or take wanted no more. */
bool codr_walk(struct codr_check_s *check, const codr_query_t *query,
    const bool *skip, codr_walk_take_t take);

#endif /* CODR_WALK_H */
