/*
 * Makes system calls of running processes and of those they start do less
 * than they could, for t/long/short.t: reads and writes of streams transfer a
 * part, calls that may be interrupted are, calls that must not wait find
 * nothing.  Nothing is changed that a kernel might not do by itself.  What a
 * process executes is left alone.
 *
 *     short SEED KINDS PID ...
 *
 * KINDS are some of the letters s, i, a.  Who waits for edges of epoll, as
 * nginx, must not be given s or a: less than there was means to it that there
 * is no more.
 *
 * Says "ready" when it has them, goes on until its standard input ends, lets
 * them go, and says how many calls it changed, and how.
 */

#define _GNU_SOURCE

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#define TRACEES_MAX     4096
#define OPTIONS         (PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE \
                         | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK \
                         | PTRACE_O_TRACEEXEC)

typedef unsigned long word_t;

typedef enum {
    NOTHING = 0,
    SHORT,
    INTERRUPTED,
    AGAIN,
    KINDS
} kind_t;

typedef struct {
    pid_t   pid;                /* 0: free */
    bool    inside;             /* a call */
    kind_t  kind;
    word_t  rdi, rdx;           /* as they were */
    word_t  at[2], was[2];      /* words of its memory, likewise */
    int     words;
} tracee_t;

static tracee_t      tracee[TRACEES_MAX];
static unsigned long count[KINDS];
static bool          wanted[KINDS];


static tracee_t *
find(pid_t pid, bool add)
{
    size_t    i;
    tracee_t *empty = NULL;

    for (i = 0; i < TRACEES_MAX; i++) {
        if (tracee[i].pid == pid) {
            return &tracee[i];
        }
        if (tracee[i].pid == 0 && empty == NULL) {
            empty = &tracee[i];
        }
    }
    if (!add || empty == NULL) {
        return NULL;
    }

    memset(empty, 0, sizeof(*empty));
    empty->pid = pid;
    return empty;
}


/* Whether bytes may come in any pieces: a stream socket, a terminal, a memfd
   that is written, any file that is read, a pipe when they are many. */
static bool
is_stream(pid_t pid, int fd, bool writes, word_t len)
{
    int       pidfd, copy, type = 0;
    char      path[64], name[64];
    ssize_t   n;
    socklen_t size = sizeof(type);

    (void) snprintf(path, sizeof(path), "/proc/%d/fd/%d", pid, fd);
    n = readlink(path, name, sizeof(name) - 1);
    if (n < 0) {
        return false;
    }
    name[n] = '\0';

    if (strncmp(name, "pipe:", 5) == 0) {
        return len > PIPE_BUF;
    }
    if (strncmp(name, "/dev/p", 6) == 0 || strncmp(name, "/memfd:", 7) == 0) {
        return true;
    }
    if (strncmp(name, "socket:", 7) != 0) {
        return !writes && name[0] == '/';
    }

    pidfd = (int) syscall(SYS_pidfd_open, pid, 0);
    if (pidfd == -1) {
        return false;
    }
    copy = (int) syscall(SYS_pidfd_getfd, pidfd, fd, 0);
    (void) close(pidfd);
    if (copy == -1) {
        return false;
    }
    if (getsockopt(copy, SOL_SOCKET, SO_TYPE, &type, &size) == -1) {
        type = 0;
    }
    (void) close(copy);
    return type == SOCK_STREAM;
}


static word_t
peek(pid_t pid, word_t at)
{
    return (word_t) ptrace(PTRACE_PEEKDATA, pid, at, 0);
}


static void
replace(tracee_t *t, word_t at, word_t value)
{
    t->at[t->words] = at;
    t->was[t->words] = peek(t->pid, at);
    t->words++;
    (void) ptrace(PTRACE_POKEDATA, t->pid, at, value);
}


static word_t
part(word_t len)
{
    return 1 + (word_t) rand() % (rand() % 2 ? len : len < 9 ? len : 9);
}


/* The first of its pieces, and not all of that. */
static bool
cut_pieces(tracee_t *t, word_t iov, word_t pieces)
{
    word_t len = pieces ? peek(t->pid, iov + 8) : 0;

    if (len < 2 || len > 1 << 30) {
        return false;
    }

    replace(t, iov + 8, part(len));
    return true;
}


