/*
 * What a program does first, done before it is there.
 */

#ifndef CODR_NODE_WARM_H
#define CODR_NODE_WARM_H

#include <stdbool.h>

/* False when the interpreter cannot do it; it is as fit as before then. */
bool codr_node_warm(int times);

/* The way it is done in the zygote, before its threads end. */
#define CODR_NODE_WARM_WELL     3

/* In the zygote, before anything is done. */
void codr_node_warm_count(void);

/* In a clone that begins: numbers that the above has used are free again. */
void codr_node_warm_forget(void);

#endif /* CODR_NODE_WARM_H */
