/*
 * What python3's main() does with a script, from public functions.
 */

#ifndef CODR_PYTHON_MAIN_H
#define CODR_PYTHON_MAIN_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <stdbool.h>

/*
 * What a script is run with.  Objects that are the same for all of them are
 * made in the zygote.
 */
typedef struct {
    const char  *directory;
    const char  *path;
    PyObject    *loader;        /* __loader__ of __main__ */
    PyObject    *collect;       /* gc.collect: the collector may be off */
} codr_python_script_t;

/* In the zygote, when nothing more will be imported: __main__, and the script's
   directory on the path.  False with an exception. */
bool codr_python_main_prepare(const codr_python_script_t *script);

/* Runs it as __main__, and ends the process as the interpreter ends. */
void codr_python_main(const codr_python_script_t *script)
    __attribute__((noreturn));

#endif /* CODR_PYTHON_MAIN_H */
