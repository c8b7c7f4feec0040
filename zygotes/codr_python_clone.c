/*
 * A clone of the zygote on its way to be `python3 main.py`.  Runs in the
 * process that will be the program, before anything of the program does; what
 * can be done in the zygote is done there, once.
 */

#define _GNU_SOURCE

#include "codr_python_clone.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "codr_python_modules.h"
#include "codr_util.h"

#define USUAL_PID       2           /* init has one child first */
#define UNBUFFERED      "PYTHONUNBUFFERED="     /* the one that may differ */

typedef struct {
    char        **given;        /* variables that decide, of the zygote */
    size_t        ngiven;
    char        **extra;        /* first names of modules beside the plain */
    size_t        nextra;
    PyObject     *data;         /* os.environ._data */
    PyObject     *main_thread;  /* or None */
    PyObject     *reseed;       /* or None */
    PyObject     *children;     /* what modules do in a child */
    PyObject     *streams;      /* (pipes, terminal) x (buffered, not) */
    int           has_streams;  /* which of them sys has */
} clone_t;

static clone_t self = { .has_streams = -1 };

static const char *const names[3][2] = {
    { "stdin", "__stdin__" }, { "stdout", "__stdout__" },
    { "stderr", "__stderr__" },
};


static bool
begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}


/* Whether a variable means something to an interpreter that starts. */
static bool
decides(const char *variable)
{
    return begins(variable, "PYTHON") || begins(variable, "LC_")
           || begins(variable, "LANG") || begins(variable, "TZ=");
}


int
codr_python_clone_remember(char *const *envp)
{
    size_t i, n = 0;

    for (i = 0; envp[i]; i++) {
        n += decides(envp[i]);
    }

    self.given = calloc(n + 1, sizeof(*self.given));
    for (i = 0; self.given && envp[i]; i++) {
        if (decides(envp[i])) {
            self.given[self.ngiven++] = strdup(envp[i]);
        }
    }

    return self.given ? 0 : -1;
}


static int
take_names(PyObject *list)
{
    Py_ssize_t  i;
    const char *name;

    self.extra = calloc((size_t) PyList_Size(list) + 1, sizeof(*self.extra));
    if (self.extra == NULL) {
        return -1;
    }

    for (i = 0; i < PyList_GET_SIZE(list); i++) {
        name = PyUnicode_AsUTF8(PyList_GET_ITEM(list, i));
        if (name == NULL) {
            return -1;
        }
        self.extra[self.nextra++] = strdup(name);
    }

    return 0;
}


/* What threading knows of its first thread. */
static bool
set_native_id(pid_t pid)
{
    int       rc;
    PyObject *id;

    if (self.main_thread == Py_None) {
        return true;
    }

    id = PyLong_FromLong(pid);
    rc = id ? PyObject_SetAttrString(self.main_thread, "_native_id", id) : -1;
    Py_XDECREF(id);
    return rc == 0;
}


int
codr_python_clone_ready(PyObject *helpers)
{
    PyObject *extra = PyDict_GetItemString(helpers, "extra");
    PyObject *kept = PyDict_GetItemString(helpers, "kept");

    self.data = PyDict_GetItemString(helpers, "data");
    self.main_thread = PyDict_GetItemString(helpers, "main_thread");
    self.reseed = PyDict_GetItemString(helpers, "reseed");
    self.children = PyDict_GetItemString(helpers, "children");
    self.streams = PyDict_GetItemString(helpers, "streams");

    return extra && kept && self.data && self.main_thread && self.reseed
           && self.children && self.streams && take_names(extra) == 0
           && codr_python_modules_keep(kept) == 0
           && set_native_id(USUAL_PID)
           && codr_python_clone_streams(false, true) ? 0 : -1;
}


void
codr_python_clone_wake(void)
{
    Py_ssize_t i;

    PyThreadState_Get()->native_thread_id = PyThread_get_thread_native_id();

    for (i = 0; i < PyList_GET_SIZE(self.children); i++) {
        Py_XDECREF(PyObject_CallNoArgs(PyList_GET_ITEM(self.children, i)));
    }
    if (self.reseed != Py_None) {
        Py_XDECREF(PyObject_CallNoArgs(self.reseed));
    }

    PyErr_Clear();
}


/* Both the zygote's and the job's are that many, none of them twice. */
static bool
decide_alike(char *const *envp)
{
    size_t i, k, n = 0;

    for (i = 0; envp[i]; i++) {
        if (!decides(envp[i]) || begins(envp[i], UNBUFFERED)) {
            continue;
        }
        for (k = 0; k < self.ngiven; k++) {
            if (strcmp(envp[i], self.given[k]) == 0) {
                break;
            }
        }
        if (k == self.ngiven) {
            return false;
        }
        n++;
    }

    return n == self.ngiven;
}


