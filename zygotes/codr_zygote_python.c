/*
 * The Python zygote: a library that is preloaded into the language's own
 * python3, takes the place of its main(), and lets it come to the point where
 * `python3 main.py` would open main.py.  There the process waits to be cloned;
 * a clone that has become a program goes on from there (codr_python_main.c).
 * So what a program sees is the interpreter itself: its executable, its flags,
 * its way of ending.
 *
 * Must not let anything of the zygote be seen but what docs/directives.md
 * names.
 */

#define _GNU_SOURCE
#define PY_SSIZE_T_CLEAN

#include <Python.h>

#include <dlfcn.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "codr_log.h"
#include "codr_python_clone.h"
#include "codr_python_end.h"
#include "codr_python_heap.h"
#include "codr_python_hot.h"
#include "codr_python_main.h"
#include "codr_python_text.h"
#include "codr_util.h"
#include "codr_zygote.h"
#include "codr_zygote_block.h"
#include "codr_zygote_serve.h"

#define PUBLIC          __attribute__((visibility("default")))
#define PRELOAD_SECONDS 5           /* for one module */
#define HARMLESS        42          /* what a module would not say */
#define LOADER          "LD_PRELOAD"
#define HELLO           "print('hello')\n"

typedef int (*main_pt)(int argc, char **argv, char **envp);
typedef int (*start_pt)(main_pt main, int argc, char **argv,
    void (*init)(void), void (*fini)(void), void (*rtld_fini)(void),
    void *stack_end);

int __libc_start_main(main_pt real_main, int argc, char **argv,
    void (*init)(void), void (*fini)(void), void (*rtld_fini)(void),
    void *stack_end);

typedef struct {
    int                     argc;
    char                  **argv;
    PyObject               *helpers;    /* names of the text below */
    const codr_describe_t  *description;
    codr_python_script_t    script;
    char                    path[PATH_MAX];     /* of the script */
} python_t;

static python_t self;

/* codr_zygote_python.py, and a NUL. */
__asm__(".section .rodata\n"
        "codr_zygote_helpers: .incbin \"codr_zygote_python.py\"\n"
        ".byte 0\n"
        ".previous\n");

extern const char helpers[] __asm__("codr_zygote_helpers");


static void __attribute__((noreturn))
die(const char *tried)
{
    if (PyErr_Occurred()) {
        PyErr_Print();
    }
    codr_log(CODR_LEVEL_WARNING, 0, "%s", tried);
    _exit(EXIT_FAILURE);
}


static PyObject *
call(const char *name, PyObject *arguments)
{
    PyObject *function = PyDict_GetItemString(self.helpers, name), *result;

    result = function && arguments ? PyObject_CallObject(function, arguments)
                                   : NULL;
    Py_XDECREF(arguments);
    return result;
}


static void
must(const char *name)
{
    PyObject *result = call(name, PyTuple_New(0));

    if (result == NULL) {
        die("run a helper of the zygote");
    }
    Py_DECREF(result);
}


/* Before anything else */


static void
load_helpers(void)
{
    PyObject *result;

    self.helpers = PyDict_New();
    if (self.helpers == NULL
        || PyDict_SetItemString(self.helpers, "__builtins__",
                                PyEval_GetBuiltins()) != 0)
    {
        die("make the helpers of the zygote");
    }

    result = PyRun_String(helpers, Py_file_input, self.helpers, self.helpers);
    if (result == NULL) {
        die("load the helpers of the zygote");
    }
    Py_DECREF(result);
}


static bool
has_one_thread(void)
{
    size_t     count = 0;
    PyObject  *os = PyImport_ImportModule("os"), *tasks;

    tasks = os ? PyObject_CallMethod(os, "listdir", "s", "/proc/self/task")
               : NULL;
    if (tasks) {
        count = (size_t) PyObject_Length(tasks);
    }
    PyErr_Clear();
    Py_XDECREF(tasks);
    Py_XDECREF(os);
    return count == 1;
}


static bool
import(const char *name)
{
    PyObject *module = PyImport_ImportModule(name);
    bool      imported = module != NULL;

    PyErr_Clear();
    Py_XDECREF(module);
    return imported;
}


/* In a fork first: a module that ends the process, hangs or starts threads
   is none to preload. */
static bool
is_harmless(const char *name)
{
    int   status = 0;
    pid_t pid;

    PyOS_BeforeFork();
    pid = fork();
    if (pid == 0) {
        sigset_t none;

        PyOS_AfterFork_Child();
        (void) sigemptyset(&none);
        (void) sigprocmask(SIG_SETMASK, &none, NULL);
        (void) signal(SIGALRM, SIG_DFL);
        (void) alarm(PRELOAD_SECONDS);
        _exit(import(name) && has_one_thread() ? HARMLESS : EXIT_FAILURE);
    }
    PyOS_AfterFork_Parent();

    return pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status)
           && WEXITSTATUS(status) == HARMLESS;
}


static void
preload(void)
{
    char *text = getenv(CODR_ZYGOTE_PRELOAD), *name, *rest;

    text = text ? strdup(text) : NULL;
    for (name = text ? strtok_r(text, ":", &rest) : NULL; name;
         name = strtok_r(NULL, ":", &rest))
    {
        if (!is_harmless(name) || !import(name)) {
            codr_log(CODR_LEVEL_WARNING, 0, "module \"%s\" is not preloaded:"
                     " it cannot be imported, or has a thread", name);
        }
    }
    free(text);
}


/* In the clones */


static void
wake(bool spare)
{
    if (spare) {
        codr_python_hot_fetch();
    }
    codr_python_clone_wake();
}


static bool
prepare(const codr_describe_t *description)
{
    self.description = description;

    return codr_zygote_begins(description->argv, self.argc, self.argv)
           && codr_python_clone_prepare(description, (size_t) self.argc);
}


