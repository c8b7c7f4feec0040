/*
 * Whether a clone, or a process that was parked, is what a new process of the
 * interpreter is.
 */

#ifndef CODR_NODE_TEST_H
#define CODR_NODE_TEST_H

#include <stdbool.h>

#include "codr_waiting.h"

/* Runs programs both ways in a sandbox of its own, and compares all they say.
   What differs is logged.  argv ends with the script's name; in a clone this
   does not return: run() is called.  Without an interpreter processes are
   parked, not cloned. */
bool codr_node_test(const codr_interpreter_t *interpreter, char *const *argv,
    char *const *envp);

#endif /* CODR_NODE_TEST_H */
