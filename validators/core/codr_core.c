/*
 * Tree-sitter's core as one object, as its own lib.c makes it, with a count of
 * its work: of memory it asks for, entries of tables it looks at, children of
 * nodes it makes, and trees it takes off its stack.  All else that it does
 * goes with one of these.  Runs in the validator's children.
 *
 * What is counted gets another name where it is defined, and so does what can
 * be done with less work where a program is what most are, with one thread and
 * one way to be read; everybody else calls the functions below, which leave the
 * rest to tree-sitter's.  The tree is the same.
 */

#include "../codr_core.h"

/* What one takes, in nanoseconds: fitted to what some 600 sources take, honest
   and hostile ones of six languages; none takes three times what is counted. */
#define WORK_ALLOCATION     115
#define WORK_BYTES          16      /* of memory, for one */
#define WORK_LOOKUP         6
#define WORK_ENTRIES        3       /* of a table, for one */
#define WORK_CHILD          10
#define WORK_POPPED         12

uint64_t codr_core_work;

#include "alloc.c"

#undef ts_malloc
#undef ts_calloc
#undef ts_realloc
#define ts_malloc(size)         (allocates(size), ts_current_malloc(size))
#define ts_calloc(count, size)  (allocates((count) * (size)),               \
                                 ts_current_calloc(count, size))
#define ts_realloc(old, size)   (allocates(size),                           \
                                 ts_current_realloc(old, size))


static inline void
allocates(size_t size)
{
    codr_core_work += WORK_ALLOCATION + size / WORK_BYTES;
}


/* Nobody else sees a tree: these processes have one thread. */
#include "atomic.h"
#define atomic_inc(count)       (++*(count))
#define atomic_dec(count)       (--*(count))

#include "get_changed_ranges.c"

#define ts_language_table_entry     plain_table_entry
#define ts_language_next_state      plain_next_state
#include "language.c"
#undef ts_language_table_entry
#undef ts_language_next_state
#include "codr_core_table.c"

#define ts_lexer_init               plain_lexer_init
#include "lexer.c"
#undef ts_lexer_init
#include "codr_core_lexer.c"

#include "node.c"

#define ts_subtree_new_node         plain_new_node
#define ts_subtree_new_error_node   plain_new_error_node
#include "subtree.c"
#undef ts_subtree_new_node
#undef ts_subtree_new_error_node


MutableSubtree
ts_subtree_new_node(TSSymbol symbol, SubtreeArray *children,
    unsigned production_id, const TSLanguage *language)
{
    codr_core_work += WORK_CHILD * children->size;
    return plain_new_node(symbol, children, production_id, language);
}


Subtree
ts_subtree_new_error_node(SubtreeArray *children, bool extra,
    const TSLanguage *language)
{
    codr_core_work += WORK_CHILD * children->size;
    return plain_new_error_node(children, extra, language);
}


#define ts_stack_push               plain_push
#define ts_stack_pop_count          plain_pop_count
#define ts_stack_pop_all            plain_pop_all
#define ts_stack_renumber_version   plain_renumber_version
#include "stack.c"
#undef ts_stack_push
#undef ts_stack_pop_count
#undef ts_stack_pop_all
#undef ts_stack_renumber_version


static StackSliceArray
popped(StackSliceArray slices)
{
    uint32_t i, trees = 1;

    for (i = 0; i < slices.size; i++) {
        trees += 1 + slices.contents[i].subtrees.size;
    }

    codr_core_work += WORK_POPPED * trees;
    return slices;
}


#include "codr_core_stack.c"

/* What is static there and called there only can be told apart by its first
   argument: its definition gets another name, its callers get ours. */
#define ts_parser__reduce(first, ...)   REDUCE_ ## first, __VA_ARGS__)
#define REDUCE_TSParser                 plain_reduce(TSParser
#define REDUCE_self                     reduce(self

static StackVersion reduce(TSParser *self, StackVersion version,
    TSSymbol symbol, uint32_t count, int dynamic_precedence,
    uint16_t production_id, bool is_fragile, bool end_of_non_terminal_extra);

#include "parser.c"
#include "codr_core_reduce.c"

#define ts_query_disable_pattern    plain_disable_pattern
#include "query.c"
#undef ts_query_disable_pattern


/* Its own still counts those whose root may be any node: a cursor would read
   behind the patterns that are left. */
void
ts_query_disable_pattern(TSQuery *self, uint32_t pattern)
{
    uint16_t i, any = 0;

    for (i = 0; i < self->wildcard_root_pattern_count; i++) {
        any += self->pattern_map.contents[i].pattern_index == pattern;
    }

    plain_disable_pattern(self, pattern);
    self->wildcard_root_pattern_count -= any;
}

#include "tree_cursor.c"
#include "tree.c"
#include "wasm_store.c"

#include "codr_core_rows.c"
