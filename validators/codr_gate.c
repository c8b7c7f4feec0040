/*
 * Makes the gates of shapes.  Runs before any source is seen.
 *
 * Names are resolved when a predicate asks, and where two stand for each other
 * it matters who is asked first.  So only what comes before the first
 * predicate that resolves becomes a gate, and that one itself, if the answer
 * is there by then.
 */

#include "codr_gate.h"

#include <errno.h>
#include <stdlib.h>

#include "codr_query.h"
#include "codr_roles.h"


/* Children */


static uint64_t
kind_of(codr_gates_t *gates, const codr_shape_step_t *step)
{
    uint32_t i;

    if ((step->symbol == 0 && step->field == 0)
        || (step->repeats > 0 && !step->least))
    {
        return 0;
    }

    for (i = 0; i < gates->kinds; i++) {
        if (gates->kind[i].symbol == step->symbol
            && gates->kind[i].field == step->field)
        {
            return 1ULL << i;
        }
    }
    if (i == CODR_GATE_KINDS) {
        return 0;
    }

    gates->kind[gates->kinds++] = (codr_gate_kind_t) { step->symbol,
                                                       step->field };
    return 1ULL << i;
}


static void
need_children(codr_gates_t *gates, codr_shape_t *shape)
{
    uint32_t s;

    for (s = 1; s < shape->steps; s++) {
        if (shape->step[s].parent == 0) {
            shape->needs |= kind_of(gates, &shape->step[s]);
        }
    }
}


static int
index_kinds(codr_gates_t *gates, uint32_t symbols, uint32_t fields)
{
    uint32_t                i, n;
    const codr_gate_kind_t *kind;

    gates->symbol = calloc(symbols + 1, sizeof(uint64_t));
    gates->field = calloc(fields + 1, sizeof(uint64_t));
    if (gates->symbol == NULL || gates->field == NULL) {
        return -ENOMEM;
    }

    for (i = 0; i < gates->kinds; i++) {
        kind = &gates->kind[i];
        for (n = 0; n <= symbols; n++) {
            if (kind->symbol == 0
                || n == codr_shapes_slot(symbols, kind->symbol))
            {
                gates->symbol[n] |= 1ULL << i;
            }
        }
        for (n = 0; n <= fields; n++) {
            if (kind->field == 0 || n == kind->field) {
                gates->field[n] |= 1ULL << i;
            }
        }
    }

    return 0;
}


/* Predicates */


static bool
is_listed(const codr_predicate_t *predicate)
{
    return predicate->kind == CODR_PREDICATE_PATH && !predicate->negate
           && predicate->words > 0;
}


static uint64_t
bit_of(uint8_t listed)
{
    return listed == 0 ? 0 : 1ULL << (listed - 1);
}


static int
list_words(codr_gates_t *gates, codr_query_t *query)
{
    int               result = 0;
    size_t            k;
    uint32_t          p, w, n = 0;
    codr_predicate_t *predicate;

    for (p = 0; p < query->patterns; p++) {
        for (k = 0; k < query->pattern[p].predicates; k++) {
            predicate = &query->pattern[p].predicate[k];
            if (!is_listed(predicate)) {
                continue;
            }
            predicate->listed = (uint8_t) (1 + n++ % 64);
            for (w = 0; result == 0 && w < predicate->words; w++) {
                result = codr_listing_add(&gates->listing, predicate->word[w],
                                          bit_of(predicate->listed));
            }
        }
    }

    return result;
}


static uint32_t
count_captures(const codr_shape_t *shape, uint32_t capture,
    const codr_shape_step_t **ret)
{
    uint8_t                  i;
    uint32_t                 s, r, n = 0;
    const codr_shape_step_t *step;

    for (s = 0; s < shape->steps; s++) {
        step = &shape->step[s];
        for (i = 0; i < step->captures; i++) {
            if (step->capture[i] == capture) {
                *ret = step;
                n++;
            }
        }
        for (r = 0; r < step->repeats; r++) {
            n += 2 * count_captures(&step->repeat[r], capture, ret);
        }
    }

    return n;
}


