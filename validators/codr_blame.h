/*
 * The place to show for a node.
 */

#ifndef CODR_BLAME_H
#define CODR_BLAME_H

#include <stdint.h>

#include <tree_sitter/api.h>

/* The node's own range; of a syntax error, which may hold the rest of the
   file, the token to look at. */
void codr_blame(TSNode node, uint32_t *ret_start, uint32_t *ret_end);

#endif /* CODR_BLAME_H */