/* A thread's stack is as large as the limit says that was in force when the
   C library was loaded. */
static void
set_thread_stack(void)
{
    struct rlimit  limit;
    pthread_attr_t attr;

    if (getrlimit(RLIMIT_STACK, &limit) == 0
        && limit.rlim_cur != RLIM_INFINITY
        && pthread_attr_init(&attr) == 0)
    {
        (void) pthread_attr_setstacksize(&attr, limit.rlim_cur);
        (void) pthread_setattr_default_np(&attr);
        (void) pthread_attr_destroy(&attr);
    }
}


/* All of it that needs nothing of the script. */
static bool
settle(void)
{
    const char *unbuffered;

    codr_zygote_block_replace(self.description->envp);
    set_thread_stack();

    unbuffered = getenv("PYTHONUNBUFFERED");
    if (unbuffered && *unbuffered) {
        (void) setvbuf(stdin, NULL, _IONBF, BUFSIZ);
        (void) setvbuf(stdout, NULL, _IONBF, BUFSIZ);
        (void) setvbuf(stderr, NULL, _IONBF, BUFSIZ);
    }

    if (codr_python_clone_streams(self.description->terminal,
                                  unbuffered && *unbuffered))
    {
        return true;
    }

    PyErr_Clear();
    return false;
}


static void __attribute__((noreturn))
run(void)
{
    codr_python_main(&self.script);
}


/* A short program in a process that ends with it, with pipes or a terminal: it
   writes to what a zygote has for those. */


static int
write_script(const char *text)
{
    int fd = memfd_create("rehearsal", 0);

    if (fd == -1 || write(fd, text, strlen(text)) != (ssize_t) strlen(text)) {
        _exit(1);
    }
    return fd;
}


static void __attribute__((noreturn))
rehearse(const char *script, bool terminal)
{
    size_t                  i;
    static codr_describe_t  description;

    description.terminal = terminal;
    for (i = 0; i < (size_t) self.argc; i++) {
        description.argv[i] = self.argv[i];
    }
    for (i = 0; environ[i] && i < CODR_DESCRIBE_ENV - 1; i++) {
        description.envp[i] = environ[i];
    }
    description.envp[i] = terminal ? NULL : strdup("PYTHONUNBUFFERED=1");
    (void) snprintf(self.path, sizeof(self.path), "/proc/self/fd/%d",
                    write_script(script));

    wake(false);
    if (prepare(&description) && settle() && codr_python_clone_fits()) {
        run();
    }
    _exit(1);
}


static void
rehearse_pipes(void)
{
    rehearse(HELLO, false);
}


static void
rehearse_terminal(void)
{
    rehearse(HELLO, true);
}


static void
rehearse_sample(void)
{
    rehearse(PyUnicode_AsUTF8(PyDict_GetItemString(self.helpers, "sample")),
             false);
}


/* The start */


static void
start_python(void)
{
    PyConfig config;
    PyStatus status;

    PyConfig_InitPythonConfig(&config);
    status = PyConfig_SetBytesArgv(&config, self.argc, self.argv);
    if (!PyStatus_Exception(status)) {
        status = Py_InitializeFromConfig(&config);
    }
    PyConfig_Clear(&config);

    if (PyStatus_Exception(status)) {
        die("start the interpreter");
    }
}


static bool
is_same_python(void)
{
    int major = 0, minor = 0;

    return sscanf(Py_GetVersion(), "%d.%d", &major, &minor) == 2
           && major == PY_MAJOR_VERSION && minor == PY_MINOR_VERSION;
}


static int
zygote_main(int argc, char **argv, char **envp)
{
    static const codr_interpreter_t image = {
        .fork = fork, .wake = wake, .prepare = prepare, .settle = settle,
        .fits = codr_python_clone_fits, .passes = true, .run = run,
    };

    codr_log_init("zygote", CODR_ZYGOTE_LOG);
    self.argc = argc;
    self.argv = argv;
    codr_zygote_block_find(envp);
    (void) unsetenv(LOADER);
    if (codr_python_clone_remember(environ) != 0) {
        die("remember the environment");
    }
    (void) snprintf(self.path, sizeof(self.path), "/box/%s",
                    argv[argc - 1]);

    if (!is_same_python()) {
        die("python3 has another version than codr was built for");
    }
    if (chdir("/box") == -1) {
        die("enter /box");
    }

    codr_python_text_enlarge();
    codr_python_heap_begin();
    start_python();
    load_helpers();
    must("begin");
    preload();
    must("warm");
    self.script = (codr_python_script_t) {
        .directory = "/box",
        .path = self.path,
        .loader = PyDict_GetItemString(self.helpers, "loader"),
        .collect = PyDict_GetItemString(self.helpers, "collect"),
    };
    if (codr_python_clone_ready(self.helpers) != 0
        || codr_python_end_ready(self.helpers) != 0
        || !codr_python_main_prepare(&self.script))
    {
        die("prepare for clones");
    }
    codr_python_hot_learn(rehearse_pipes);
    codr_python_hot_learn(rehearse_terminal);
    codr_python_hot_learn(rehearse_sample);
    codr_python_heap_enlarge();
    codr_python_hot_shed();
    if (!has_one_thread()) {
        die("the interpreter has more than one thread");
    }

    codr_zygote_serve(&image);
}


PUBLIC int
__libc_start_main(main_pt real_main, int argc, char **argv,
    void (*init)(void), void (*fini)(void), void (*rtld_fini)(void),
    void *stack_end)
{
    start_pt start;

    (void) real_main;
    *(void **) &start = dlsym(RTLD_NEXT, "__libc_start_main");

    return start(zygote_main, argc, argv, init, fini, rtld_fini, stack_end);
}
