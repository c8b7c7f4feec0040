/*
 * A clone has one thread; node has half a dozen, all of which wait for work
 * when it is about to open its script.  A signal's frame on a thread's own
 * stack has all of its registers, and its thread local storage is memory like
 * any other: so each of them ends inside a signal handler, and in a clone a
 * new thread with the old one's storage returns from that handler.  What it
 * was waiting in says then that it was interrupted.
 *
 * Must not park a thread anywhere but in a system call: only there it is sure
 * to hold none of the C library's locks.
 */

#define _GNU_SOURCE

#include "codr_node_threads.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/rseq.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include "codr_util.h"

#ifdef __x86_64__

#define THREADS_MAX     64
#define SIGNAL          32          /* the C library's: nobody can block it */
#define SLEEPING_TRIES  20000
#define REST            "\x0f\x05"  /* the instruction of a system call */

typedef struct {
    void   *frame;                  /* where rt_sigreturn finds it */
    char   *storage;                /* its pthread_t */
    bool    waits;
} thread_t;

/* The kernel's, as the C library keeps this signal for itself. */
typedef struct {
    void         *handler;
    unsigned long flags;
    void         *restorer;
    unsigned long mask;
} action_t;

static thread_t      threads[THREADS_MAX];
static atomic_int    count;
static const char   *thread_name;

long codr_node_thread_clone(long flags, void *frame, void *parent_tid,
    void *child_tid, void *storage);
void codr_node_thread_begin(void);

/*
 * clone(), whose child begins with its stack in front of the frame and ends as
 * if the handler had returned.
 */
__asm__(".text\n"
        ".type codr_node_thread_clone, @function\n"
        "codr_node_thread_clone:\n"
        "    push %r12\n"
        "    mov  %rsi, %r12\n"
        "    mov  %rcx, %r10\n"
        "    mov  $56, %eax\n"
        "    syscall\n"
        "    test %rax, %rax\n"
        "    jz   1f\n"
        "    pop  %r12\n"
        "    ret\n"
        "1:  and  $-16, %rsp\n"
        "    sub  $256, %rsp\n"
        "    call codr_node_thread_begin\n"
        "    mov  %r12, %rsp\n"
        "    mov  $15, %eax\n"
        "    syscall\n"
        "    hlt\n"
        ".size codr_node_thread_clone, . - codr_node_thread_clone\n");


/* What a thread of the C library's does first, and the kernel forgets. */
void
codr_node_thread_begin(void)
{
    char *rseq = (char *) pthread_self() + __rseq_offset;

    if (__rseq_size > 0) {
        (void) syscall(SYS_rseq, rseq, 32, 0, RSEQ_SIG);
    }
    (void) prctl(PR_SET_NAME, thread_name, 0, 0, 0);
}


/* Behind the instruction, or at it, when the call is to be made again. */
static bool
in_system_call(const ucontext_t *context)
{
    const char *at = (const char *) context->uc_mcontext.gregs[REG_RIP];

    return memcmp(at - 2, REST, 2) == 0 || memcmp(at, REST, 2) == 0;
}


static void
end_here(int signo, siginfo_t *info, void *context)
{
    int i = atomic_fetch_add(&count, 1);

    (void) signo;
    (void) info;

    if (i < THREADS_MAX) {
        threads[i] = (thread_t) {
            context, (char *) pthread_self(), in_system_call(context),
        };
    }

    /* as _exit() would end them all */
    (void) syscall(SYS_exit, 0);
}


/* How many other threads there are, each of them asked something; negative
   when one does not sleep. */
static int
each_other(bool signal)
{
    int            n = 0, tid;
    DIR           *dir = opendir("/proc/self/task");
    char           path[300], text[256];
    FILE          *file;
    struct dirent *entry;

    while (dir && n >= 0 && (entry = readdir(dir)) != NULL) {
        tid = atoi(entry->d_name);
        if (tid <= 0 || tid == getpid()) {
            continue;
        }
        if (signal) {
            (void) syscall(SYS_tgkill, getpid(), tid, SIGNAL);
            n++;
            continue;
        }
        (void) snprintf(path, sizeof(path), "/proc/self/task/%d/stat", tid);
        file = fopen(path, "re");
        if (file == NULL || fgets(text, sizeof(text), file) == NULL
            || strstr(text, ") S ") == NULL)
        {
            n = -1;
        } else {
            n++;
        }
        if (file) {
            (void) fclose(file);
        }
    }

    if (dir) {
        (void) closedir(dir);
    }
    return n;
}


/* True when there are so many others, all asleep. */
static bool
wait_for(int others)
{
    int i, n;

    for (i = 0; i < SLEEPING_TRIES; i++) {
        n = each_other(false);
        if (n >= 0 && (others < 0 || n == others)) {
            return true;
        }
        (void) usleep(100);     /* the kernel says nothing of either */
    }

    return false;
}


int
codr_node_threads_park(void)
{
    int            i, n;
    action_t       before;
    const action_t action = {
        .handler = (void *) (uintptr_t) end_here,
        .flags = SA_SIGINFO | SA_RESTART | 0x04000000,  /* SA_RESTORER */
        .restorer = (void *) (uintptr_t) end_here,      /* never returns */
        .mask = ~0UL,
    };

    if (!wait_for(-1)) {
        return -EBUSY;
    }
    if (syscall(SYS_rt_sigaction, SIGNAL, &action, &before, 8) == -1) {
        return -errno;
    }
    n = each_other(true);
    if (n > THREADS_MAX || !wait_for(0) || atomic_load(&count) != n) {
        return -EBUSY;
    }
    (void) syscall(SYS_rt_sigaction, SIGNAL, &before, NULL, 8);

    for (i = 0; i < n; i++) {
        if (!threads[i].waits) {
            return -EBUSY;
        }
    }

    return 0;
}


int
codr_node_threads_revive(const char *name)
{
    int    i;
    int   *tid;
    long   rc, tid_at;
    void  *where;

    /* the kernel knows where the C library keeps a thread's number */
    if (prctl(PR_GET_TID_ADDRESS, &tid, 0, 0, 0) == -1) {
        return -errno;
    }
    tid_at = (char *) tid - (char *) pthread_self();
    thread_name = name;

    for (i = 0; i < atomic_load(&count); i++) {
        where = threads[i].storage + tid_at;
        rc = codr_node_thread_clone(CLONE_VM | CLONE_FS | CLONE_FILES
                                    | CLONE_SYSVSEM | CLONE_SIGHAND
                                    | CLONE_THREAD | CLONE_SETTLS
                                    | CLONE_PARENT_SETTID
                                    | CLONE_CHILD_CLEARTID,
                                    threads[i].frame, where, where,
                                    threads[i].storage);
        if (rc < 0) {
            return (int) rc;
        }
    }

    return 0;
}


void
codr_node_threads_unblock(int signo)
{
    int         i;
    ucontext_t *context;

    for (i = 0; i < atomic_load(&count); i++) {
        context = threads[i].frame;
        (void) sigdelset(&context->uc_sigmask, signo);
    }
}

#else


int
codr_node_threads_park(void)
{
    return -ENOSYS;
}


int
codr_node_threads_revive(const char *name)
{
    (void) name;
    return -ENOSYS;
}


void
codr_node_threads_unblock(int signo)
{
    (void) signo;
}

#endif
