/*
 * What a parser makes of files, as numbers: built with tree-sitter as it is,
 * and with the validator's core (OURS), which also lays each tree out as rows.
 */

#define _GNU_SOURCE

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tree_sitter/api.h>

#ifdef OURS
#include "../../validators/codr_rows.h"
#endif

#define SIZE_MOST   (1 << 20)
#define PRIME       1099511628211U

const TSLanguage *GRAMMAR(void);

/* One node, as tree-sitter's cursor has it. */
typedef struct {
    uint32_t  start;
    uint32_t  end;
    uint32_t  row;
    uint16_t  symbol;
    uint16_t  field;
    bool      named;
    bool      extra;
    bool      missing;
} seen_t;

static uint64_t sum;


static void
add(uint64_t value)
{
    sum = (sum ^ value) * PRIME;
}


static seen_t
look(const TSTreeCursor *cursor)
{
    TSNode node = ts_tree_cursor_current_node(cursor);

    return (seen_t) {
        .start = ts_node_start_byte(node), .end = ts_node_end_byte(node),
        .row = ts_node_start_point(node).row, .symbol = ts_node_symbol(node),
        .field = ts_tree_cursor_current_field_id(cursor),
        .named = ts_node_is_named(node), .extra = ts_node_is_extra(node),
        .missing = ts_node_is_missing(node),
    };
}


#ifdef OURS

static codr_tree_t tree;


static void
lay_out(const TSTree *parsed)
{
    uint32_t      count = ts_node_descendant_count(ts_tree_root_node(parsed));
    codr_budget_t budget = { .most = UINT64_MAX, .look = UINT64_MAX,
                             .cpu_us = UINT64_MAX };
    codr_arena_t *arena = malloc(sizeof(*arena));

    codr_arena_init(arena, 1UL << 30);
    tree = (codr_tree_t) { .arena = arena, .tree = (TSTree *) parsed };
    tree.node = codr_arena_room(arena, (count + 1) * sizeof(*tree.node));
    if (!codr_rows_fill(&tree, count + 1, &budget, NULL)
        || tree.count != count)
    {
        printf("%u rows of %u\n", tree.count, count);
        exit(EXIT_FAILURE);
    }
}


static void
compare(uint32_t n, uint32_t parent, const seen_t *seen)
{
    const codr_node_t *row = &tree.node[n];

    if (row->parent != parent || row->start != seen->start
        || row->end != seen->end || row->symbol != seen->symbol
        || row->field != seen->field || row->named != seen->named
        || row->extra != seen->extra || row->missing != seen->missing)
    {
        printf("row %u is another one\n", n);
        exit(EXIT_FAILURE);
    }
}


static void
compare_next(uint32_t n, uint32_t next)
{
    if (tree.node[n].next != next) {
        printf("row %u ends elsewhere\n", n);
        exit(EXIT_FAILURE);
    }
}

#else

static void
lay_out(const TSTree *parsed)
{
    (void) parsed;
}


static void
compare(uint32_t n, uint32_t parent, const seen_t *seen)
{
    (void) n;
    (void) parent;
    (void) seen;
}


static void
compare_next(uint32_t n, uint32_t next)
{
    (void) n;
    (void) next;
}

#endif


/* Every node, and where the nodes above it end. */
static void
walk(const TSTree *parsed)
{
    seen_t       seen;
    uint32_t     n = 0, depth = 0, *above = calloc(SIZE_MOST, sizeof(*above));
    TSTreeCursor cursor = ts_tree_cursor_new(ts_tree_root_node(parsed));

    for ( ;; ) {
        seen = look(&cursor);
        compare(n, depth > 0 ? above[depth - 1] : 0, &seen);
        add(seen.start);
        add(seen.end);
        add(seen.row);
        add((uint64_t) seen.symbol << 32 | seen.field);
        add((uint64_t) depth << 3 | (uint64_t) seen.named << 2
            | (uint64_t) seen.extra << 1 | seen.missing);
        above[depth] = n++;

        if (ts_tree_cursor_goto_first_child(&cursor)) {
            depth++;
            continue;
        }
        compare_next(above[depth], n);
        while (!ts_tree_cursor_goto_next_sibling(&cursor)) {
            if (!ts_tree_cursor_goto_parent(&cursor)) {
                ts_tree_cursor_delete(&cursor);
                free(above);
                return;
            }
            compare_next(above[--depth], n);
        }
    }
}


int
main(int argc, char **argv)
{
    int       i;
    char     *text = malloc(SIZE_MOST);
    FILE     *file;
    size_t    len;
    TSTree   *parsed;
    TSParser *parser;

    for (i = 1; i < argc; i++) {
        file = fopen(argv[i], "r");
        if (text == NULL || file == NULL) {
            return EXIT_FAILURE;
        }
        len = fread(text, 1, SIZE_MOST, file);
        (void) fclose(file);

        parser = ts_parser_new();
        if (!ts_parser_set_language(parser, GRAMMAR())) {
            return EXIT_FAILURE;
        }
        parsed = ts_parser_parse_string(parser, NULL, text, (uint32_t) len);
        sum = 0;
        lay_out(parsed);
        walk(parsed);
        printf("%d %016" PRIx64 "\n", i, sum);
        ts_tree_delete(parsed);
        ts_parser_delete(parser);
    }

    free(text);
    return EXIT_SUCCESS;
}
