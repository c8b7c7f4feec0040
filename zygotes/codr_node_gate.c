/*
 * What node does between its start and the first line of a program is its own
 * JavaScript, and looks for files: it asks whether there is a script, what its
 * path is without links, and for package.json along that.  A file that is not
 * there it learns of as ever.  To open one that is there would be to read what
 * a client has written, and waits.
 *
 * That does not rest on our having seen each way to open a file: the kernel
 * gives the process no descriptor meanwhile.  A node that goes another way than
 * through here fails, and codr_node_test.c sees that.
 */

#define _GNU_SOURCE

#include "codr_node_gate.h"

#include <errno.h>
#include <linux/fcntl.h>     /* the C library's declares what is here */
#include <pthread.h>
#include <stdarg.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "codr_waiting.h"

#define PUBLIC      __attribute__((visibility("default")))

/* Standard streams stay; poll() wants at least as many. */
#define NO_MORE     (STDERR_FILENO + 1)

int open64(const char *path, int flags, ...);
int openat64(int dir, const char *path, int flags, ...);
int open(const char *path, int flags, ...);
int openat(int dir, const char *path, int flags, ...);

static bool             closed;
static void           (*after)(void);
static struct rlimit    before;
static pthread_mutex_t  one = PTHREAD_MUTEX_INITIALIZER;


static bool
is_closed(void)
{
    return __atomic_load_n(&closed, __ATOMIC_ACQUIRE);
}


int
codr_node_gate_close(void (*passed)(void))
{
    struct rlimit none;

    if (getrlimit(RLIMIT_NOFILE, &before) == -1) {
        return -errno;
    }

    none = before;
    none.rlim_cur = NO_MORE;
    if (setrlimit(RLIMIT_NOFILE, &none) == -1) {
        return -errno;
    }

    after = passed;
    __atomic_store_n(&closed, true, __ATOMIC_RELEASE);
    return 0;
}


/* A thread that comes second waits for the first. */
void
codr_node_gate_pass(void)
{
    if (!is_closed()) {
        return;
    }

    (void) pthread_mutex_lock(&one);
    if (closed) {
        codr_waiting_pass();
        if (setrlimit(RLIMIT_NOFILE, &before) == -1) {
            _exit(127);
        }
        after();
        __atomic_store_n(&closed, false, __ATOMIC_RELEASE);
    }
    (void) pthread_mutex_unlock(&one);
}


/* Whether that is sure without a look into the file. */
static bool
is_missing(int dir, const char *path, int flags)
{
    return (flags & ~(O_CLOEXEC | O_LARGEFILE)) == O_RDONLY
           && syscall(SYS_faccessat, dir, path, F_OK) == -1 && errno == ENOENT;
}


bool
codr_node_gate_opens(int dir, const char *path, int flags)
{
    if (is_closed()) {
        if (is_missing(dir, path, flags)) {
            return false;
        }
        codr_node_gate_pass();
    }

    return true;
}


/* The interpreter's ways to a file are one, which asks here: syscall(). */


static mode_t
mode_of(int flags, va_list list)
{
    return flags & (O_CREAT | __O_TMPFILE) ? va_arg(list, mode_t) : 0;
}


PUBLIC int
open64(const char *path, int flags, ...)
{
    mode_t  mode;
    va_list list;

    va_start(list, flags);
    mode = mode_of(flags, list);
    va_end(list);

    return (int) syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}


PUBLIC int
openat64(int dir, const char *path, int flags, ...)
{
    mode_t  mode;
    va_list list;

    va_start(list, flags);
    mode = mode_of(flags, list);
    va_end(list);

    return (int) syscall(SYS_openat, dir, path, flags, mode);
}


PUBLIC int open(const char *path, int flags, ...)
    __attribute__((alias("open64")));
PUBLIC int openat(int dir, const char *path, int flags, ...)
    __attribute__((alias("openat64")));
