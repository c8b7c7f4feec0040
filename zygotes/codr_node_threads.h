/*
 * The threads an interpreter has when it is cloned, and again afterwards.
 */

#ifndef CODR_NODE_THREADS_H
#define CODR_NODE_THREADS_H

/*
 * Ends all threads but the calling one, where they wait, and keeps what they
 * were: their stacks and registers.  0, or negative errno; -EBUSY: one does
 * not wait, and then the process is of no use any more.
 */
int codr_node_threads_park(void);

/* In a clone: they go on as from an interrupted wait.  0, or negative
   errno. */
int codr_node_threads_revive(const char *name);

/* In a clone, before that: a signal that each of them takes. */
void codr_node_threads_unblock(int signo);

#endif /* CODR_NODE_THREADS_H */
