/*
 * The end of a program of which nothing is left that could notice it.
 */

#ifndef CODR_PYTHON_END_H
#define CODR_PYTHON_END_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <stdbool.h>

/* In the zygote, when nothing more will be imported: helpers is the namespace
   of codr_zygote_python.py after warm().  0, or -1. */
int codr_python_end_ready(PyObject *helpers);

/* At a program's end: no code of its own would run while it is taken apart. */
bool codr_python_end_is_silent(void);

/* Whether threading, if it is there, is to be told. */
bool codr_python_end_has_threading(void);

/* exit(), without the ends of libraries of which none does anything. */
void codr_python_end(int code) __attribute__((noreturn));

#endif /* CODR_PYTHON_END_H */
