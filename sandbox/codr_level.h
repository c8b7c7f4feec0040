/*
 * The levels of a policy and what its verdict means for a job: words of the
 * configuration, of the validator and of the broker.  Pure.
 */

#ifndef CODR_LEVEL_H
#define CODR_LEVEL_H

typedef enum {
    CODR_POLICY_LIGHT = 0,
    CODR_POLICY_STANDARD,
    CODR_POLICY_STRICT,
    CODR_POLICY_LEVELS
} codr_policy_level_t;

/* "light"; NULL for a number beyond. */
const char *codr_policy_level_name(unsigned level);

/* CODR_POLICY_LEVELS for another word. */
codr_policy_level_t codr_policy_level_find(const char *name);

#endif /* CODR_LEVEL_H */
