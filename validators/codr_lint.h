/*
 * The policy check from the shell.
 */

#ifndef CODR_LINT_H
#define CODR_LINT_H

#include <stdbool.h>

#include "codr_policy.h"

typedef struct {
    const char           *policies;     /* directory */
    const char           *language;
    const char           *file;         /* policy, or NULL */
    codr_policy_level_t   level;
    uint32_t              nodes;
    bool                  json;
    bool                  plain;        /* no shapes */
} codr_lint_t;

/* 0: all pass; 1: one is refused; 2: that cannot be told of one. */
int codr_lint_files(const codr_lint_t *lint, char **path, int paths);

#endif /* CODR_LINT_H */
