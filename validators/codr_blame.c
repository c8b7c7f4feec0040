/*
 * Where a syntax error is, for people: the bracket that is never closed, else
 * the first token that fits nowhere.  Runs in the validator's children.
 */

#include "codr_blame.h"

#include <stdbool.h>
#include <string.h>

#define CHILDREN    20000       /* of an error that are looked at */
#define BRACKETS    64          /* open at a time that are remembered */

typedef struct {
    TSNode    open[BRACKETS];
    char      closes[BRACKETS];
    unsigned  depth;
    TSNode    odd;              /* the first token that fits nowhere */
    bool      found;
} search_t;


static char
closing(const char *type)
{
    if (type[0] == '\0' || type[1] != '\0') {
        return '\0';
    }

    switch (type[0]) {
    case '(':
        return ')';
    case '[':
        return ']';
    case '{':
        return '}';
    default:
        return '\0';
    }
}


static void
look_at(search_t *search, TSNode child)
{
    const char *type = ts_node_type(child);
    char        closes = closing(type);

    if (closes != '\0') {
        if (search->depth < BRACKETS) {
            search->open[search->depth] = child;
            search->closes[search->depth] = closes;
        }
        search->depth++;
        return;
    }

    if (type[1] == '\0' && strchr(")]}", type[0]) && type[0] != '\0') {
        if (search->depth > 0 && search->depth <= BRACKETS
            && search->closes[search->depth - 1] == type[0])
        {
            search->depth--;
            return;
        }
        if (search->depth > BRACKETS) {
            search->depth--;
            return;
        }
    } else if (!ts_node_is_error(child)) {
        return;
    }

    if (!search->found) {
        search->found = true;
        search->odd = child;
    }
}


void
codr_blame(TSNode node, uint32_t *ret_start, uint32_t *ret_end)
{
    unsigned     n = 0;
    search_t     search = { .depth = 0 };
    TSTreeCursor cursor;

    *ret_start = ts_node_start_byte(node);
    *ret_end = ts_node_end_byte(node);
    if (!ts_node_is_error(node)) {
        return;
    }

    cursor = ts_tree_cursor_new(node);
    if (ts_tree_cursor_goto_first_child(&cursor)) {
        do {
            look_at(&search, ts_tree_cursor_current_node(&cursor));
        } while (++n < CHILDREN && ts_tree_cursor_goto_next_sibling(&cursor));
    }
    ts_tree_cursor_delete(&cursor);

    if (search.depth > 0 && search.depth <= BRACKETS) {
        node = search.open[search.depth - 1];
    } else if (search.found) {
        node = search.odd;
    }

    *ret_start = ts_node_start_byte(node);
    *ret_end = ts_node_end_byte(node);
}
