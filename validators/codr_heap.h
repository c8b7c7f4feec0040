/*
 * The parsers' memory in a validator's child: a region of its own that is
 * there before it is needed.  libc's heap is full of holes between the
 * policies, and each page of those would be copied on the first write.
 */

#ifndef CODR_HEAP_H
#define CODR_HEAP_H

#include <stddef.h>

/* From now on, in this process, tree-sitter allocates here; what it has
   allocated before it must not free.  A process whose memory is over ends.
   0, or negative errno. */
int codr_heap_use(void);

/* For whoever frees nothing.  Zeroed as long as tree-sitter has not had it. */
void *codr_heap_take(size_t size);

#endif /* CODR_HEAP_H */
