/*
 * The descriptors an interpreter has opened for itself, and the same ones,
 * but its own, in a clone.
 */

#ifndef CODR_NODE_FILES_H
#define CODR_NODE_FILES_H

/* Remembers those from first on.  0, or negative errno; -ENOTSUP: there is one
   of a kind that is not known. */
int codr_node_files_plan(int first);

/* In a clone that has none of them open.  0, or negative errno. */
int codr_node_files_remake(void);

/* The highest of them; below first when there are none. */
int codr_node_files_last(void);

#endif /* CODR_NODE_FILES_H */