static bool
cut(tracee_t *t, struct user_regs_struct *r)
{
    int    fd = (int) r->rdi;
    bool   writes = r->orig_rax == SYS_write || r->orig_rax == SYS_sendto
                    || r->orig_rax == SYS_writev || r->orig_rax == SYS_sendmsg
                    || r->orig_rax == SYS_pwrite64;
    word_t msg = r->rsi;

    switch (r->orig_rax) {

    case SYS_read:
    case SYS_write:
    case SYS_pread64:
    case SYS_pwrite64:
    case SYS_recvfrom:
    case SYS_sendto:
        if (r->rdx < 2 || !is_stream(t->pid, fd, writes, r->rdx)) {
            return false;
        }
        r->rdx = part(r->rdx);
        return true;

    case SYS_readv:
    case SYS_writev:
        if (!is_stream(t->pid, fd, writes, 0)
            || !cut_pieces(t, r->rsi, r->rdx))
        {
            return false;
        }
        r->rdx = 1;
        return true;

    case SYS_sendmsg:
    case SYS_recvmsg:
        if (!is_stream(t->pid, fd, writes, 0)
            || !cut_pieces(t, peek(t->pid, msg + 16), peek(t->pid, msg + 24)))
        {
            return false;
        }
        replace(t, msg + 24, 1);
        return true;
    }

    return false;
}


static bool
may_be_interrupted(word_t call)
{
    return call == SYS_recvfrom || call == SYS_sendto || call == SYS_sendmsg
           || call == SYS_recvmsg || call == SYS_epoll_wait
           || call == SYS_epoll_pwait;
}


static bool
must_not_wait(const struct user_regs_struct *r)
{
    switch (r->orig_rax) {
    case SYS_recvfrom:
    case SYS_sendto:
        return r->r10 & MSG_DONTWAIT;
    case SYS_recvmsg:
    case SYS_sendmsg:
        return r->rdx & MSG_DONTWAIT;
    }

    return false;
}


static void
enter(tracee_t *t)
{
    int                     dice = rand() % 100;
    struct user_regs_struct r;

    t->kind = NOTHING;
    t->words = 0;
    if (dice >= 50 || ptrace(PTRACE_GETREGS, t->pid, 0, &r) == -1) {
        return;
    }
    t->rdi = r.rdi;
    t->rdx = r.rdx;

    if (dice < 6 && wanted[INTERRUPTED] && may_be_interrupted(r.orig_rax)) {
        t->kind = INTERRUPTED;
    } else if (dice < 10 && wanted[AGAIN] && must_not_wait(&r)) {
        t->kind = AGAIN;
    } else if (dice >= 10 && wanted[SHORT] && cut(t, &r)) {
        t->kind = SHORT;
    } else {
        return;
    }

    if (t->kind != SHORT) {
        r.rdi = (word_t) -1;            /* fails, and does nothing */
    }

    (void) ptrace(PTRACE_SETREGS, t->pid, 0, &r);
    count[t->kind]++;
}


static void
leave(tracee_t *t)
{
    struct user_regs_struct r;

    if (t->kind == NOTHING || ptrace(PTRACE_GETREGS, t->pid, 0, &r) == -1) {
        return;
    }

    while (t->words > 0) {
        t->words--;
        (void) ptrace(PTRACE_POKEDATA, t->pid, t->at[t->words],
                      t->was[t->words]);
    }
    r.rdi = t->rdi;
    r.rdx = t->rdx;
    if (t->kind == INTERRUPTED) {
        r.rax = (word_t) -EINTR;
    } else if (t->kind == AGAIN) {
        r.rax = (word_t) -EAGAIN;
    }
    (void) ptrace(PTRACE_SETREGS, t->pid, 0, &r);
    t->kind = NOTHING;
}


