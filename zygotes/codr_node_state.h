/*
 * What of an interpreter's memory must be another one's in each clone, or says
 * how far it is.
 */

#ifndef CODR_NODE_STATE_H
#define CODR_NODE_STATE_H

#include <stdint.h>

/* Finds its random number generators, once; 0, or -ENOENT: there are none. */
int codr_node_state_find(void);

/* In a clone: new random numbers.  0, or negative errno. */
int codr_node_state_reseed(void);

/* The number that each call of use() makes larger by one, as it was before;
   NULL: not found. */
double *codr_node_state_counter(void (*use)(void), double *ret_before);

/* Where the interpreter keeps the exit code, after "process.exitCode" was set
   to the magic number and to undefined again; NULL: not found.  Three numbers:
   it is ending, the code, there is one. */
#define CODR_NODE_MAGIC     0x5a17c0de
const volatile int32_t *codr_node_state_exit_code(void (*set)(void),
    void (*unset)(void));

#endif /* CODR_NODE_STATE_H */
