/*
 * The constants of this program, which are the tables of its parsers: in
 * memory that a child has from its first moment on.
 */

#ifndef CODR_CONSTANTS_H
#define CODR_CONSTANTS_H

/* Without it every child would fetch the pages it reads one by one, which is
   a third of what it does for a small source.  Nothing depends on it: where it
   cannot be done all stays as it is. */
void codr_constants_keep(void);

#endif /* CODR_CONSTANTS_H */
