/*
 * What a clone of the Python zygote does for its job, in C and with as few
 * objects as possible: each it uses is a page that is copied.
 */

#ifndef CODR_PYTHON_CLONE_H
#define CODR_PYTHON_CLONE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <stdbool.h>

#include "codr_describe.h"

/* In the zygote, when nothing more will be imported: helpers is the namespace
   of codr_zygote_python.py after warm().  0, or -1 with an exception. */
int codr_python_clone_ready(PyObject *helpers);

/* In the zygote, before anything: the environment it was started with. */
int codr_python_clone_remember(char *const *envp);

/* After the fork, in place of PyOS_AfterFork_Child(): the zygote has one thread
   and holds no lock, and what that function makes anew would only be copied.
   Calls what modules want to be called, before and after it. */
void codr_python_clone_wake(void);

/* Environment and arguments.  False: an interpreter that was started so would
   be another one. */
bool codr_python_clone_prepare(const codr_describe_t *description,
    size_t words);

/* False: a file of the job's hides a module that is there already. */
bool codr_python_clone_fits(void);

/* Standard streams, as the interpreter makes its own.  False with an
   exception. */
bool codr_python_clone_streams(bool terminal, bool unbuffered);

/* Whether sys still has those that a program writes to, and no others. */
bool codr_python_clone_has_streams(void);

/* At the end, whether sys still has them or not: an interpreter would give
   them up with their last reference.  Not all: those that nobody has. */
void codr_python_clone_flush(bool all);

#endif /* CODR_PYTHON_CLONE_H */
