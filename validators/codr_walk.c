/*
 * Finds the shapes of a query in the table of nodes; what is no shape
 * tree-sitter's cursor finds.  Runs in the validator's children.
 *
 * Recursion follows the shape, which is the operator's, and never the tree.
 */

#include "codr_walk.h"

#include <string.h>

#include "codr_check.h"
#include "codr_predicate.h"
#include "codr_resolve.h"

#define MATCH_LIMIT     16384       /* that tree-sitter has in progress */
#define ROUND           128         /* steps, between two questions of its */
#define MATCH_STEPS     8           /* what taking one is worth */
#define CAPTURES_MAX    4096        /* of one match */
#define CAPTURES_FIRST  64

typedef struct {
    codr_check_t        *check;
    const codr_query_t  *query;
    codr_walk_take_t     take;
    const codr_node_t   *row;       /* all of the tree */
    codr_capture_t      *capture;
    uint32_t             captures;
    uint32_t             room;
    bool                 stopped;
} walk_t;

/* A shape in progress. */
typedef struct {
    walk_t              *walk;
    const codr_shape_t  *shape;
    bool                 part;      /* of a repetition: one way is enough */
    bool                 found;
    uint32_t             at[CODR_SHAPE_STEPS];
} try_t;


static bool
push(walk_t *walk, const codr_shape_step_t *step, uint32_t node)
{
    uint8_t         i;
    codr_capture_t *grown;

    for (i = 0; i < step->captures; i++) {
        if (walk->captures == walk->room) {
            grown = codr_arena_room(&walk->check->arena,
                                    2 * walk->room * sizeof(*grown));
            if (grown == NULL) {
                walk->stopped = true;
                return false;
            }
            memcpy(grown, walk->capture, walk->captures * sizeof(*grown));
            walk->capture = grown;
            walk->room *= 2;
        }
        walk->capture[walk->captures++] = (codr_capture_t) {
            step->capture[i], node,
        };
    }

    return true;
}


static bool
has_field(const walk_t *walk, uint32_t node, uint16_t field)
{
    uint32_t c;

    for (c = node + 1; c < walk->row[node].next; c = walk->row[c].next) {
        if (walk->row[c].field == field
            || codr_budget_step(walk->check->budget))
        {
            return true;
        }
    }

    return false;
}


/* Whether a named sibling comes after it. */
static bool
is_last(const walk_t *walk, uint32_t node)
{
    uint32_t s, end = walk->row[walk->row[node].parent].next;

    for (s = walk->row[node].next; s < end; s = walk->row[s].next) {
        if (walk->row[s].named || codr_budget_step(walk->check->budget)) {
            return false;
        }
    }

    return true;
}


static bool
is_any(const codr_shape_step_t *step, const codr_node_t *row)
{
    if (step->missing) {
        return row->missing;
    }

    return (row->named || step->any) && row->symbol != CODR_SYMBOL_ERROR;
}


/* Comments are no elements of a list. */
static bool
fits(const try_t *try, const codr_shape_step_t *step, uint32_t node)
{
    unsigned           i;
    const codr_node_t *row = &try->walk->row[node];

    if (step->symbol != 0 ? row->symbol != step->symbol
        : !is_any(step, row) || (try->part && row->extra))
    {
        return false;
    }
    if (step->field != 0 && row->field != step->field) {
        return false;
    }
    if (step->last && !is_last(try->walk, node)) {
        return false;
    }

    for (i = 0; i < CODR_SHAPE_ABSENT && step->absent[i] != 0; i++) {
        if (has_field(try->walk, node, step->absent[i])) {
            return false;
        }
    }

    return true;
}


/* Gates */


/* The lists that paths of the node are in; false: nobody has asked for them
   yet. */
static bool
find_listed(const walk_t *walk, uint32_t node, uint64_t *ret)
{
    uint32_t            p;
    uint64_t            bits = 0;
    const codr_value_t *value = codr_resolved(walk->check, node);

    if (value == NULL) {
        return false;
    }

    for (p = 0; p < value->paths; p++) {
        bits |= codr_listing_find(&walk->query->gates.listing,
                                  codr_listed_of(value->path[p]));
    }

    *ret = bits;
    return true;
}


/* Whether a node may be this one for all that is said of it; not of one that
   repeats, which has no text. */
static bool
passes(const walk_t *walk, const codr_shape_step_t *step, uint32_t node)
{
    uint64_t listed;

    if (step->text && !codr_predicate_says(walk->check, step->text, node)) {
        return false;
    }

    return step->listed == 0 || !find_listed(walk, node, &listed)
           || (listed >> (step->listed - 1) & 1) != 0;
}


