/*
 * Making values: sets of paths, and names of members.
 */

#ifndef CODR_VALUE_H
#define CODR_VALUE_H

#include "codr_resolve.h"

/* A path as it is written: folded, rewritten, added once.  What does not fit
   is left out. */
void codr_value_add(codr_check_t *check, codr_value_t *value,
    const char *path, size_t len);

/* The path of a module of this name. */
void codr_value_add_module(codr_check_t *check, codr_value_t *value,
    const char *name, size_t len);

/* object.name */
void codr_value_join(codr_check_t *check, codr_value_t *value,
    const char *object, const char *name);

/* function() */
void codr_value_call(codr_check_t *check, codr_value_t *value,
    const char *function);

void codr_value_add_all(codr_value_t *value, const codr_value_t *other);

/* The name of a member: the text of a capture, or the constant of another, "?"
   when that is unknown.  False: the match has neither. */
bool codr_value_member(codr_check_t *check, const codr_match_t *match,
    codr_role_t name, codr_role_t key, char ret[]);

#endif /* CODR_VALUE_H */
