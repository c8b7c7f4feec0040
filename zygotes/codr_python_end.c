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

#include "codr_python_clone.h"
#include "codr_python_hot.h"
#include "codr_python_modules.h"

#define CALLS_C         "/_ctypes."     /* on_exit(), say */
#define YOUNG_MAX       2000    /* objects; more with the collector disabled */
#define OLDER_MAX       10      /* collections: who has many objects has all */
#define VISITS_MAX      50000   /* what objects refer to */
#define DEPTH_MAX       8       /* of what the collector does not track */

/* Of libraries that nobody misses the ends of. */
static const char *const silent[] = {
    "/ld-linux", "/libc.so", "/libm.so", "/libz.so", "/libexpat.so",
    "/lib-dynload/", "/memfd:codr-", "/proc/self/fd/", "linux-vdso",
};

typedef struct {
    PyObject            *objects;       /* gc.get_objects */
    PyObject            *count;         /* gc.get_count */
    PyObject            *stats;         /* gc.get_stats */
    PyObject            *debug;         /* gc.get_debug */
    PyObject            *hooks;         /* gc.callbacks */
    PyObject            *exits;         /* atexit._ncallbacks, or None */
    PyObject            *threading;     /* or None */
    PyObject            *shutdown;      /* threading._shutdown, or NULL */
    Py_ssize_t           references;    /* to threading, of the zygote's */
    PyObject            *main;          /* names of __main__, to compare */
    long                 collections;   /* of all objects, in the zygote */
    PyCFunction          add_hook;      /* sys.addaudithook() */
    bool                 has_hook;
    unsigned long long   libraries;     /* loaded since the start */
    bool                 all_silent;
} end_t;

typedef struct {
    size_t  count;
    int     depth;
} visit_t;

static end_t self;


/* Hooks hear of a look at all objects, and nobody tells that there are any. */
static PyObject *
add_audit_hook(PyObject *sys, PyObject *const *arguments, Py_ssize_t count,
    PyObject *names)
{
    self.has_hook = true;
    return ((_PyCFunctionFastWithKeywords) (void (*)(void)) self.add_hook)(
        sys, arguments, count, names);
}


/* In the zygote.  Where that cannot be, there may be one always. */
static void
listen_for_hooks(void)
{
    PyMethodDef *method = NULL;
    PyObject    *function = PySys_GetObject("addaudithook");

    if (function && PyCFunction_CheckExact(function)) {
        method = ((PyCFunctionObject *) function)->m_ml;
    }

    self.has_hook = method == NULL
                    || method->ml_flags != (METH_FASTCALL | METH_KEYWORDS);
    if (!self.has_hook) {
        self.add_hook = method->ml_meth;
        method->ml_meth = (PyCFunction) (void (*)(void)) add_audit_hook;
    }
}


/* How often all objects were collected, or -1. */
static long
count_collections(void)
{
    long      count = -1;
    PyObject *value;
    PyObject *stats = PyObject_CallNoArgs(self.stats);
    PyObject *oldest = stats && PyList_CheckExact(stats)
                       && PyList_GET_SIZE(stats) > 0
                       ? PyList_GET_ITEM(stats, PyList_GET_SIZE(stats) - 1)
                       : NULL;

    value = oldest ? PyDict_GetItemString(oldest, "collections") : NULL;
    if (value) {
        count = PyLong_AsLong(value);
    }

    PyErr_Clear();
    Py_XDECREF(stats);
    return count;
}


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
    known &= strstr(info->dlpi_name, CALLS_C) == NULL;

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
    self.stats = PyDict_GetItemString(helpers, "stats");
    self.debug = PyDict_GetItemString(helpers, "debug");
    self.hooks = PyDict_GetItemString(helpers, "gc_hooks");
    self.exits = PyDict_GetItemString(helpers, "exits");
    self.threading = PyDict_GetItemString(helpers, "threading");
    self.all_silent = true;
    (void) dl_iterate_phdr(look_at_library, NULL);

    if (!self.objects || !self.count || !self.stats || !self.debug
        || !self.hooks || !self.exits || !self.threading)
    {
        return -1;
    }

    self.references = Py_REFCNT(self.threading);
    if (self.threading != Py_None) {
        self.shutdown = PyDict_GetItemString(
            PyModule_GetDict(self.threading), "_shutdown");
        Py_XINCREF(self.shutdown);
    }
    self.main = PyModule_GetDict(PyImport_AddModule("__main__"));
    self.collections = count_collections();
    listen_for_hooks();
    PyErr_Clear();
    return self.collections >= 0 ? 0 : -1;
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


