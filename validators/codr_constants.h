/*
 * The tables of the parsers, which are most of this program: those that are
 * used in memory that a child has from its first moment on.
 */

#ifndef CODR_CONSTANTS_H
#define CODR_CONSTANTS_H

#include "codr_grammar.h"

/* Without it every child would fetch the pages it reads one by one, which is
   a third of what it does for a small source.  Nothing depends on it: where it
   cannot be done all stays as it is. */
void codr_constants_keep(const codr_grammar_t *grammar);

/* What compiling policies has read of them. */
void codr_constants_drop(void);

#endif /* CODR_CONSTANTS_H */