static void
stopped(pid_t pid, int status)
{
    int       sig = WSTOPSIG(status), event = status >> 16;
    tracee_t *t = find(pid, true);

    if (t == NULL) {
        (void) ptrace(PTRACE_DETACH, pid, 0, 0);
        return;
    }

    if (sig == (SIGTRAP | 0x80)) {
        t->inside = !t->inside;
        if (t->inside) {
            enter(t);
        } else {
            leave(t);
        }
        sig = 0;
    } else if (event == PTRACE_EVENT_EXEC) {
        (void) ptrace(PTRACE_DETACH, pid, 0, 0);
        t->pid = 0;
        return;
    } else if (event == PTRACE_EVENT_STOP && sig != SIGTRAP) {
        (void) ptrace(PTRACE_LISTEN, pid, 0, 0);
        return;
    } else if (event != 0) {
        sig = 0;
    }

    (void) ptrace(PTRACE_SYSCALL, pid, 0, sig);
}


/* Each at a stop of its own, outside of any call that was changed. */
static void
let_go(void)
{
    int    status;
    size_t i;

    for (i = 0; i < TRACEES_MAX; i++) {
        if (tracee[i].pid == 0) {
            continue;
        }
        (void) ptrace(PTRACE_INTERRUPT, tracee[i].pid, 0, 0);
        while (waitpid(tracee[i].pid, &status, __WALL) == tracee[i].pid
               && WIFSTOPPED(status))
        {
            if (WSTOPSIG(status) == (SIGTRAP | 0x80)) {
                tracee[i].inside = !tracee[i].inside;
                if (!tracee[i].inside) {
                    leave(&tracee[i]);
                }
            }
            if (tracee[i].kind == NOTHING && status >> 16) {
                (void) ptrace(PTRACE_DETACH, tracee[i].pid, 0, 0);
                break;
            }
            (void) ptrace(PTRACE_SYSCALL, tracee[i].pid, 0, 0);
            (void) ptrace(PTRACE_INTERRUPT, tracee[i].pid, 0, 0);
        }
    }
}


/* A child of the validator's lives for one verdict: it may have ended since
   somebody listed it. */
static bool
has_ended(pid_t pid)
{
    char  path[64], state = 'X';
    FILE *file;

    (void) snprintf(path, sizeof(path), "/proc/%d/stat", pid);
    file = fopen(path, "r");
    if (file) {
        (void) !fscanf(file, "%*d (%*[^)]) %c", &state);
        (void) fclose(file);
    }

    return state == 'Z' || state == 'X';
}


static void
child_came(int sig)
{
    (void) sig;
}


int
main(int argc, char **argv)
{
    int                    i, status;
    pid_t                  pid;
    sigset_t               set, none;
    struct pollfd          input = { .fd = 0, .events = POLLIN };
    const struct sigaction act = { .sa_handler = child_came };

    srand(argc > 1 ? (unsigned) atoi(argv[1]) : 1);
    (void) sigaction(SIGCHLD, &act, NULL);
    (void) sigemptyset(&none);
    (void) sigemptyset(&set);
    (void) sigaddset(&set, SIGCHLD);
    (void) sigprocmask(SIG_BLOCK, &set, NULL);

    if (argc > 2) {
        wanted[SHORT] = strchr(argv[2], 's') != NULL;
        wanted[INTERRUPTED] = strchr(argv[2], 'i') != NULL;
        wanted[AGAIN] = strchr(argv[2], 'a') != NULL;
    }

    for (i = 3; i < argc; i++) {
        pid = atoi(argv[i]);
        if (ptrace(PTRACE_SEIZE, pid, 0, OPTIONS) == -1
            || ptrace(PTRACE_INTERRUPT, pid, 0, 0) == -1)
        {
            if (has_ended(pid)) {
                continue;
            }
            (void) fprintf(stderr, "%s cannot be traced\n", argv[i]);
            return 1;
        }
        (void) find(pid, true);
    }
    (void) printf("ready\n");
    (void) fflush(stdout);

    for ( ;; ) {
        while ((pid = waitpid(-1, &status, WNOHANG | __WALL)) > 0) {
            if (WIFSTOPPED(status)) {
                stopped(pid, status);
            } else {
                tracee_t *t = find(pid, false);

                if (t) {
                    t->pid = 0;
                }
            }
        }
        if (ppoll(&input, 1, NULL, &none) > 0) {
            break;
        }
    }

    let_go();
    (void) printf("short %lu interrupted %lu again %lu\n", count[SHORT],
                  count[INTERRUPTED], count[AGAIN]);
    return 0;
}
