/*
 * Parses a source within a budget.  Runs in the validator's children.
 */

#include "codr_tree.h"

#include <string.h>

#include "codr_core.h"
#include "codr_rows.h"

#define BRACKETS_DEEP   10000
#define PIECE           1024        /* that is read at a time */


/* Work since it was asked last. */
static bool
spend_core(codr_budget_t *budget)
{
    uint64_t work = codr_core_work;

    codr_core_work = 0;
    return codr_budget_spend(budget, work);
}


static bool
parse_progress(TSParseState *state)
{
    return spend_core(state->payload);
}


/* More brackets than that open at once no compiler takes, and some parsers
   need a long time for. */
static bool
is_too_deep(const codr_text_t *text)
{
    long     deep = 0;
    uint32_t i;

    for (i = 0; i < text->length && deep < BRACKETS_DEEP; i++) {
        switch (text->text[i]) {
        case '(':
        case '[':
        case '{':
            deep++;
            break;
        case ')':
        case ']':
        case '}':
            deep -= deep > 0;
            break;
        }
    }

    return deep == BRACKETS_DEEP;
}


/* Piece by piece: some parsers look for the end of everything from
   everywhere. */
static const char *
read_text(void *payload, uint32_t at, TSPoint point, uint32_t *ret_len)
{
    uint32_t           len = PIECE - at % PIECE;
    const codr_text_t *text = payload;

    (void) point;

    if (at >= text->length) {
        *ret_len = 0;
        return text->text;
    }

    *ret_len = len < text->length - at ? len : text->length - at;
    codr_core_work += (uint64_t) *ret_len * CODR_BUDGET_BYTE;
    return text->text + at;
}


static bool
parse(codr_tree_t *tree, const codr_grammar_t *grammar,
    codr_budget_t *budget)
{
    TSInput        input = { .payload = &tree->text, .read = read_text,
                             .encoding = TSInputEncodingUTF8 };
    TSParser      *parser = ts_parser_new();
    TSParseOptions options = { .payload = budget,
                               .progress_callback = parse_progress };

    codr_core_work = 0;
    if (ts_parser_set_language(parser, grammar->language())) {
        tree->tree = ts_parser_parse_with_options(parser, NULL, input,
                                                  options);
    }
    if (!budget->last) {
        ts_parser_delete(parser);
    }

    return !spend_core(budget) && tree->tree != NULL;
}


static uint32_t
hash(const void *id)
{
    uint64_t bits = (uint64_t) (uintptr_t) id;

    bits ^= bits >> 29;
    bits *= 0xbf58476d1ce4e5b9U;
    return (uint32_t) (bits >> 32);
}


/* Few policies need it: they have patterns that are tree-sitter's. */
static bool
fill_slots(codr_tree_t *tree, codr_budget_t *budget)
{
    uint32_t at, n, slots = 64;

    while (slots < 2 * tree->count) {
        slots *= 2;
    }

    tree->mask = slots - 1;
    tree->id = codr_arena_alloc(tree->arena, tree->count * sizeof(void *));
    tree->slot = codr_arena_alloc(tree->arena, slots * sizeof(uint32_t));
    if (tree->id == NULL || tree->slot == NULL
        || !codr_rows_fill(tree, tree->count, budget, tree->id))
    {
        return false;
    }

    for (n = 0; n < tree->count; n++) {
        for (at = hash(tree->id[n]) & tree->mask; tree->slot[at] != 0;
             at = (at + 1) & tree->mask)
        {
            /* void */
        }
        tree->slot[at] = n + 1;
    }

    return true;
}


uint32_t
codr_tree_index(codr_tree_t *tree, const void *id, codr_budget_t *budget)
{
    uint32_t at, n;

    if (tree->slot == NULL && !fill_slots(tree, budget)) {
        budget->over = true;
        return CODR_NO_NODE;
    }

    for (at = hash(id) & tree->mask; (n = tree->slot[at]) != 0;
         at = (at + 1) & tree->mask)
    {
        if (tree->id[n - 1] == id) {
            return n - 1;
        }
    }

    return CODR_NO_NODE;
}


codr_meaning_t *
codr_tree_mean(codr_tree_t *tree, uint32_t node)
{
    uint32_t at = tree->node[node].meaning;

    if (at == 0) {
        at = tree->meanings++;
        tree->node[node].meaning = at;
        tree->meaning[at] = (codr_meaning_t) { NULL, NULL };
    }

    return &tree->meaning[at];
}


/* Rows and meanings; what is not needed of the latter is never touched. */
static bool
make_table(codr_tree_t *tree, uint32_t count, codr_budget_t *budget)
{
    tree->node = codr_arena_room(tree->arena,
                                 ((size_t) count + 1) * sizeof(codr_node_t));
    tree->meaning = codr_arena_room(tree->arena, ((size_t) count + 2)
                                                 * sizeof(codr_meaning_t));
    if (tree->node == NULL || tree->meaning == NULL) {
        return false;
    }

    tree->meaning[0] = (codr_meaning_t) { NULL, NULL };
    tree->meanings = 1;
    return codr_rows_fill(tree, count + 1, budget, NULL);
}


bool
codr_tree_parse(codr_tree_t *ret, codr_arena_t *arena,
    const codr_grammar_t *grammar, const codr_text_t *text,
    codr_budget_t *budget)
{
    TSNode   root;
    uint32_t count;

    *ret = (codr_tree_t) { .text = *text, .arena = arena };

    if (is_too_deep(text)) {
        budget->over_nodes = true;
        return false;
    }

    if (!parse(ret, grammar, budget)) {
        budget->over = true;
        return false;
    }

    root = ts_tree_root_node(ret->tree);
    count = ts_node_descendant_count(root);
    if (count > budget->nodes) {
        budget->over_nodes = true;
        return false;
    }
    budget->nodes -= count;

    if (codr_budget_spend(budget, (uint64_t) count * CODR_BUDGET_NODE)
        || !make_table(ret, count, budget))
    {
        budget->over = true;
        return false;
    }

    return true;
}


void
codr_tree_free(codr_tree_t *tree)
{
    if (tree->tree) {
        ts_tree_delete(tree->tree);
        tree->tree = NULL;
    }
}
