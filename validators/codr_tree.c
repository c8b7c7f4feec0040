/*
 * Parses a source within a budget.  Runs in the validator's children.
 */

#include "codr_tree.h"

#include <string.h>


static bool
parse_progress(TSParseState *state)
{
    return codr_budget_over(state->payload);
}


typedef struct {
    const codr_text_t  *text;
} input_t;


static const char *
read_text(void *payload, uint32_t at, TSPoint point, uint32_t *ret_len)
{
    const input_t *input = payload;

    (void) point;
    *ret_len = at < input->text->length ? input->text->length - at : 0;
    return input->text->text + (*ret_len ? at : 0);
}


static bool
parse(codr_tree_t *tree, const codr_grammar_t *grammar,
    codr_budget_t *budget)
{
    input_t        data = { &tree->text };
    TSInput        input = { .payload = &data, .read = read_text,
                             .encoding = TSInputEncodingUTF8 };
    TSParser      *parser = ts_parser_new();
    TSParseOptions options = { .payload = budget,
                               .progress_callback = parse_progress };

    if (ts_parser_set_language(parser, grammar->language())) {
        tree->tree = ts_parser_parse_with_options(parser, NULL, input,
                                                  options);
    }
    ts_parser_delete(parser);

    return tree->tree != NULL;
}


static uint32_t
hash(const void *id)
{
    uint64_t bits = (uint64_t) (uintptr_t) id;

    bits ^= bits >> 29;
    bits *= 0xbf58476d1ce4e5b9U;
    return (uint32_t) (bits >> 32);
}


uint32_t
codr_tree_index(const codr_tree_t *tree, const void *id)
{
    uint32_t at, n;

    for (at = hash(id) & tree->mask; (n = tree->slot[at]) != 0;
         at = (at + 1) & tree->mask)
    {
        if (tree->node[n - 1].id == id) {
            return n - 1;
        }
    }

    return CODR_NO_NODE;
}


static void
add(codr_tree_t *tree, TSNode node, uint32_t parent)
{
    uint32_t     at, n = tree->count++;
    codr_node_t *row = &tree->node[n];

    row->id = node.id;
    row->parent = parent;
    row->start = ts_node_start_byte(node);
    row->end = ts_node_end_byte(node);
    row->row = ts_node_start_point(node).row;
    row->symbol = ts_node_symbol(node);

    for (at = hash(node.id) & tree->mask; tree->slot[at] != 0;
         at = (at + 1) & tree->mask)
    {
        /* void */
    }
    tree->slot[at] = n + 1;
}


/* In document order, by a cursor: no recursion, no ts_node_parent(), which
   descends from the root each time. */
static bool
flatten(codr_tree_t *tree, uint32_t max, codr_budget_t *budget)
{
    uint32_t     parent = 0;
    TSTreeCursor cursor;

    cursor = ts_tree_cursor_new(ts_tree_root_node(tree->tree));
    add(tree, ts_tree_cursor_current_node(&cursor), 0);

    for ( ;; ) {
        if (ts_tree_cursor_goto_first_child(&cursor)) {
            parent = tree->count - 1;
        } else {
            while (!ts_tree_cursor_goto_next_sibling(&cursor)) {
                if (!ts_tree_cursor_goto_parent(&cursor)) {
                    ts_tree_cursor_delete(&cursor);
                    return true;
                }
                parent = tree->node[parent].parent;
            }
        }

        if (tree->count == max
            || (tree->count % 4096 == 0 && codr_budget_over(budget)))
        {
            ts_tree_cursor_delete(&cursor);
            return false;
        }
        add(tree, ts_tree_cursor_current_node(&cursor), parent);
    }
}


static bool
make_tables(codr_tree_t *tree, uint32_t count)
{
    uint32_t slots = 64;

    while (slots < 2 * count) {
        slots *= 2;
    }

    tree->mask = slots - 1;
    tree->node = codr_arena_alloc(tree->arena, count * sizeof(codr_node_t));
    tree->slot = codr_arena_alloc(tree->arena, slots * sizeof(uint32_t));
    return tree->node && tree->slot;
}


bool
codr_tree_parse(codr_tree_t *ret, codr_arena_t *arena,
    const codr_grammar_t *grammar, const codr_text_t *text,
    codr_budget_t *budget)
{
    uint32_t count;

    *ret = (codr_tree_t) { .text = *text, .arena = arena };

    if (!parse(ret, grammar, budget)) {
        budget->over = true;
        return false;
    }

    count = ts_node_descendant_count(ts_tree_root_node(ret->tree));
    if (count > budget->nodes) {
        budget->over_nodes = true;
        return false;
    }
    budget->nodes -= count;

    if (!make_tables(ret, count + 1) || !flatten(ret, count + 1, budget)) {
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
