/*
 * Running text in the interpreter that this process is, from in between.
 */

#ifndef CODR_NODE_V8_H
#define CODR_NODE_V8_H

#include <stdbool.h>
#include <stdint.h>

/* Looks for what the interpreter has of V8.  False when something is not
   there. */
bool codr_node_v8_open(void);

/* An address of its code: Debian has that in a library, others in the
   executable. */
uintptr_t codr_node_v8_code(void);

/* Whether the value of the text is true.  It must not throw. */
bool codr_node_v8_run(const char *text);

/* Calls it when the script and all it waited for are done, and the
   environment is about to be taken apart; false where that cannot be had. */
bool codr_node_v8_at_end(void (*call)(void *data));

/* In the zygote, before its threads end: V8's heaps hold what lives, and no
   more. */
void codr_node_v8_collect(void);

#endif /* CODR_NODE_V8_H */
