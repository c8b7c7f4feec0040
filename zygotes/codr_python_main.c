/*
 * Running a script and ending, as pymain_run_python() and Py_FinalizeEx() of
 * CPython do it, step by step and in their order.  Only the last steps are
 * left out: what takes an interpreter apart that nobody uses any more would
 * copy every page that a clone shares with its zygote, and costs more than
 * most programs.  Runs in a program's process; all of it is the program's.
 */

#define _GNU_SOURCE

#include "codr_python_main.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "codr_python_clone.h"
#include "codr_python_end.h"
#include "codr_python_gate.h"
#include "codr_python_modules.h"

#define CANNOT_OPEN     2       /* exit codes of python3 */
#define CANNOT_FLUSH    120


/* Running */


static bool
set_item(PyObject *dict, const char *name, PyObject *value)
{
    int rc = value ? PyDict_SetItemString(dict, name, value) : -1;

    Py_XDECREF(value);
    return rc == 0;
}


static bool
put_on_path(const char *directory)
{
    int       rc = -1;
    PyObject *path = PySys_GetObject("path");
    PyObject *first = PyUnicode_DecodeFSDefault(directory);

    if (path && first) {
        rc = PyList_Insert(path, 0, first);
    }
    Py_XDECREF(first);

    return rc == 0;
}


bool
codr_python_main_prepare(const codr_python_script_t *script)
{
    PyObject *main = PyImport_AddModule("__main__");
    PyObject *dict = main ? PyModule_GetDict(main) : NULL;

    if (dict == NULL || !put_on_path(script->directory)
        || !set_item(dict, "__file__", PyUnicode_DecodeFSDefault(script->path))
        || PyDict_SetItemString(dict, "__cached__", Py_None) != 0
        || PyDict_SetItemString(dict, "__loader__", script->loader) != 0)
    {
        return false;
    }

    /* the zygote has frozen them, as far as the collector is concerned */
    PyObject_GC_UnTrack(main);
    PyObject_GC_Track(main);
    PyObject_GC_UnTrack(dict);
    PyObject_GC_Track(dict);
    return true;
}


/* Whatever a script prints at its end is seen before what is said of it. */
static void
flush_quietly(const char *name)
{
    PyObject *type, *value, *traceback, *result;
    PyObject *stream = PySys_GetObject(name);

    if (stream) {
        PyErr_Fetch(&type, &value, &traceback);
        result = PyObject_CallMethod(stream, "flush", NULL);
        PyErr_Clear();
        Py_XDECREF(result);
        PyErr_Restore(type, value, traceback);
    }
}


static void
run_file(FILE *file, const codr_python_script_t *script)
{
    PyObject       *result;
    PyObject       *main = PyImport_AddModule("__main__");
    PyObject       *dict = PyModule_GetDict(main);
    PyCompilerFlags flags = _PyCompilerFlags_INIT;

    Py_INCREF(main);            /* a program may take it from sys.modules */
    result = PyRun_FileExFlags(file, script->path, Py_file_input, dict, dict,
                               1, &flags);
    codr_python_gate_pass();
    codr_python_clone_flush(false);
    flush_quietly("stderr");
    flush_quietly("stdout");

    if (result) {
        (void) PyDict_DelItemString(dict, "__file__");
        (void) PyDict_DelItemString(dict, "__cached__");
        PyErr_Clear();
        Py_DECREF(result);
    }
    Py_DECREF(main);
}


/* With NULL the exit code says why not. */
static FILE *
open_script(const char *script, int *ret_code)
{
    FILE       *file = fopen(script, "rb");
    int         error = errno;
    struct stat st;

    *ret_code = CANNOT_OPEN;
    if (file == NULL) {
        codr_python_gate_pass();
        PySys_WriteStderr("%s: can't open file '%s': [Errno %d] %s\n",
                          "/usr/bin/python3", script, error,
                          strerror(error));
        return NULL;
    }

    if (fstat(fileno(file), &st) == 0 && S_ISDIR(st.st_mode)) {
        codr_python_gate_pass();
        PySys_WriteStderr("%s: '%s' is a directory, cannot continue\n",
                          "/usr/bin/python3", script);
        (void) fclose(file);
        *ret_code = 1;
        return NULL;
    }

    return file;
}


/* The code of the SystemExit that is set; what is no number is printed. */
static int
system_exit(void)
{
    int       code = 1;
    PyObject *type, *value, *traceback, *inner, *err;

    (void) fflush(stdout);
    PyErr_Fetch(&type, &value, &traceback);

    if (value && PyExceptionInstance_Check(value)) {
        inner = PyObject_GetAttrString(value, "code");
        if (inner) {
            Py_SETREF(value, inner);
        }
    }

    if (value == NULL || value == Py_None) {
        code = 0;
    } else if (PyLong_Check(value)) {
        code = (int) PyLong_AsLong(value);
    } else {
        err = PySys_GetObject("stderr");
        PyErr_Clear();
        if (err && err != Py_None) {
            (void) PyFile_WriteObject(value, err, Py_PRINT_RAW);
        } else {
            (void) PyObject_Print(value, stderr, Py_PRINT_RAW);
            (void) fflush(stderr);
        }
        PySys_WriteStderr("\n");
    }

    PyErr_Restore(type, value, traceback);
    PyErr_Clear();
    return code;
}


