/*
 * The end of a program.
 */

#ifndef CODR_NODE_END_H
#define CODR_NODE_END_H

/* In the zygote: where the exit code is, and how to hear of the end.  Without
   them the interpreter takes itself apart, which is slower. */
void codr_node_end_find(void);

/* In a clone that begins. */
void codr_node_end_arm(void);

#endif /* CODR_NODE_END_H */