/* What the collector tracks is in its list, or the zygote's. */
static int
visit_other(PyObject *object, void *data)
{
    visit_t *visit = data;
    int      rc = 0;

    if (++visit->count > VISITS_MAX) {
        return 1;
    }
    if (PyObject_IS_GC(object) && PyObject_GC_IsTracked(object)) {
        return 0;
    }
    if (may_act(object)) {
        return 1;
    }

    if (PyObject_IS_GC(object) && Py_TYPE(object)->tp_traverse) {
        if (visit->depth == DEPTH_MAX) {
            return 1;
        }
        visit->depth++;
        rc = Py_TYPE(object)->tp_traverse(object, visit_other, visit);
        visit->depth--;
    }

    return rc;
}


/* And what it refers to. */
static bool
has_actors(PyObject *object, visit_t *visit)
{
    traverseproc traverse = Py_TYPE(object)->tp_traverse;

    return may_act(object)
           || (traverse && traverse(object, visit_other, visit) != 0);
}


/* An object that is certainly there is not when they were frozen. */
static bool
any_object_may_act(void)
{
    bool        any, complete = false;
    visit_t     visit = { .depth = 0 };
    Py_ssize_t  i;
    PyObject   *objects = PyObject_CallNoArgs(self.objects);

    any = objects == NULL || !PyList_CheckExact(objects);
    for (i = 0; !any && i < PyList_GET_SIZE(objects); i++) {
        complete |= PyList_GET_ITEM(objects, i) == self.main;
        any = has_actors(PyList_GET_ITEM(objects, i), &visit);
    }

    PyErr_Clear();
    Py_XDECREF(objects);
    return any || !complete;
}


static bool
has_many_objects(void)
{
    bool      many = true;
    int       young, older, old;
    PyObject *count = PyObject_CallNoArgs(self.count);

    if (count && PyArg_ParseTuple(count, "iii", &young, &older, &old)) {
        many = young > YOUNG_MAX || older > OLDER_MAX || old > 0;
    }

    PyErr_Clear();
    Py_XDECREF(count);
    return many || count_collections() != self.collections;
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
tells_of_collections(void)
{
    PyObject *debug = PyObject_CallNoArgs(self.debug);
    bool      tells = debug == NULL || PyObject_IsTrue(debug) != 0
                      || !PyList_CheckExact(self.hooks)
                      || PyList_GET_SIZE(self.hooks) > 0;

    PyErr_Clear();
    Py_XDECREF(debug);
    return tells;
}


/* threading has callbacks, or was made to end in another way.  Without a
   reference taken: that would copy a page. */
static bool
has_threading_exits(void)
{
    PyObject *names, *exits;

    if (self.threading == Py_None) {
        return false;
    }

    names = PyModule_GetDict(self.threading);
    exits = PyDict_GetItemString(names, "_threading_atexits");
    return exits == NULL || !PyList_CheckExact(exits)
           || PyList_GET_SIZE(exits) > 0
           || PyDict_GetItemString(names, "_shutdown") != self.shutdown;
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
           && is_alone(thread) && !self.has_hook
           && codr_python_clone_has_streams()
           && codr_python_modules_are_kept()
           && !tells_of_collections() && !has_exits()
           && !has_threading_exits() && !has_many_objects()
           && !any_of_main_may_act() && !any_object_may_act();
}


/* The zygote has imported it, and the program need not have: without that an
   interpreter would not know it at its end. */
bool
codr_python_end_has_threading(void)
{
    return self.threading == Py_None
           || Py_REFCNT(self.threading) != self.references
           || !is_alone(PyThreadState_Get()) || has_threading_exits();
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