/* What os.environ is already, in that order. */
static bool
has_environ(char *const *envp)
{
    size_t      len;
    Py_ssize_t  pos = 0;
    PyObject   *name, *value;

    for ( ; PyDict_Next(self.data, &pos, &name, &value); envp++) {
        len = (size_t) PyBytes_GET_SIZE(name);
        if (*envp == NULL
            || strncmp(*envp, PyBytes_AS_STRING(name), len) != 0
            || (*envp)[len] != '='
            || strcmp(*envp + len + 1, PyBytes_AS_STRING(value)) != 0)
        {
            return false;
        }
    }

    return *envp == NULL;
}


static bool
set_environ(char *const *envp)
{
    int         rc = 0;
    PyObject   *name, *value;
    const char *equals;

    if (has_environ(envp)) {
        return true;
    }

    PyDict_Clear(self.data);

    for ( ; rc == 0 && *envp; envp++) {
        equals = strchr(*envp, '=');
        if (equals == NULL) {
            return false;
        }
        name = PyBytes_FromStringAndSize(*envp, equals - *envp);
        value = PyBytes_FromString(equals + 1);
        rc = name && value ? PyDict_SetItem(self.data, name, value) : -1;
        Py_XDECREF(name);
        Py_XDECREF(value);
    }

    return rc == 0;
}


static bool
add_argument(PyObject *argument)
{
    PyObject *argv = PySys_GetObject("argv");
    PyObject *original = PySys_GetObject("orig_argv");
    bool      added = argument && argv && original
                      && PyList_Append(argv, argument) == 0
                      && PyList_Append(original, argument) == 0;

    Py_XDECREF(argument);
    return added;
}


bool
codr_python_clone_prepare(const codr_describe_t *description, size_t words)
{
    char *const *argument = description->argv + words;
    bool         prepared;

    prepared = decide_alike(description->envp)
               && set_environ(description->envp)
               && (getpid() == USUAL_PID || set_native_id(getpid()));
    for ( ; prepared && *argument; argument++) {
        prepared = add_argument(PyUnicode_DecodeFSDefault(*argument));
    }

    PyErr_Clear();
    return prepared;
}


static bool
hides(const char *file)
{
    size_t i, len = strcspn(file, ".");

    for (i = 0; i < self.nextra; i++) {
        if (strncmp(file, self.extra[i], len) == 0
            && self.extra[i][len] == '\0')
        {
            return true;
        }
    }

    return false;
}


bool
codr_python_clone_fits(void)
{
    bool           fits = true;
    DIR           *dir = opendir(".");
    struct dirent *entry;

    if (dir == NULL) {
        return false;
    }

    while (fits && (entry = readdir(dir)) != NULL) {
        fits = !hides(entry->d_name);
    }
    (void) closedir(dir);

    return fits;
}


bool
codr_python_clone_streams(bool terminal, bool unbuffered)
{
    int       i, which = 2 * terminal + unbuffered;
    PyObject *three = PyTuple_GetItem(self.streams, which);

    if (which == self.has_streams) {
        return true;
    }

    for (i = 0; three && i < 3; i++) {
        if (PySys_SetObject(names[i][0], PyTuple_GET_ITEM(three, i)) != 0
            || PySys_SetObject(names[i][1], PyTuple_GET_ITEM(three, i)) != 0)
        {
            return false;
        }
    }

    self.has_streams = which;
    return three != NULL;
}


bool
codr_python_clone_has_streams(void)
{
    int       i;
    PyObject *three = PyTuple_GetItem(self.streams, self.has_streams);

    for (i = 1; three && i < 3; i++) {
        if (PySys_GetObject(names[i][0]) != PyTuple_GET_ITEM(three, i)
            || PySys_GetObject(names[i][1]) != PyTuple_GET_ITEM(three, i))
        {
            return false;
        }
    }

    return three != NULL;
}


void
codr_python_clone_flush(bool all)
{
    int       i;
    PyObject *type, *value, *traceback;
    PyObject *three = PyTuple_GET_ITEM(self.streams, self.has_streams);

    PyErr_Fetch(&type, &value, &traceback);
    for (i = 1; i < 3; i++) {
        if (!all && Py_REFCNT(PyTuple_GET_ITEM(three, i)) > 1) {
            continue;
        }
        Py_XDECREF(PyObject_CallMethod(PyTuple_GET_ITEM(three, i), "flush",
                                       NULL));
        PyErr_Clear();
    }
    PyErr_Restore(type, value, traceback);
}
