/*
 * The nodes of a parsed tree in document order.
 */

#ifndef CODR_ROWS_H
#define CODR_ROWS_H

#include <stdbool.h>

#include "codr_tree.h"

/* Fills tree->node, which has room for so many, and sets its count; or, where
   there is ret_ids, only tells tree-sitter's ids of the nodes.  False: there
   are more, or memory or the budget is over. */
bool codr_rows_fill(codr_tree_t *tree, uint32_t room, codr_budget_t *budget,
    const void **ret_ids);

#endif /* CODR_ROWS_H */