/* The step that has the capture, when it can only be one node. */
static codr_shape_step_t *
step_of(codr_shape_t *shape, uint32_t capture)
{
    const codr_shape_step_t *step = NULL;

    return count_captures(shape, capture, &step) == 1
           ? &shape->step[step - shape->step] : NULL;
}


/* Whether those after it may be gates, too. */
static bool
take_predicate(codr_shape_t *shape, const codr_predicate_t *predicate)
{
    codr_shape_step_t *step = step_of(shape, predicate->capture);

    switch (predicate->kind) {

    case CODR_PREDICATE_EQUAL:
        if (step && step->text == NULL && !predicate->negate
            && !predicate->any && predicate->other == CODR_NO_CAPTURE)
        {
            step->text = predicate;
        }
        return true;

    case CODR_PREDICATE_PATH:
        if (step && is_listed(predicate)) {
            step->listed = predicate->listed;
        }
        return false;

    case CODR_PREDICATE_MATCH:
    case CODR_PREDICATE_FIND:
    case CODR_PREDICATE_LINE_BELOW:
    case CODR_PREDICATE_INSIDE:
        return true;

    case CODR_PREDICATE_CONST:
    case CODR_PREDICATE_CONST_MATCH:
        break;
    }

    return false;
}


static bool
is_plain(const codr_shape_step_t *root)
{
    return root->symbol != 0 && root->field == 0 && root->absent[0] == 0
           && !root->last;
}


/* A fact that does not hold has no effect where none of its captures marks a
   name: those that do are marked even so. */
static bool
has_effect(const codr_pattern_t *pattern)
{
    unsigned role;

    for (role = 0; role < CODR_ROLE_COUNT; role++) {
        if ((pattern->roles & CODR_ROLE_BIT(role)) != 0
            && codr_role_marks((codr_role_t) role))
        {
            return true;
        }
    }

    return false;
}


static void
take_predicates(codr_query_t *query, codr_shape_t *shape)
{
    size_t                k;
    const codr_pattern_t *pattern = &query->pattern[shape->pattern];

    for (k = 0; k < pattern->predicates; k++) {
        if (!take_predicate(shape, &pattern->predicate[k])) {
            break;
        }
    }

    shape->listed = bit_of(shape->step[0].listed);
    shape->sure = shape->plain && shape->steps == 1 && shape->listed != 0
                  && is_listed(&pattern->predicate[0]);
}


/* Where the first shape of a symbol is sure to ask for paths, and all need one
   that is listed, none of them need be looked at. */
static int
list_symbols(codr_shapes_t *shapes)
{
    bool     all;
    uint32_t i, n;
    uint64_t bits;

    shapes->listed = calloc(shapes->symbols + 1, sizeof(*shapes->listed));
    if (shapes->listed == NULL) {
        return -ENOMEM;
    }

    for (n = 0; n <= shapes->symbols; n++) {
        bits = 0;
        all = shapes->first[n] < shapes->first[n + 1]
              && shapes->shape[shapes->first[n]].sure;
        for (i = shapes->first[n]; i < shapes->first[n + 1]; i++) {
            all = all && shapes->shape[i].listed != 0;
            bits |= shapes->shape[i].listed;
        }
        shapes->listed[n] = all ? bits : 0;
    }

    return 0;
}


int
codr_gates_make(codr_gates_t *ret, codr_query_t *query)
{
    int           result;
    uint32_t      i;
    codr_shape_t *shape;

    result = query->bindings ? 0 : list_words(ret, query);

    for (i = 0; i < query->shapes.shapes; i++) {
        shape = &query->shapes.shape[i];
        shape->plain = is_plain(&shape->step[0]);
        need_children(ret, shape);
        if (!query->bindings || !has_effect(&query->pattern[shape->pattern]))
        {
            take_predicates(query, shape);
        }
    }

    if (result == 0) {
        result = list_symbols(&query->shapes);
    }
    return result < 0 ? result
           : index_kinds(ret, query->shapes.symbols,
                         ts_language_field_count(query->grammar->language()));
}


void
codr_gates_free(codr_gates_t *gates)
{
    free(gates->symbol);
    free(gates->field);
    codr_listing_free(&gates->listing);
    *gates = (codr_gates_t) { .kinds = 0 };
}
