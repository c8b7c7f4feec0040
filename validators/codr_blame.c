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
    uint32_t  open[BRACKETS];
    char      closes[BRACKETS];
    unsigned  depth;
    uint32_t  odd;              /* the first token that fits nowhere */
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
look_at(search_t *search, const codr_check_t *check, uint32_t child)
{
    uint16_t    symbol = check->tree.node[child].symbol;
    const char *type = ts_language_symbol_name(check->grammar->language(),
                                               symbol);
    char        closes = closing(type);

    if (closes != '\0') {
        if (search->depth < BRACKETS) {
            search->open[search->depth] = child;
            search->closes[search->depth] = closes;
        }
        search->depth++;
        return;
    }

    if (type[0] != '\0' && type[1] == '\0' && strchr(")]}", type[0])) {
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
    } else if (symbol != CODR_SYMBOL_ERROR) {
        return;
    }

    if (search->odd == CODR_NO_NODE) {
        search->odd = child;
    }
}


void
codr_blame(const codr_check_t *check, uint32_t node, uint32_t *ret_start,
    uint32_t *ret_end)
{
    unsigned           n;
    uint32_t           child, end;
    search_t           search = { .depth = 0, .odd = CODR_NO_NODE };
    const codr_node_t *row = check->tree.node;

    if (row[node].symbol == CODR_SYMBOL_ERROR) {
        end = row[node].next;
        for (child = node + 1, n = 0; child < end && n < CHILDREN;
             child = row[child].next, n++)
        {
            look_at(&search, check, child);
        }
        if (search.depth > 0 && search.depth <= BRACKETS) {
            node = search.open[search.depth - 1];
        } else if (search.odd != CODR_NO_NODE) {
            node = search.odd;
        }
    }

    *ret_start = row[node].start;
    *ret_end = row[node].end;
}
