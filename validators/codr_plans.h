/*
 * The languages that a configuration names, as they come on the command line.
 */

#ifndef CODR_PLANS_H
#define CODR_PLANS_H

#include <stdbool.h>
#include <stddef.h>

#include "codr_policy.h"

typedef struct {
    codr_policy_plan_t  *plan;      /* strings are the command line's */
    size_t               plans;
} codr_plans_t;


/* LANGUAGE[=GRAMMAR[:FILE]], whose text is cut up.  0, or negative errno. */
int codr_plans_add(codr_plans_t *plans, char *text);

/* Compiles all of them.  0, or negative errno and the first mistake. */
int codr_plans_compile(const codr_plans_t *plans, codr_policy_set_t *set,
    codr_query_error_t *error);

/* Not a mistake of who wrote the configuration: an installation without its
   policies. */
#define CODR_PLANS_UNCHECKED  2

/* Prints what is wrong on standard error; an exit status.  Without plans, all
   that the directory has.  named: somebody has asked for this directory. */
int codr_plans_check(const codr_plans_t *plans, const char *dir, bool named);

#endif /* CODR_PLANS_H */
