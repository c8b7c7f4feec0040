/*
 * What an expression stands for, as far as it shows without running it.
 */

#ifndef CODR_RESOLVE_H
#define CODR_RESOLVE_H

#include "codr_check.h"

#define CODR_VALUE_PATHS    8

typedef struct codr_value_s codr_value_t;

/* Most have one path, and no more of it is touched. */
struct codr_value_s {
    const char  *text;          /* its constant string, or NULL */
    size_t       length;
    uint32_t     paths;         /* any of them */
    const char  *path[CODR_VALUE_PATHS];
};


/* Never NULL; without paths and text when nothing is known. */
const codr_value_t *codr_resolve(codr_check_t *check, uint32_t node);

/* What is known without resolving anything; NULL: nobody has asked yet. */
const codr_value_t *codr_resolved(const codr_check_t *check, uint32_t node);

#endif /* CODR_RESOLVE_H */
