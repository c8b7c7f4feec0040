/*
 * Checks whatever comes against the strict policy of a language: the parser,
 * the bindings, the rules, positions and texts of findings.  The environment
 * says which: CODR_LANGUAGE, CODR_POLICIES.
 */

#include "../../../sandbox/codr_diagnostic.h"
#include "../../../validators/codr_check.h"
#include "../fuzz.h"

#define NODES       50000

static codr_policy_set_t             set;
static const codr_policy_language_t *language;


int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
    codr_policy_plan_t plan = { .name = getenv("CODR_LANGUAGE") };
    codr_query_error_t error;

    (void) argc;
    (void) argv;

    set.dir = getenv("CODR_POLICIES");
    if (plan.name == NULL || set.dir == NULL
        || codr_policy_add(&set, &plan, &error) < 0)
    {
        (void) fputs("no such policy\n", stderr);
        abort();
    }

    language = codr_policy_find(&set, plan.name);
    return 0;
}


static void
look_at(const codr_finding_t *finding, const codr_range_t *range)
{
    char            text[CODR_DIAGNOSTIC_MESSAGE];
    codr_position_t position;

    if (finding->rule >= set.rules || finding->start > finding->end
        || finding->end > range->length)
    {
        abort();
    }

    position = codr_diagnostic_position(range);
    if (position.line < 1 || position.column < 1
        || position.end_line < position.line)
    {
        abort();
    }

    codr_diagnostic_snippet(text, range);
    codr_diagnostic_message(text, set.rule[finding->rule].message, range);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char                *copy = malloc(size ? size : 1);
    uint32_t             i, count = 0;
    codr_range_t         range;
    codr_budget_t        budget;
    codr_finding_t       found[CODR_CHECK_FINDINGS];

    if (copy == NULL) {
        abort();
    }
    for (i = 0; i < size; i++) {
        copy[i] = (char) data[i];
    }

    codr_budget_begin(&budget, size, NODES);
    if (codr_check_source(&set, language, CODR_POLICY_STRICT, copy,
                          (uint32_t) size, &budget, found, &count)
        == CODR_CHECK_DONE)
    {
        for (i = 0; i < count; i++) {
            range = (codr_range_t) { copy, size, found[i].start,
                                     found[i].end };
            look_at(&found[i], &range);
        }
    }

    free(copy);
    return 0;
}
