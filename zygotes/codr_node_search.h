/*
 * The memory of the interpreter that this process is, word by word.
 */

#ifndef CODR_NODE_SEARCH_H
#define CODR_NODE_SEARCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum {
    CODR_NODE_DATA,             /* data segments, and the C heap */
    CODR_NODE_HEAP              /* memory without a name: V8's, and stacks */
} codr_node_area_t;

typedef void (*codr_node_look_pt)(uint64_t *words, size_t count);

/* Calls it for each piece of such memory that has ever been used. */
void codr_node_search(codr_node_area_t where, codr_node_look_pt look);

/* Whether something is in an object: what one looks with is also found. */
bool codr_node_is_in(const void *at, const void *object, size_t size);

#endif /* CODR_NODE_SEARCH_H */
