/*
 * What a program has imported beside the zygote.  Runs in a program's process
 * at its end, where a reference taken or given back writes to a page that is
 * then copied: so nothing here touches a module of the zygote's.
 */

#define _GNU_SOURCE

#include "codr_python_modules.h"

#include <stdbool.h>
#include <stdlib.h>

typedef struct {
    PyObject  *name;
    PyObject  *module;          /* NULL: never the zygote's */
} kept_t;

static kept_t     *kept;
static Py_ssize_t  kept_count;


int
codr_python_modules_keep(PyObject *items)
{
    Py_ssize_t i;
    PyObject  *pair;

    kept_count = PyList_Size(items);
    kept = calloc((size_t) kept_count + 1, sizeof(*kept));
    if (kept == NULL) {
        return -1;
    }

    for (i = 0; i < kept_count; i++) {
        pair = PyList_GET_ITEM(items, i);
        kept[i].name = PyTuple_GET_ITEM(pair, 0);
        kept[i].module = PyTuple_GET_ITEM(pair, 1);
        if (kept[i].module == Py_False) {
            kept[i].module = NULL;
        }
    }

    return 0;
}


/* Where it was is where it mostly is still. */
static bool
is_kept(Py_ssize_t at, PyObject *name, PyObject *module)
{
    Py_ssize_t i;

    if (at < kept_count && kept[at].module == module
        && kept[at].name == name)
    {
        return true;
    }

    for (i = 0; i < kept_count; i++) {
        if (kept[i].module == module && kept[i].name == name) {
            return true;
        }
    }

    return false;
}


bool
codr_python_modules_are_kept(void)
{
    Py_ssize_t  pos = 0, at = 0;
    PyObject   *name, *module;
    PyObject   *modules = PyImport_GetModuleDict();

    while (PyDict_Next(modules, &pos, &name, &module)) {
        if (at >= kept_count || kept[at].name != name
            || (kept[at].module && kept[at].module != module))
        {
            return false;
        }
        at++;
    }

    return at == kept_count;
}


/* All of it goes to another dictionary, which is answered. */
static PyObject *
take_all(PyDictObject *modules)
{
    PyDictObject *attic = (PyDictObject *) PyDict_New(), was = *modules;

    if (attic) {
        modules->ma_used = attic->ma_used;
        modules->ma_version_tag = attic->ma_version_tag;
        modules->ma_keys = attic->ma_keys;
        modules->ma_values = attic->ma_values;
        attic->ma_used = was.ma_used;
        attic->ma_version_tag = was.ma_version_tag;
        attic->ma_keys = was.ma_keys;
        attic->ma_values = was.ma_values;
    }

    return (PyObject *) attic;
}


/* Names of what is the program's, and weak references to its modules. */
static int
find_own(PyObject *names, PyObject *references)
{
    int         rc = 0;
    Py_ssize_t  pos = 0, at = 0;
    PyObject   *name, *module, *reference;
    PyObject   *modules = PyImport_GetModuleDict();

    while (rc == 0 && PyDict_Next(modules, &pos, &name, &module)) {
        if (is_kept(at++, name, module)) {
            continue;
        }
        rc = PyList_Append(names, name);
        if (rc == 0 && PyModule_Check(module)) {
            reference = PyWeakref_NewRef(module, NULL);
            rc = reference ? PyList_Append(references, reference) : -1;
            Py_XDECREF(reference);
        }
    }

    return rc;
}


PyObject *
codr_python_modules_leave(void)
{
    Py_ssize_t  i;
    PyObject   *attic = NULL, *names = PyList_New(0), *left = PyList_New(0);

    if (names && left && find_own(names, left) == 0) {
        attic = take_all((PyDictObject *) PyImport_GetModuleDict());
    }
    if (attic == NULL) {
        return NULL;
    }

    for (i = 0; i < PyList_GET_SIZE(names); i++) {
        (void) PyDict_DelItem(attic, PyList_GET_ITEM(names, i));
    }
    PyErr_Clear();

    return left;
}
