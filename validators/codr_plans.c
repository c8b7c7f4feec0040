/*
 * Which policies a configuration needs.
 */

#include "codr_plans.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>


static int
append(codr_plans_t *plans, codr_policy_plan_t plan)
{
    codr_policy_plan_t *grown;

    grown = realloc(plans->plan, (plans->plans + 1) * sizeof(*grown));
    if (grown == NULL) {
        return -ENOMEM;
    }

    plans->plan = grown;
    grown[plans->plans++] = plan;
    return 0;
}


int
codr_plans_add(codr_plans_t *plans, char *text)
{
    char              *grammar = strchr(text, '='), *file = NULL;
    codr_policy_plan_t plan = { .name = text };

    if (grammar) {
        *grammar++ = '\0';
        file = strchr(grammar, ':');
    }
    if (file) {
        *file++ = '\0';
    }
    if (*text == '\0') {
        return -EINVAL;
    }

    plan.grammar = grammar && *grammar ? grammar : NULL;
    plan.file = file && *file ? file : NULL;
    return append(plans, plan);
}


int
codr_plans_compile(const codr_plans_t *plans, codr_policy_set_t *set,
    codr_query_error_t *error)
{
    int    result;
    size_t i;

    for (i = 0; i < plans->plans; i++) {
        result = codr_policy_add(set, &plans->plan[i], error);
        if (result < 0 && result != -ENOENT) {
            return result;
        }
    }

    return 0;
}


int
codr_plans_check(const codr_plans_t *plans, const char *dir, bool named)
{
    int                   result;
    size_t                i;
    codr_plans_t          all = { NULL, 0 };
    codr_policy_set_t     set = { .dir = dir };
    codr_query_error_t    error;
    const codr_grammar_t *grammar;

    for (i = 0; plans->plans == 0
                && (grammar = codr_grammar_at(i)) != NULL; i++)
    {
        (void) append(&all, (codr_policy_plan_t) { .name = grammar->name });
    }

    result = codr_plans_compile(plans->plans ? plans : &all, &set, &error);
    if (result < 0) {
        (void) fprintf(stderr, "%s\n", error.text);
    }

    codr_policy_free(&set);
    free(all.plan);

    if (result == -ENOTDIR && !named) {
        return CODR_PLANS_UNCHECKED;
    }
    return result < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
