/*
 * Names: what a reference is bound to.
 */

#ifndef CODR_LOOKUP_H
#define CODR_LOOKUP_H

#include "codr_resolve.h"

/* Adds what the name of this node stands for. */
void codr_lookup(codr_check_t *check, codr_value_t *value, uint32_t node);

/* Adds what an import names: role is the capture of the match that is
   asked for. */
void codr_lookup_import(codr_check_t *check, codr_value_t *value,
    const codr_match_t *match, codr_role_t role);

/* Whether the name is that of a macro that pastes tokens. */
bool codr_lookup_pastes(codr_check_t *check, uint32_t node);

#endif /* CODR_LOOKUP_H */
