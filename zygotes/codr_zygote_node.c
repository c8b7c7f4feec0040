/*
 * The node zygote: a library that is preloaded into the language's own node
 * and lets it start as ever, until it asks the kernel for its script: there
 * the process waits to be cloned, in the middle of that call, and a clone that
 * has become a program returns from it.  So nothing in the interpreter is
 * replaced, and it ends as it does; it does not know what happened meanwhile.
 * What must be different in each clone is put right in the others of these
 * files.
 *
 * Functions of the C library that stand here are the interpreter's way out to
 * the kernel: it finds ours first.
 */

#define _GNU_SOURCE

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "codr_log.h"
#include "codr_node_end.h"
#include "codr_node_files.h"
#include "codr_node_gate.h"
#include "codr_node_hot.h"
#include "codr_node_pages.h"
#include "codr_node_state.h"
#include "codr_node_test.h"
#include "codr_node_threads.h"
#include "codr_node_times.h"
#include "codr_node_v8.h"
#include "codr_node_warm.h"
#include "codr_util.h"
#include "codr_waiting.h"
#include "codr_zygote.h"
#include "codr_zygote_block.h"
#include "codr_zygote_serve.h"

#define PUBLIC          __attribute__((visibility("default")))
#define LOADER          "LD_PRELOAD"
#define NAME            "node"
#define ARGUMENTS_MAX   32768       /* bytes of those of a job, as text */
#define PRETENDED_S     1000        /* a test has waited for so long */

typedef int (*main_pt)(int argc, char **argv, char **envp);
typedef int (*start_pt)(main_pt main, int argc, char **argv,
    void (*init)(void), void (*fini)(void), void (*rtld_fini)(void),
    void *stack_end);

int __libc_start_main(main_pt real_main, int argc, char **argv,
    void (*init)(void), void (*fini)(void), void (*rtld_fini)(void),
    void *stack_end);

typedef enum {
    STATE_STARTING = 0,
    STATE_WAITING,
    STATE_RUNNING               /* a program's */
} state_t;

/* What the process is for. */
typedef enum {
    MODE_ZYGOTE = 0,
    MODE_TEST,                  /* to say whether it can be parked */
    MODE_PARKED
} node_mode_t;

typedef struct {
    node_mode_t             mode;
    bool                    pretends;   /* it has started long ago */
    state_t                 state;
    int                     argc;
    char                  **argv;
    char                  **plain;      /* environment, without ours */
    main_pt                 main;
    uint64_t                stopped;    /* ns of the monotonic clock */
    bool                    sound;      /* a clone has all it needs */
    sigjmp_buf              back;
    const codr_describe_t  *description;
    char                    script[PATH_MAX];
    char                    text[ARGUMENTS_MAX];
} node_t;

static node_t self;

static void __attribute__((noreturn))
die(int error, const char *tried)
{
    codr_log(CODR_LEVEL_WARNING, error, "node: %s", tried);
    _exit(EXIT_FAILURE);
}


static uint64_t
now_ns(void)
{
    struct timespec now = { 0 };

    (void) syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now);
    return (uint64_t) now.tv_sec * 1000000000 + (uint64_t) now.tv_nsec;
}


/* In the clones */


/* What it is called with may be any number that it has in its namespace. */
static bool
set_pid(void)
{
    char text[128];

    (void) snprintf(text, sizeof(text), "Object.defineProperty(process,"
                    " 'pid', { value: %d }) === process", (int) getpid());
    return codr_node_v8_run(text);
}


static void
wake(bool spare)
{
    self.state = STATE_RUNNING;
    self.sound = codr_node_files_remake() == 0
                 && codr_node_state_reseed() == 0
                 && codr_node_threads_revive(NAME) == 0
                 && set_pid();

    if (spare && self.sound) {
        self.sound = codr_node_warm(1);
    }
}