/* The kinds of its children. */
static uint64_t
find_kinds(const walk_t *walk, uint32_t node)
{
    uint32_t            c, symbols = walk->query->shapes.symbols;
    uint64_t            kinds = 0;
    const codr_gates_t *gates = &walk->query->gates;
    const codr_node_t  *row;

    for (c = node + 1; c < walk->row[node].next; c = row->next) {
        row = &walk->row[c];
        kinds |= gates->symbol[codr_shapes_slot(symbols, row->symbol)]
                 & gates->field[row->field];
    }

    (void) codr_budget_step(walk->check->budget);
    return kinds;
}


/* Shapes */


static void
found(try_t *try)
{
    walk_t            *walk = try->walk;
    const codr_match_t match = {
        .query = walk->query,
        .pattern = &walk->query->pattern[try->shape->pattern],
        .capture = walk->capture, .captures = walk->captures,
    };

    try->found = true;
    if (!try->part && !walk->take(walk->check, &match)) {
        walk->stopped = true;
    }
}


static uint8_t go_on(try_t *try, uint8_t s);


/* One of the shapes, in one way; its captures stay. */
static bool
one_of(walk_t *walk, const codr_shape_step_t *step, uint32_t node)
{
    try_t    part = { .walk = walk, .part = true };
    uint32_t i, before = walk->captures;

    for (i = 0; i < step->repeats && !walk->stopped; i++) {
        part.shape = &step->repeat[i];
        if (!fits(&part, &part.shape->step[0], node)
            || !push(walk, &part.shape->step[0], node))
        {
            continue;
        }
        part.at[0] = node;
        (void) go_on(&part, 1);
        if (part.found) {
            return true;
        }
        walk->captures = before;
    }

    return false;
}


/* Every child that is left and is one of the shapes. */
static uint8_t
go_on_repeating(try_t *try, uint8_t s, uint32_t c, uint32_t end)
{
    bool               any = false;
    walk_t            *walk = try->walk;
    uint32_t           before = walk->captures;
    const codr_shape_step_t *step = &try->shape->step[s];

    for ( /* void */ ; c < end; c = walk->row[c].next) {
        if (codr_budget_step(walk->check->budget) || walk->stopped
            || walk->captures - before >= CAPTURES_MAX)
        {
            break;
        }
        any = one_of(walk, step, c) || any;
    }

    if (any || !step->least) {
        s = go_on(try, s + 1);
    }
    walk->captures = before;
    return s;
}


/* Looks for the steps from s on; where it came to. */
static uint8_t
go_on(try_t *try, uint8_t s)
{
    uint8_t            came, furthest = s;
    walk_t            *walk = try->walk;
    uint32_t           c, end, before = walk->captures;
    const codr_shape_step_t *step = &try->shape->step[s];

    if (s == try->shape->steps) {
        found(try);
        return s;
    }

    end = walk->row[try->at[step->parent]].next;
    c = step->before == CODR_NO_STEP ? try->at[step->parent] + 1
                                     : walk->row[try->at[step->before]].next;
    if (step->repeats > 0) {
        return go_on_repeating(try, s, c, end);
    }

    for ( /* void */ ; c < end; c = walk->row[c].next) {
        if (codr_budget_step(walk->check->budget)) {
            break;
        }
        if (fits(try, step, c) && passes(walk, step, c)
            && push(walk, step, c))
        {
            try->at[s] = c;
            came = go_on(try, s + 1);
            if (try->part && try->found) {
                return came;
            }
            walk->captures = before;
            furthest = came > furthest ? came : furthest;

            /* another place of the same would find the same */
            if (walk->stopped || (!step->captured && !step->held
                                  && furthest >= step->end))
            {
                break;
            }
        }
        if (step->immediate && walk->row[c].named) {
            break;
        }
    }

    return furthest;
}


static void
try_shape(walk_t *walk, const codr_shape_t *shape, uint32_t node)
{
    try_t                    try = { .walk = walk, .shape = shape };
    const codr_shape_step_t *root = &shape->step[0];

    if ((!shape->plain && !fits(&try, root, node))
        || (root->text
            && !codr_predicate_says(walk->check, root->text, node)))
    {
        return;
    }

    walk->captures = 0;
    if (push(walk, root, node)) {
        try.at[0] = node;
        (void) go_on(&try, 1);
    }
}


/* Those that have no gate, or get through it.  Who asks for the paths of the
   node first is who would have done so without one. */
