/*
 * Where a program of node's would begin: with the first byte of a file.  Until
 * there is leave (codr_waiting_pass()) node finds its way to the script, and
 * opens none.
 */

#ifndef CODR_NODE_GATE_H
#define CODR_NODE_GATE_H

#include <stdbool.h>

/*
 * From here on whoever would open a file, in any thread, waits for leave, and
 * then calls passed(); unless leave is there.  0, or negative errno: it has to
 * wait here.
 */
int codr_node_gate_close(void (*passed)(void));

/* Waits for it here, if nothing has yet. */
void codr_node_gate_pass(void);

/* Before a file is opened: false when there is none, with errno set. */
bool codr_node_gate_opens(int dir, const char *path, int flags);

#endif /* CODR_NODE_GATE_H */
