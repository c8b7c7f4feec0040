/*
 * The modules of the zygote, which are no program's own, and those that are.
 */

#ifndef CODR_PYTHON_MODULES_H
#define CODR_PYTHON_MODULES_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <stdbool.h>

/* In the zygote: a list of sys.modules' items, which must stay alive; False
   for a module that is the program's.  0, or -1 without memory. */
int codr_python_modules_keep(PyObject *items);

/* sys.modules is the zygote's, and nothing else. */
bool codr_python_modules_are_kept(void);

/*
 * At a program's end: empties sys.modules, gives up what is the program's
 * there, and answers a list of weak references to modules of it, in their
 * order.  NULL with an exception.
 */
PyObject *codr_python_modules_leave(void);

#endif /* CODR_PYTHON_MODULES_H */
