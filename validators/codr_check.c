/*
 * Checks a source: parses it, collects its facts, runs the query files of the
 * policy over it, and keeps what is worth telling.  Runs in the validator's
 * children, and in --lint.
 */

#include "codr_check.h"

#include <string.h>

#include "codr_blame.h"
#include "codr_comment_lines.h"
#include "codr_predicate.h"
#include "codr_walk.h"

#define ARENA_BYTES     (96UL * 1024 * 1024)
#define FOUND_MAX       1024        /* before they are sorted out */
#define REGEX_DEPTH     2000
#define REGEX_HEAP      2000        /* kilobytes */


bool
codr_check_add(codr_check_t *check, uint32_t rule, uint32_t start,
    uint32_t end)
{
    codr_finding_t *grown;

    if (check->count == FOUND_MAX) {
        return false;
    }

    if (check->count == check->room) {
        grown = codr_arena_alloc(&check->arena, 2 * (check->room + 32)
                                                * sizeof(*grown));
        if (grown == NULL) {
            return false;
        }
        if (check->count > 0) {
            memcpy(grown, check->found, check->count * sizeof(*grown));
        }
        check->found = grown;
        check->room = 2 * (check->room + 32);
    }

    check->found[check->count++] = (codr_finding_t) { rule, start, end };
    return true;
}


/* Matches */


static bool
find_all(codr_check_t *check, const codr_match_t *match)
{
    uint32_t at = 0, start, end;

    while (codr_predicate_find(check, match, &at, &start, &end)) {
        if (!codr_check_add(check, match->pattern->rule, start, end)) {
            return false;
        }
    }

    return true;
}


static bool
refuse_nodes(codr_check_t *check, const codr_match_t *match)
{
    uint32_t i, start, end;

    for (i = 0; i < match->captures; i++) {
        if (match->capture[i].id != match->query->refuse) {
            continue;
        }
        codr_blame(check, match->capture[i].node, &start, &end);
        if (!codr_check_add(check, match->pattern->rule, start, end)) {
            return false;
        }
    }

    return true;
}


static bool
take_match(codr_check_t *check, const codr_match_t *match)
{
    if (!codr_predicates_hold(check, match)) {
        return !check->budget->over;
    }

    return codr_predicate_finder(match->pattern) ? find_all(check, match)
                                                 : refuse_nodes(check, match);
}


/* False: a bound was reached; enough findings are none. */
static bool
run_query(codr_check_t *check, const codr_query_t *query)
{
    return codr_walk(check, query, check->policy->skip, take_match)
           || (check->count == FOUND_MAX && !check->budget->over);
}


/* What is told */


/* In the order of the source; of two that begin together the wider first. */
static bool
precedes(const codr_finding_t *x, const codr_finding_t *y)
{
    if (x->start != y->start) {
        return x->start < y->start;
    }
    if (x->end != y->end) {
        return x->end > y->end;
    }

    return x->rule < y->rule;
}


/* qsort() asks the kernel how much memory there is, which a process that is
   locked up may not. */
static void
sort(codr_finding_t *found, uint32_t count)
{
    size_t         g;
    uint32_t       i, k;
    codr_finding_t moved;

    static const uint32_t gaps[] = { 301, 132, 57, 23, 10, 4, 1 };

    for (g = 0; g < sizeof(gaps) / sizeof(gaps[0]); g++) {
        for (i = gaps[g]; i < count; i++) {
            moved = found[i];
            for (k = i; k >= gaps[g] && precedes(&moved, &found[k - gaps[g]]);
                 k -= gaps[g])
            {
                found[k] = found[k - gaps[g]];
            }
            found[k] = moved;
        }
    }
}


static bool
same_rule(const codr_check_t *check, uint32_t a, uint32_t b)
{
    return a == b || strcmp(check->set->rule[a].id, check->set->rule[b].id)
                     == 0;
}


/* One rule says one thing once about a range and what is in it. */
static bool
covered(const codr_check_t *check, const codr_finding_t *ret, uint32_t n,
    const codr_finding_t *finding)
{
    while (n-- > 0) {
        if (ret[n].end >= finding->end
            && same_rule(check, ret[n].rule, finding->rule))
        {
            return true;
        }
    }

    return false;
}