/* Variables that mean something to an interpreter or a library that starts. */
static bool
decides(const char *item)
{
    size_t i;

    static const char *const starts[] = {
        "NODE", "UV_", "SSL_", "OPENSSL", "ICU_", "LC_", "LANG", "TZ=", "LD_",
        "MALLOC_", "GLIBC_",
    };

    for (i = 0; i < CODR_ARRAY_LEN(starts); i++) {
        if (strncmp(item, starts[i], strlen(starts[i])) == 0) {
            return true;
        }
    }

    return false;
}


static bool
has_deciding(char *const *some, char *const *all)
{
    char *const *item;

    for ( ; *some; some++) {
        if (!decides(*some)) {
            continue;
        }
        for (item = all; *item && strcmp(*item, *some) != 0; item++) {
            continue;
        }
        if (*item == NULL) {
            return false;
        }
    }

    return true;
}


/* The job's arguments, as text that adds them.  False when that is long. */
static bool
write_arguments(char *const *args)
{
    size_t      used;
    const char *c;

    used = (size_t) snprintf(self.text, sizeof(self.text),
                             "process.argv.push(");
    for ( ; *args; args++) {
        if (used + 6 * strlen(*args) + 16 > sizeof(self.text)) {
            return false;
        }
        self.text[used++] = '"';
        for (c = *args; *c; c++) {
            if ((unsigned char) *c < ' ' || *c == '"' || *c == '\\') {
                used += (size_t) snprintf(self.text + used, 7, "\\u%04x", *c);
            } else {
                self.text[used++] = *c;
            }
        }
        self.text[used++] = '"';
        self.text[used++] = ',';
    }
    (void) snprintf(self.text + used, sizeof(self.text) - used, ") > 0");

    return true;
}


static bool
prepare(const codr_describe_t *description)
{
    char *const *args = description->argv + self.argc;

    self.description = description;
    self.text[0] = '\0';

    return self.sound
           && codr_zygote_begins(description->argv, self.argc, self.argv)
           && has_deciding(description->envp, self.plain)
           && has_deciding(self.plain, description->envp)
           && (*args == NULL || write_arguments(args));
}


static bool
fits(void)
{
    return self.text[0] == '\0' || codr_node_v8_run(self.text);
}


static void
unblock_signals(void)
{
    sigset_t none;

    (void) sigemptyset(&none);
    (void) sigprocmask(SIG_SETMASK, &none, NULL);
}


/* Time that has passed is nobody's. */
static void
catch_up(void)
{
    uint64_t  now = now_ns();
    void  *(*loop)(void);
    void   (*update)(void *loop);

    codr_node_times_shift(now - self.stopped);
    self.stopped = now;

    *(void **) &loop = dlsym(RTLD_DEFAULT, "uv_default_loop");
    *(void **) &update = dlsym(RTLD_DEFAULT, "uv_update_time");
    update(loop());
}


static void __attribute__((noreturn))
run(void)
{
    if (codr_waiting_is_held()) {
        unblock_signals();
        if (codr_node_gate_close(catch_up) != 0) {
            codr_waiting_pass();
        }
    }

    siglongjmp(self.back, 1);
}


static bool
has_loop(void)
{
    return dlsym(RTLD_DEFAULT, "uv_default_loop") != NULL
           && dlsym(RTLD_DEFAULT, "uv_update_time") != NULL;
}


/* The interpreter goes on as if it had just come here. */
static void
begin(void)
{
    codr_zygote_block_replace(self.description ? self.description->envp
                                               : self.plain);
    catch_up();
    codr_node_warm_forget();
    codr_node_end_arm();
}


/* A node that is parked */


/* It has what is its own; what it knows of the time is all that is old. */
static void
park(void)
{
    static codr_interpreter_t interpreter = {
        .prepare = prepare, .fits = fits, .run = run, .passes = true,
        .threads = true,
    };

    self.sound = has_loop() && codr_node_v8_open()
                 && codr_node_times_find() == 0;
    if (self.sound) {
        codr_node_warm_count();
        codr_node_end_find();
        self.sound = codr_node_warm(1);
    }
    if (self.pretends) {
        self.stopped -= PRETENDED_S * UINT64_C(1000000000);
    }

    if (sigsetjmp(self.back, 0) == 0) {
        codr_waiting_park(&interpreter);
    }
    begin();
}


