/*
 * Tree-sitter's core as one object, as its own lib.c makes it, with a count of
 * its work: of memory it asks for, entries of tables it looks at, children of
 * nodes it makes, and trees it takes off its stack.  All else that it does
 * goes with one of these.  Runs in the validator's children.
 *
 * What is counted gets another name where it is defined; everybody else calls
 * the functions below.
 */

#include "../codr_core.h"

/* What one takes, in nanoseconds: fitted to what some 600 sources take, honest
   and hostile ones of six languages; none takes three times what is counted. */
#define WORK_ALLOCATION     130
#define WORK_BYTES          14      /* of memory, for one */
#define WORK_LOOKUP         7
#define WORK_ENTRIES        2       /* of a table, for one */
#define WORK_STATE          100     /* entries of the last one, at most */
#define WORK_CHILD          11
#define WORK_POPPED         14

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


#include "get_changed_ranges.c"

#define ts_language_table_entry     plain_table_entry
#include "language.c"
#undef ts_language_table_entry


/* Tables of most states are read entry by entry, to the end when the symbol is
   not in them. */
void
ts_language_table_entry(const TSLanguage *self, TSStateId state,
    TSSymbol symbol, TableEntry *result)
{
    uint32_t n, entries = 0;

    plain_table_entry(self, state, symbol, result);

    if (state >= self->large_state_count) {
        n = state - self->large_state_count;
        entries = state + 1U < self->state_count
                  ? self->small_parse_table_map[n + 1]
                    - self->small_parse_table_map[n]
                  : WORK_STATE;
    }
    if (result->action_count > 0) {
        entries /= 2;
    }
    codr_core_work += WORK_LOOKUP + entries / WORK_ENTRIES;
}


#include "lexer.c"
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


#define ts_stack_pop_count      plain_pop_count
#define ts_stack_pop_all        plain_pop_all
#include "stack.c"
#undef ts_stack_pop_count
#undef ts_stack_pop_all


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


StackSliceArray
ts_stack_pop_count(Stack *self, StackVersion version, uint32_t count)
{
    return popped(plain_pop_count(self, version, count));
}


StackSliceArray
ts_stack_pop_all(Stack *self, StackVersion version)
{
    return popped(plain_pop_all(self, version));
}


#include "parser.c"
#include "query.c"
#include "tree_cursor.c"
#include "tree.c"
#include "wasm_store.c"

#include "codr_core_rows.c"
