/*
 * The policy check from the shell.
 */

#ifndef CODR_LINT_H
#define CODR_LINT_H

#include <stdbool.h>

#include "codr_policy.h"

typedef struct {
    const char           *policies;     /* directory */
    const char           *language;     /* name or alias, in any case */
    const char           *grammar;      /* NULL: by the name */
    const char           *file;         /* policy, or NULL */
    codr_policy_level_t   level;
    uint32_t              nodes;
    bool                  json;
    bool                  plain;        /* no shapes */
} codr_lint_t;

/* 0: all pass; 1: one is refused; 2: that cannot be told of one. */
int codr_lint_files(const codr_lint_t *lint, char **path, int paths);

/* Says why it cannot be told of a file. */
void codr_lint_untold(const char *path, const char *why, bool json);

#endif /* CODR_LINT_H */
