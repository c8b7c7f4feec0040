/*
 * Runs codr_node_warm.js, between two of the interpreter's own steps, with
 * what has to be around it: a pipe, and a turn of the loop, in which the
 * stream on it is closed.
 */

#define _GNU_SOURCE

#include "codr_node_warm.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "codr_node_state.h"
#include "codr_node_v8.h"
#include "codr_util.h"

#define ROOM        (256 * 1024)    /* in the pipe */
#define RUN_NOWAIT  2               /* of libuv */
#define FILES       128             /* numbers that are looked at */
#define NULL_DEVICE makedev(1, 3)

static double *counter;             /* of asynchronous resources */
static double  unused;              /* what it was */
static bool    loaded;              /* streams are */

/* codr_node_warm.js, and a NUL. */
__asm__(".section .rodata\n"
        "codr_node_warm_text: .incbin \"codr_node_warm.js\"\n"
        ".byte 0\n"
        ".previous\n");

extern const char text[] __asm__("codr_node_warm_text");


static void
turn_loop(void)
{
    void  *(*loop)(void);
    int    (*run)(void *loop, int mode);

    *(void **) &loop = dlsym(RTLD_DEFAULT, "uv_default_loop");
    *(void **) &run = dlsym(RTLD_DEFAULT, "uv_run");
    if (loop && run) {
        (void) run(loop(), RUN_NOWAIT);
    }
    (void) codr_node_v8_run("process._tickCallback()");
}


static bool
run_with(int fd, int times)
{
    char  *call = NULL;
    size_t len = strlen(text);
    bool   done;

    while (len > 0 && text[len - 1] == '\n') {
        len--;
    }
    if (asprintf(&call, "%.*s(%d, %d)", (int) len, text, fd, times) == -1) {
        return false;
    }

    done = codr_node_v8_run(call);
    free(call);
    return done;
}


/*
 * What it takes to make a stream is loaded when there is none yet, and an older
 * node hands no modules out.  It keeps no stream that it could not open: a
 * descriptor that only names a pipe cannot be.
 */
static void
load_streams(int pipe)
{
    int  name, before = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, pipe);
    char path[64];

    (void) snprintf(path, sizeof(path), "/proc/self/fd/%d", pipe);
    name = open(path, O_PATH | O_CLOEXEC);

    if (name >= 0 && before >= 0) {
        (void) dup2(name, STDOUT_FILENO);
        (void) codr_node_v8_run("try { console._stdout } catch { }");
        (void) dup2(before, STDOUT_FILENO);
    }
    codr_close(&name);
    codr_close(&before);
}


/* Node 20 forgets to close a file without extension that it is to load. */
static void
close_forgotten(const bool *known)
{
    int         fd;
    struct stat info;

    for (fd = 0; fd < FILES; fd++) {
        if (!known[fd] && fstat(fd, &info) == 0 && S_ISCHR(info.st_mode)
            && info.st_rdev == NULL_DEVICE)
        {
            (void) close(fd);
        }
    }
}


bool
codr_node_warm(int times)
{
    int  fd, fds[2];
    bool done, known[FILES];

    for (fd = 0; fd < FILES; fd++) {
        known[fd] = fcntl(fd, F_GETFD) != -1;
    }

    if (pipe2(fds, O_CLOEXEC) == -1) {
        return false;
    }
    if (!loaded) {
        loaded = true;
        load_streams(fds[1]);
    }
    (void) fcntl(fds[0], F_SETPIPE_SZ, ROOM);

    done = run_with(fds[1], times);
    turn_loop();
    (void) close(fds[0]);
    (void) close(fds[1]);       /* unless its stream has done that */
    close_forgotten(known);

    return done;
}


static void
use_one(void)
{
    (void) codr_node_v8_run("process.nextTick(() => {});"
                            " process._tickCallback()");
}


void
codr_node_warm_count(void)
{
    counter = codr_node_state_counter(use_one, &unused);
}


void
codr_node_warm_forget(void)
{
    if (counter) {
        *counter = unused;
    }
}
