/*
 * Runs in a program's process, around the interpreter's own way from opening a
 * script to the first of its instructions.  All of that way is C: to read, to
 * decode, to parse and to compile.  As soon as it would run Python instead, a
 * program's or the standard library's (a codec, a warning, what they import,
 * which may be the program's), it asks here (PEP 523) how to.
 */

#define _GNU_SOURCE
#define PY_SSIZE_T_CLEAN

#include <Python.h>

#include "codr_python_gate.h"

#include <stdbool.h>

#include "codr_waiting.h"

static bool closed;


/* Once: the interpreter then knows of nobody but itself again. */
static PyObject *
wait_first(PyThreadState *thread, struct _PyInterpreterFrame *frame,
    int raises)
{
    codr_python_gate_pass();

    return _PyEval_EvalFrameDefault(thread, frame, raises);
}


void
codr_python_gate_close(void)
{
    if (codr_waiting_is_held()) {
        closed = true;
        _PyInterpreterState_SetEvalFrameFunc(PyInterpreterState_Get(),
                                             wait_first);
    }
}


void
codr_python_gate_pass(void)
{
    if (closed) {
        closed = false;
        _PyInterpreterState_SetEvalFrameFunc(PyInterpreterState_Get(),
                                             _PyEval_EvalFrameDefault);
        codr_waiting_pass();
    }
}