/* The zygote */


static void
keep_environment(char **envp)
{
    size_t i, n = 0;

    for (i = 0; envp[i]; i++) {
        continue;
    }
    self.plain = calloc(i + 1, sizeof(*self.plain));
    for (i = 0; self.plain && envp[i]; i++) {
        if (strncmp(envp[i], LOADER "=", sizeof(LOADER)) != 0
            && strncmp(envp[i], "CODR_", 5) != 0)
        {
            self.plain[n++] = strdup(envp[i]);
        }
    }
}


static void
block_signals(void)
{
    sigset_t all;

    (void) sigfillset(&all);
    (void) sigprocmask(SIG_SETMASK, &all, NULL);
}


/* A collection forgets what it takes for a cache: each clone would make it
   again for itself. */
static bool
warm_once_more(void)
{
    codr_node_v8_collect();

    return codr_node_warm(1);
}


static void
get_ready(void)
{
    int rc;

    if (!codr_node_v8_open() || !has_loop()) {
        die(0, "this version has not what a zygote needs");
    }
    codr_node_warm_count();
    codr_node_end_find();
    if (!codr_node_warm(CODR_NODE_WARM_WELL) || !warm_once_more()) {
        die(0, "do what programs do");
    }

    block_signals();
    rc = codr_node_threads_park();
    if (rc == 0) {
        rc = codr_node_files_plan(CODR_ZYGOTE_FDS);
    }
    if (rc == 0) {
        rc = codr_node_times_find();
    }
    if (rc == 0) {
        rc = codr_node_state_find();
    }
    if (rc != 0) {
        die(-rc, "find what a clone needs of its own");
    }
}


static void
wait_here(void)
{
    static codr_interpreter_t image = {
        .fork = _Fork, .wake = wake, .prepare = prepare, .fits = fits,
        .run = run, .shed = codr_node_pages_shed, .passes = true,
        .threads = true,
    };

    self.state = STATE_WAITING;
    self.stopped = now_ns();

    if (self.mode == MODE_PARKED) {
        park();
        self.state = STATE_RUNNING;
        return;
    }
    if (self.mode == MODE_TEST) {
        codr_zygote_serve_test(codr_node_test(NULL, self.argv, self.plain));
    }

    get_ready();
    image.own_first = CODR_ZYGOTE_FDS;
    image.own_last = codr_node_files_last();

    if (sigsetjmp(self.back, 0) == 0) {
        codr_node_hot_plan();
        image.passes = codr_node_test(&image, self.argv, self.plain);
        if (!image.passes && !codr_node_test(&image, self.argv, self.plain)) {
            codr_zygote_serve_not();
        }
        codr_node_pages_drop();
        codr_node_hot_keep();
        codr_node_pages_plan();
        codr_zygote_serve(&image);
    }
    begin();
}


static bool
is_script(const char *path)
{
    return self.state == STATE_STARTING && path && self.script[0]
           && strcmp(path, self.script) == 0;
}


static int
zygote_main(int argc, char **argv, char **envp)
{
    if (self.mode == MODE_PARKED) {
        (void) close(CODR_PARKED_LIBRARY);
        (void) fcntl(CODR_PARKED_SOCKET, F_SETFD, FD_CLOEXEC);
    } else {
        codr_log_init("zygote", CODR_ZYGOTE_LOG);
    }
    self.argc = argc;
    self.argv = argv;
    codr_zygote_block_find(envp);
    keep_environment(envp);
    (void) unsetenv(LOADER);
    (void) unsetenv(CODR_PARKED);

    if (chdir("/box") == -1) {
        die(errno, "enter /box");
    }
    (void) snprintf(self.script, sizeof(self.script), "/box/%s",
                    argv[argc - 1]);

    /* as in a program: the threads it starts inherit them */
    unblock_signals();

    return self.main(argc, argv, envp);
}