static void
try_shapes(walk_t *walk, uint32_t slot, const bool *skip, uint32_t node)
{
    bool                 counted = false, asked = false;
    uint32_t             i;
    uint64_t             kinds = 0, listed = 0, bit;
    const codr_shape_t  *shape;
    const codr_shapes_t *shapes = &walk->query->shapes;

    if (shapes->listed[slot] != 0 && skip == NULL) {
        (void) codr_resolve(walk->check, node);
        asked = find_listed(walk, node, &listed);
        if (asked && (listed & shapes->listed[slot]) == 0) {
            return;
        }
    }

    for (i = shapes->first[slot]; i < shapes->first[slot + 1]
                                  && !walk->stopped; i++)
    {
        shape = &shapes->shape[i];
        bit = shape->listed;
        if (asked && bit != 0 && (listed & bit) == 0) {
            continue;
        }
        if (shape->needs != 0 && !counted) {
            counted = true;
            kinds = find_kinds(walk, node);
        }
        if ((shape->needs & ~kinds) != 0
            || (skip && skip[walk->query->pattern[shape->pattern].rule]))
        {
            continue;
        }
        if (bit != 0 && !asked) {
            if (shape->sure) {
                (void) codr_resolve(walk->check, node);
            }
            asked = find_listed(walk, node, &listed);
            if (asked && (listed & bit) == 0) {
                continue;
            }
        }
        try_shape(walk, shape, node);
    }
}


static bool
find_shapes(walk_t *walk, const bool *skip)
{
    uint32_t             n, slot;
    codr_tree_t         *tree = &walk->check->tree;
    const codr_shapes_t *shapes = &walk->query->shapes;

    walk->room = CAPTURES_FIRST;
    walk->row = tree->node;
    walk->capture = codr_arena_room(&walk->check->arena,
                                    walk->room * sizeof(codr_capture_t));
    if (walk->capture == NULL) {
        return false;
    }

    for (n = 0; n < tree->count && !walk->stopped; n++) {
        if (codr_budget_step(walk->check->budget)) {
            return false;
        }
        slot = tree->node[n].symbol == CODR_SYMBOL_ERROR
               ? shapes->symbols : tree->node[n].symbol;
        if (slot <= shapes->symbols && slot > 0
            && shapes->first[slot] < shapes->first[slot + 1])
        {
            try_shapes(walk, slot, skip, n);
        }
        if (shapes->first[1] > 0 && !walk->stopped) {
            try_shapes(walk, 0, skip, n);
        }
    }

    return !walk->stopped && !walk->check->budget->over;
}


/* What is tree-sitter's */


static bool
progress(TSQueryCursorState *state)
{
    return codr_budget_steps(state->payload, ROUND);
}


static bool
take_found(walk_t *walk, const TSQueryMatch *match)
{
    uint32_t           i, n = 0;
    codr_check_t      *check = walk->check;
    const codr_match_t ours = {
        .query = walk->query,
        .pattern = &walk->query->pattern[match->pattern_index],
        .capture = codr_arena_alloc(&check->arena, match->capture_count
                                                   * sizeof(codr_capture_t)),
    };
    codr_match_t       taken = ours;

    if (ours.capture == NULL) {
        return false;
    }

    walk->capture = (codr_capture_t *) (uintptr_t) ours.capture;
    for (i = 0; i < match->capture_count && n < CAPTURES_MAX; i++) {
        walk->capture[n].id = match->captures[i].index;
        walk->capture[n].node = codr_tree_index(&check->tree,
                                                match->captures[i].node.id,
                                                check->budget);
        n += walk->capture[n].node != CODR_NO_NODE;
    }

    taken.captures = n;
    return walk->take(check, &taken);
}


static bool
find_others(walk_t *walk, const bool *skip)
{
    bool                  going = true;
    codr_check_t         *check = walk->check;
    TSQueryMatch          match;
    TSQueryCursor        *cursor = ts_query_cursor_new();
    const codr_pattern_t *pattern;
    TSQueryCursorOptions  options = { .payload = check->budget,
                                      .progress_callback = progress };

    ts_query_cursor_set_match_limit(cursor, MATCH_LIMIT);
    ts_query_cursor_exec_with_options(cursor, walk->query->query,
                                      ts_tree_root_node(check->tree.tree),
                                      &options);

    while (going && ts_query_cursor_next_match(cursor, &match)) {
        pattern = &walk->query->pattern[match.pattern_index];
        going = ((skip && skip[pattern->rule]) || take_found(walk, &match))
                && !codr_budget_steps(check->budget, MATCH_STEPS);
    }

    if (ts_query_cursor_did_exceed_match_limit(cursor)) {
        check->budget->over = true;
    }
    ts_query_cursor_delete(cursor);
    return going && !check->budget->over;
}


bool
codr_walk(codr_check_t *check, const codr_query_t *query, const bool *skip,
    codr_walk_take_t take)
{
    walk_t walk = { .check = check, .query = query, .take = take };

    return find_shapes(&walk, skip)
           && (query->shapes.whole || find_others(&walk, skip));
}
