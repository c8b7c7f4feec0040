/*
 * When an interpreter was started: in a clone it is another time than in its
 * zygote.
 */

#ifndef CODR_NODE_TIMES_H
#define CODR_NODE_TIMES_H

#include <stdint.h>

/* A value of the monotonic clock or of the day that the interpreter was given
   while it started, in ns and us. */
void codr_node_times_saw_clock(uint64_t ns);
void codr_node_times_saw_day(double us);

/* Finds where they are kept; once, and before what is in V8's heap moves.  0,
   or negative errno; -ENOENT: there are none, or too many. */
int codr_node_times_find(void);

/* In a clone when it begins: all that happened before is as long ago as if it
   had not waited for so many ns. */
void codr_node_times_shift(uint64_t ns);

#endif /* CODR_NODE_TIMES_H */
