/*
 * The memory of the zygote's objects in large pages.
 */

#ifndef CODR_PYTHON_HEAP_H
#define CODR_PYTHON_HEAP_H

/* Before the interpreter starts. */
void codr_python_heap_begin(void);

/* When all is there that clones share; changes nothing where there are no large
   pages. */
void codr_python_heap_enlarge(void);

#endif /* CODR_PYTHON_HEAP_H */
