/*
 * The interpreter's code that every program goes through.
 */

#ifndef CODR_NODE_HOT_H
#define CODR_NODE_HOT_H

/* In the zygote, before the others: where the code is.  Without memory for
   what is to be learned, nothing is. */
void codr_node_hot_plan(void);

/* In a clone: what it touches from now on is learned, in all of them. */
void codr_node_hot_learn(void);

/* What was learned is wrong. */
void codr_node_hot_forget(void);

/* In the zygote, when it has only one thread: clones have it from now on. */
void codr_node_hot_keep(void);

#endif /* CODR_NODE_HOT_H */
