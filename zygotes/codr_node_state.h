/*
 * What of an interpreter's memory must be another one's in each clone: the
 * state of its random numbers, and when it was started.
 */

#ifndef CODR_NODE_STATE_H
#define CODR_NODE_STATE_H

#include <stdint.h>

/* A value of the monotonic clock or of the day that the interpreter was given
   while it started, in ns and us. */
void codr_node_state_saw_clock(uint64_t ns);
void codr_node_state_saw_day(double us);

/* Finds all of it, or only the times; once.  0, or negative errno; -ENOENT:
   there are none of one, or too many. */
int codr_node_state_find(void);
int codr_node_state_find_times(void);

/* In a clone: new random numbers; then, when it begins, all that happened
   before is as long ago as if it had not waited for so many ns. */
int codr_node_state_reseed(void);
void codr_node_state_shift(uint64_t ns);

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
