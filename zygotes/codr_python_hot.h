/*
 * Which pages a short program changes, learned once in the zygote.
 */

#ifndef CODR_PYTHON_HOT_H
#define CODR_PYTHON_HOT_H

/* Lets a child run a program to its end, and remembers the pages that it has
   changed, beside those that are known.  rehearse() runs there and does not
   return. */
void codr_python_hot_learn(void (*rehearse)(void));

/* At the end of that child, when it will write to nothing any more; does
   nothing elsewhere. */
void codr_python_hot_end(void);

/* Gives back the pages of files that the zygote has mapped for its start and
   the modules it has imported: a clone gets none of them from it. */
void codr_python_hot_shed(void);

/* In a clone: has them copied, so that its program need not. */
void codr_python_hot_fetch(void);

#endif /* CODR_PYTHON_HOT_H */
