/*
 * What tree-sitter has done.  Its own counter of operations has a parser that
 * recovers from errors do a hundred times as much between two of its steps as
 * one that has none.
 */

#ifndef CODR_CORE_H
#define CODR_CORE_H

#include <stdint.h>

/* Of all parsers of the process, since it began, in nanoseconds that it takes
   where nothing else runs: counted, not measured. */
extern uint64_t codr_core_work;

#endif /* CODR_CORE_H */
