/*
 * What python3's main() does with a script, from public functions.
 */

#ifndef CODR_PYTHON_MAIN_H
#define CODR_PYTHON_MAIN_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

/*
 * Runs a script as __main__, with its directory on the path, and ends the
 * process as the interpreter ends; leave is called with no arguments when all
 * that is left are modules, takes those away that it knows, and answers a list
 * of weak references to the others.
 */
void codr_python_main(const char *directory, const char *script,
    PyObject *leave) __attribute__((noreturn));

#endif /* CODR_PYTHON_MAIN_H */
