/*
 * Memory that one of the processes has no use for.
 */

#ifndef CODR_NODE_PAGES_H
#define CODR_NODE_PAGES_H

/* Gives those back that are as they are in the file.  A clone does not inherit
   them anyway, and reads from the page cache what it needs. */
void codr_node_pages_drop(void);

/* In the zygote, then in an init, which is never going to be the interpreter:
   what is the interpreter's and large is no longer there. */
void codr_node_pages_plan(void);
void codr_node_pages_shed(void);

#endif /* CODR_NODE_PAGES_H */