/* What the script has raised, printed, as an exit code. */
static int
judge(bool *ret_interrupted)
{
    if (!PyErr_Occurred()) {
        return 0;
    }
    if (PyErr_ExceptionMatches(PyExc_SystemExit)) {
        return system_exit();
    }

    *ret_interrupted = PyErr_Occurred() == PyExc_KeyboardInterrupt;
    PyErr_Print();
    return 1;
}


/* Ending */


static void
call_if_loaded(const char *module_name, const char *function)
{
    PyObject *name = PyUnicode_FromString(module_name), *result;
    PyObject *module = name ? PyImport_GetModule(name) : NULL;

    if (module) {
        result = PyObject_CallMethod(module, function, NULL);
        if (result == NULL) {
            PyErr_WriteUnraisable(module);
        }
        Py_XDECREF(result);
    }

    PyErr_Clear();
    Py_XDECREF(module);
    Py_XDECREF(name);
}


static bool
is_closed(PyObject *stream)
{
    PyObject *closed = PyObject_GetAttrString(stream, "closed");
    bool      yes = closed && PyObject_IsTrue(closed) == 1;

    PyErr_Clear();
    Py_XDECREF(closed);
    return yes;
}


/* False when what was written could not be. */
static bool
flush(const char *name, bool tell)
{
    PyObject *stream = PySys_GetObject(name), *result;

    if (stream == NULL || stream == Py_None || is_closed(stream)) {
        return true;
    }

    result = PyObject_CallMethod(stream, "flush", NULL);
    if (result == NULL && tell) {
        PyErr_WriteUnraisable(stream);
    }
    PyErr_Clear();
    Py_XDECREF(result);
    return result != NULL;
}


static bool
flush_both(bool tell)
{
    bool out = flush("stdout", tell), err = flush("stderr", false);

    return out && err;
}


/* Gone before any module is: what a destructor does then, fails alike. */
static void
forget_system(void)
{
    size_t i;

    static const char *const names[] = {
        "path", "argv", "ps1", "ps2", "last_type", "last_value",
        "last_traceback", "path_hooks", "path_importer_cache", "meta_path",
    };
    static const char *const streams[][2] = {
        { "stdin", "__stdin__" }, { "stdout", "__stdout__" },
        { "stderr", "__stderr__" },
    };

    (void) PyDict_SetItemString(PyEval_GetBuiltins(), "_", Py_None);
    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        (void) PySys_SetObject(names[i], Py_None);
    }
    for (i = 0; i < sizeof(streams) / sizeof(streams[0]); i++) {
        (void) PySys_SetObject(streams[i][0], PySys_GetObject(streams[i][1]));
    }
}


/* The last to go with sys: a program's own are objects, too. */
static void
forget_hooks_and_streams(void)
{
    size_t i;

    static const char *const streams[] = {
        "stdin", "stdout", "stderr", "__stdin__", "__stdout__", "__stderr__",
    };

    (void) PySys_SetObject("excepthook", PySys_GetObject("__excepthook__"));
    (void) PySys_SetObject("displayhook", PySys_GetObject("__displayhook__"));
    (void) PySys_SetObject("unraisablehook",
                           PySys_GetObject("__unraisablehook__"));
    for (i = 0; i < sizeof(streams) / sizeof(streams[0]); i++) {
        (void) PySys_SetObject(streams[i], Py_None);
    }
}


/* The program's own modules, the last imported first: with them go its
   objects, and their destructors run.  What the zygote had imported needs no
   tearing down: it was never this process's alone. */
static void
end_modules(PyObject *collect)
{
    Py_ssize_t i;
    PyObject  *module, *left;

    forget_system();

    left = codr_python_modules_leave();
    Py_XDECREF(PyObject_CallNoArgs(collect));

    for (i = left ? PyList_Size(left) : 0; i > 0; i--) {
        module = PyWeakref_GetObject(PyList_GET_ITEM(left, i - 1));
        if (module != Py_None) {
            Py_INCREF(module);
            _PyModule_Clear(module);
            Py_DECREF(module);
        }
    }
    forget_hooks_and_streams();
    PyErr_Clear();
}


/* As the shell of an interactive user expects of a program that ^C ended. */
static int
die_of_interrupt(void)
{
    (void) signal(SIGINT, SIG_DFL);
    (void) kill(getpid(), SIGINT);

    return SIGINT + 128;
}


static int
finish(int code, PyObject *collect)
{
    if (codr_python_end_is_silent()) {
        return flush_both(true) ? code : CANNOT_FLUSH;
    }

    if (codr_python_end_has_threading()) {
        call_if_loaded("threading", "_shutdown");
    }
    call_if_loaded("atexit", "_run_exitfuncs");

    if (!flush_both(true)) {
        code = CANNOT_FLUSH;
    }
    (void) PyGC_Collect();
    end_modules(collect);
    codr_python_clone_flush(true);      /* what destructors have said */

    return code;
}


void
codr_python_main(const codr_python_script_t *script)
{
    int   code = 0;
    bool  interrupted = false;
    FILE *file;

    codr_python_gate_close();
    if (PySys_Audit("cpython.run_file", "s", script->path) < 0) {
        codr_python_gate_pass();
        code = judge(&interrupted);
    } else if ((file = open_script(script->path, &code)) != NULL) {
        if (Py_MakePendingCalls() == 0) {
            run_file(file, script);
        }
        code = judge(&interrupted);
    }

    code = finish(code, script->collect);
    if (interrupted) {
        code = die_of_interrupt();
    }

    codr_python_end(code);
}