/* The interpreter's way to the kernel.  Libraries are on it before main(). */


static void
read_mode(void)
{
    const char *parked = getenv(CODR_PARKED);

    if (self.main) {
        return;                 /* it is known, and the environment a job's */
    }

    if (parked) {
        self.mode = MODE_PARKED;
        self.pretends = strcmp(parked, "test") == 0;
    } else if (getenv(CODR_ZYGOTE_TEST)) {
        self.mode = MODE_TEST;
    }
}


PUBLIC int
__libc_start_main(main_pt real_main, int argc, char **argv,
    void (*init)(void), void (*fini)(void), void (*rtld_fini)(void),
    void *stack_end)
{
    start_pt start;

    read_mode();
    self.main = real_main;
    *(void **) &start = dlsym(RTLD_NEXT, "__libc_start_main");

    return start(zygote_main, argc, argv, init, fini, rtld_fini, stack_end);
}


/* libuv asks for a file like this, as old C libraries have no statx(). */
PUBLIC long
syscall(long number, ...)
{
    static long (*next)(long number, ...);

    int     i;
    long    args[6];
    va_list list;

    if (next == NULL) {
        *(void **) &next = dlsym(RTLD_NEXT, "syscall");
    }

    va_start(list, number);
    for (i = 0; i < 6; i++) {
        args[i] = va_arg(list, long);
    }
    va_end(list);

    if (number == SYS_statx && is_script((const char *) args[1])) {
        wait_here();
    } else if (number == SYS_openat
               && !codr_node_gate_opens((int) args[0], (const char *) args[1],
                                        (int) args[2]))
    {
        return -1;
    }

    return next(number, args[0], args[1], args[2], args[3], args[4], args[5]);
}


PUBLIC int
statx(int dir, const char *restrict path, int flags, unsigned mask,
    struct statx *restrict ret)
{
    return (int) syscall(SYS_statx, dir, path, flags, mask, ret);
}


/* V8 keeps its heaps out of forks, which would be the end of a clone. */
PUBLIC int
madvise(void *start, size_t len, int advice)
{
    if (advice == MADV_DONTFORK && self.state != STATE_RUNNING) {
        return 0;
    }

    return (int) syscall(SYS_madvise, start, len, advice);
}


PUBLIC int
clock_gettime(clockid_t clock, struct timespec *ret)
{
    static int (*next)(clockid_t, struct timespec *);

    int rc;

    if (next == NULL) {
        *(void **) &next = dlsym(RTLD_NEXT, "clock_gettime");
        read_mode();
    }

    rc = next(clock, ret);
    if (self.state == STATE_STARTING && rc == 0) {
        if (self.pretends && clock != CLOCK_PROCESS_CPUTIME_ID
            && clock != CLOCK_THREAD_CPUTIME_ID)
        {
            ret->tv_sec -= PRETENDED_S;
        }
        if (clock == CLOCK_MONOTONIC) {
            codr_node_times_saw_clock((uint64_t) ret->tv_sec * 1000000000
                                      + (uint64_t) ret->tv_nsec);
        } else if (clock == CLOCK_REALTIME) {
            codr_node_times_saw_day(1e6 * (double) ret->tv_sec
                                    + (double) (ret->tv_nsec / 1000));
        }
    }

    return rc;
}


PUBLIC int
gettimeofday(struct timeval *restrict ret, void *restrict zone)
{
    static int (*next)(struct timeval *, void *);

    int rc;

    if (next == NULL) {
        *(void **) &next = dlsym(RTLD_NEXT, "gettimeofday");
        read_mode();
    }

    rc = next(ret, zone);
    if (self.state == STATE_STARTING && rc == 0) {
        ret->tv_sec -= self.pretends ? PRETENDED_S : 0;
        codr_node_times_saw_day(1e6 * (double) ret->tv_sec
                                + (double) ret->tv_usec);
    }

    return rc;
}
