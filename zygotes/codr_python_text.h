/*
 * The interpreter's own code in large pages.
 */

#ifndef CODR_PYTHON_TEXT_H
#define CODR_PYTHON_TEXT_H

/* Once, before there are clones; changes nothing where it cannot be done. */
void codr_python_text_enlarge(void);

#endif /* CODR_PYTHON_TEXT_H */