static bool
is_error(const codr_check_t *check, const codr_finding_t *finding)
{
    return check->set->rule[finding->rule].severity == CODR_SEVERITY_ERROR;
}


/* The first ones; an error that is not among them takes a warning's place. */
static uint32_t
choose(codr_check_t *check, codr_finding_t ret[CODR_CHECK_FINDINGS])
{
    bool     errors = false;
    uint32_t i, n = 0;

    sort(check->found, check->count);

    for (i = 0; i < check->count; i++) {
        if (covered(check, ret, n, &check->found[i])) {
            continue;
        }
        if (n < CODR_CHECK_FINDINGS) {
            errors = errors || is_error(check, &check->found[i]);
            ret[n++] = check->found[i];
        } else if (!errors && is_error(check, &check->found[i])) {
            errors = true;
            ret[n - 1] = check->found[i];
        }
    }

    for (i = 0; i < n; i++) {
        ret[i].start = codr_text_origin(&check->tree.text, ret[i].start);
        ret[i].end = codr_text_origin(&check->tree.text, ret[i].end);
    }

    return n;
}


/* The check */


/* A check's own process frees nothing, and has its memory at hand. */
static void *
take_memory(size_t size, void *data)
{
    (void) data;
    return codr_arena_take(size);
}


static void
keep_memory(void *place, void *data)
{
    (void) place;
    (void) data;
}


static bool
open_check(codr_check_t *check)
{
    pcre2_general_context *memory = NULL;

    codr_arena_init(&check->arena, ARENA_BYTES);

    if (check->budget->last) {
        memory = pcre2_general_context_create(take_memory, keep_memory, NULL);
    }
    check->match_data = pcre2_match_data_create(1, memory);
    check->match_context = pcre2_match_context_create(memory);
    if (check->match_data == NULL || check->match_context == NULL) {
        return false;
    }

    pcre2_set_depth_limit(check->match_context, REGEX_DEPTH);
    pcre2_set_heap_limit(check->match_context, REGEX_HEAP);
    return true;
}


static void
close_check(codr_check_t *check)
{
    codr_tree_free(&check->tree);
    codr_arena_free(&check->arena);
    pcre2_match_data_free(check->match_data);
    pcre2_match_context_free(check->match_context);
}


static bool
run(codr_check_t *check, const void *source, uint32_t length)
{
    size_t              i;
    codr_text_t         text;
    const codr_query_t *bindings = check->policy->bindings;

    if (!codr_text_prepare(&text, &check->arena, source, length,
                           bindings && bindings->splice)
        || (bindings && bindings->comments != '\0'
            && !codr_comment_lines_drop(&text, &check->arena,
                                        bindings->comments))
        || !codr_tree_parse(&check->tree, &check->arena, check->grammar,
                            &text, check->budget)
        || (bindings && !codr_facts_collect(check)))
    {
        return false;
    }

    for (i = 0; i < check->policy->queries; i++) {
        if (!run_query(check, check->policy->query[i])) {
            return false;
        }
    }

    return !check->arena.exhausted;
}


codr_check_result_t
codr_check_source(const codr_policy_set_t *set,
    const codr_policy_language_t *language, codr_policy_level_t level,
    const void *source, uint32_t length, codr_budget_t *budget,
    codr_finding_t ret[CODR_CHECK_FINDINGS], uint32_t *ret_count)
{
    codr_check_t        check = {
        .set = set, .policy = &language->level[level],
        .grammar = language->grammar, .budget = budget,
    };
    codr_check_result_t result = CODR_CHECK_UNAVAILABLE;

    if (open_check(&check) && run(&check, source, length)) {
        *ret_count = choose(&check, ret);
        result = CODR_CHECK_DONE;
    } else if (budget->over_nodes) {
        result = CODR_CHECK_TOO_COMPLEX;
    }

    if (!budget->last) {
        close_check(&check);
    }
    return result;
}
