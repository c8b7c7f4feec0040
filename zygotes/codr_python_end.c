/*
 * Whether a program's end would be noticed by anything of its own.  The end of
 * an interpreter joins threads, collects garbage and clears modules, so that
 * destructors, callbacks and generators may have their say.  Most short
 * programs have none of these, which a look at their objects tells: then
 * nothing needs to be taken apart, which would only copy pages.  Whatever is
 * not known to be silent is not.
 */

#define _GNU_SOURCE

#include "codr_python_end.h"

#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "codr_python_hot.h"
#include "codr_python_modules.h"

#define OLDER_MAX       10      /* collections: who has many objects has all */

/* Of libraries that nobody misses the ends of. */
static const char *const silent[] = {
    "/ld-linux", "/libc.so", "/libm.so", "/libz.so", "/libexpat.so",
    "/lib-dynload/", "/memfd:codr-", "/proc/self/fd/", "linux-vdso",
};

typedef struct {
    PyObject            *objects;       /* gc.get_objects */
    PyObject            *count;         /* gc.get_count */
    PyObject            *hooks;         /* gc.callbacks */
    PyObject            *exits;         /* atexit._ncallbacks, or None */
    PyObject            *threading;     /* or None */
    Py_ssize_t           references;    /* to that, of the zygote's */
    unsigned long long   libraries;     /* loaded since the start */
    bool                 all_silent;
} end_t;

static end_t self;


static int
look_at_library(struct dl_phdr_info *info, size_t size, void *data)
{
    size_t i;
    bool   known = info->dlpi_name[0] == '\0';      /* the executable */

    (void) size;
    (void) data;

    for (i = 0; i < sizeof(silent) / sizeof(silent[0]); i++) {
        known |= strstr(info->dlpi_name, silent[i]) != NULL;
    }

    self.all_silent &= known;
    self.libraries = info->dlpi_adds;
    return 0;
}


static int
count_libraries(struct dl_phdr_info *info, size_t size, void *data)
{
    (void) size;

    *(unsigned long long *) data = info->dlpi_adds;
    return 1;
}


int
codr_python_end_ready(PyObject *helpers)
{
    self.objects = PyDict_GetItemString(helpers, "objects");
    self.count = PyDict_GetItemString(helpers, "count");
    self.hooks = PyDict_GetItemString(helpers, "gc_hooks");
    self.exits = PyDict_GetItemString(helpers, "exits");
    self.threading = PyDict_GetItemString(helpers, "threading");
    self.all_silent = true;
    (void) dl_iterate_phdr(look_at_library, NULL);

    if (!self.objects || !self.count || !self.hooks || !self.exits
        || !self.threading)
    {
        return -1;
    }

    self.references = Py_REFCNT(self.threading);
    return 0;
}


/* Calls somebody, or does something, when it goes. */
static bool
may_act(PyObject *object)
{
    PyTypeObject *type = Py_TYPE(object);

    if (PyWeakref_Check(object)) {
        return ((PyWeakReference *) object)->wr_callback != NULL;
    }
    if (PyType_Check(object)) {
        type = (PyTypeObject *) object;         /* its objects may not be seen
                                                   by the collector */
    }

    return type->tp_finalize || type->tp_del || Py_TYPE(object)->tp_finalize
           || Py_TYPE(object)->tp_del;
}


static bool
any_of_main_may_act(void)
{
    Py_ssize_t  pos = 0;
    PyObject   *name, *value;
    PyObject   *main = PyImport_AddModule("__main__");

    while (main && PyDict_Next(PyModule_GetDict(main), &pos, &name, &value)) {
        if (may_act(value)) {
            return true;
        }
    }

    return main == NULL;
}


static bool
any_object_may_act(void)
{
    bool        any;
    Py_ssize_t  i;
    PyObject   *objects = PyObject_CallNoArgs(self.objects);

    any = objects == NULL || !PyList_CheckExact(objects);
    for (i = 0; !any && i < PyList_GET_SIZE(objects); i++) {
        any = may_act(PyList_GET_ITEM(objects, i));
    }

    PyErr_Clear();
    Py_XDECREF(objects);
    return any;
}


static bool
has_many_objects(void)
{
    bool      many = true;
    int       young, older, old;
    PyObject *count = PyObject_CallNoArgs(self.count);

    if (count && PyArg_ParseTuple(count, "iii", &young, &older, &old)) {
        many = older > OLDER_MAX || old > 0;
    }

    PyErr_Clear();
    Py_XDECREF(count);
    return many;
}


static bool
has_exits(void)
{
    bool      has = true;
    PyObject *count;

    if (self.exits == Py_None) {
        return PyDict_GetItemString(PyImport_GetModuleDict(), "atexit")
               != NULL;
    }

    count = PyObject_CallNoArgs(self.exits);
    has = count == NULL || PyObject_IsTrue(count) != 0;
    PyErr_Clear();
    Py_XDECREF(count);
    return has;
}


static bool
is_alone(const PyThreadState *thread)
{
    return thread->next == NULL && thread->prev == NULL;
}


bool
codr_python_end_is_silent(void)
{
    PyThreadState *thread = PyThreadState_Get();

    return thread->c_tracefunc == NULL && thread->c_profilefunc == NULL
           && is_alone(thread)
           && PySys_GetObject("stdout") == PySys_GetObject("__stdout__")
           && PySys_GetObject("stderr") == PySys_GetObject("__stderr__")
           && PyList_CheckExact(self.hooks)
           && PyList_GET_SIZE(self.hooks) == 0
           && codr_python_modules_are_kept()
           && !has_exits() && !has_many_objects() && !any_of_main_may_act()
           && !any_object_may_act();
}


/* The zygote has imported it, and the program need not have: without that an
   interpreter would not know it at its end. */
bool
codr_python_end_has_threading(void)
{
    bool      has;
    PyObject *exits;

    if (self.threading == Py_None
        || Py_REFCNT(self.threading) != self.references
        || !is_alone(PyThreadState_Get()))
    {
        return true;
    }

    exits = PyObject_GetAttrString(self.threading, "_threading_atexits");
    has = exits == NULL || PyObject_IsTrue(exits) != 0;
    PyErr_Clear();
    Py_XDECREF(exits);
    return has;
}


void
codr_python_end(int code)
{
    unsigned long long libraries = 0;

    codr_python_hot_end();

    (void) dl_iterate_phdr(count_libraries, &libraries);
    if (!self.all_silent || libraries != self.libraries) {
        exit(code);
    }

    (void) fflush(NULL);

    /* who reads hears of the end while the kernel takes memory apart */
    if (is_alone(PyThreadState_Get())) {
        (void) close_range(0, ~0U, 0);
    }
    _exit(code);
}
