/*
 * From fork to exec.  The child shares init's memory until it executes
 * (CLONE_VM and CLONE_VFORK: no page table is copied for nothing), which is
 * safe because init has one thread, sleeps meanwhile, is not dumpable, and
 * nothing of the job's runs before the exec.  So the child must only use its
 * own stack and the outcome it reports into, allocate nothing, and leave by
 * exec or _exit.
 *
 * One that is prepared sleeps where init goes on, and the other way round: in
 * between it is in a read() that only init's word, or its end, returns from.
 */

#define _GNU_SOURCE

#include "codr_program.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "codr_rlim.h"
#include "codr_util.h"
#include "codr_zygote.h"

#define STACK_SIZE      (64 * 1024)

typedef struct {
    const codr_program_t  *program;
    uint32_t               step;
    int                    error;       /* positive errno; 0: executed */
    int                    gate[2];     /* init's end, and its own; or -1 */
} outcome_t;

typedef struct {
    uint32_t   step;
    int      (*run)(const codr_program_t *program);
} step_t;

static char                stack[STACK_SIZE] __attribute__((aligned(16)));
static volatile outcome_t  prepared;


/* With a terminal the session is init's (codr_terminal_control()). */
static int
start_session(const codr_program_t *program)
{
    if (program->limits->flags & CODR_SPAWN_TERMINAL) {
        return setpgid(0, 0) == -1 ? -errno : 0;
    }

    return setsid() == -1 ? -errno : 0;
}


/* A group that is not in front is stopped for asking, unless it blocks the
   signal. */
static int
come_to_front(int terminal)
{
    int      rc;
    sigset_t stop, before;

    (void) sigemptyset(&stop);
    (void) sigaddset(&stop, SIGTTOU);
    (void) sigprocmask(SIG_BLOCK, &stop, &before);
    rc = tcsetpgrp(terminal, getpid()) == -1 ? -errno : 0;
    (void) sigprocmask(SIG_SETMASK, &before, NULL);

    return rc;
}


static int
attach_stdio(const codr_program_t *program)
{
    int i, fd, last = 2;

    if (program->terminal >= 0) {
        fd = come_to_front(program->terminal);
        if (fd < 0) {
            return fd;
        }
    }

    for (i = 0; i < 3; i++) {
        fd = program->terminal >= 0 ? program->terminal : program->stdio[i];
        if (dup2(fd, i) == -1) {
            return -errno;
        }
    }

    /* what stood there is init's, and a copy here */
    if (program->headers >= 0
        && dup2(program->headers, ++last) == -1)
    {
        return -errno;
    }

    /* everything else ends at exec, the artefact's descriptor included */
    return close_range((unsigned) last + 1, ~0U, CLOSE_RANGE_CLOEXEC) == -1
           ? -errno : 0;
}


/* Before its limits, which may be below these numbers. */
static int
keep_parked(const codr_program_t *program)
{
    const codr_program_parked_t *parked = program->parked;

    return parked
           && (dup2(parked->sock, CODR_PARKED_SOCKET) == -1
               || dup2(parked->library, CODR_PARKED_LIBRARY) == -1)
           ? -errno : 0;
}


static int
apply_limits(const codr_program_t *program)
{
    return program->limits
           ? codr_rlim_apply(program->limits, program->limit_data) : 0;
}


static int
restrict_files(const codr_program_t *program)
{
    return program->landlock
           ? codr_landlock_restrict(program->landlock, program->rules) : 0;
}


/* The value of PATH in an environment; an empty string when it has none. */
static const char *
find_path(char *const *envp)
{
    for ( ; *envp; envp++) {
        if (strncmp(*envp, "PATH=", 5) == 0) {
            return *envp + 5;
        }
    }

    return "";
}


/* The next candidate "dir/name" of a PATH; false at its end. */
static bool
next_candidate(const char **path, const char *name, char file[PATH_MAX])
{
    size_t dir, len = strlen(name);

    while (**path) {
        dir = strcspn(*path, ":");
        if (dir > 0 && dir + 1 + len < PATH_MAX) {
            memcpy(file, *path, dir);
            file[dir] = '/';
            memcpy(file + dir + 1, name, len + 1);
        } else {
            file[0] = '\0';
        }
        *path += dir;
        *path += **path == ':';
        if (file[0]) {
            return true;
        }
    }

    return false;
}


/*
 * As execvpe(), but with the PATH of the environment given, and without
 * handing a file the kernel does not know to a shell.
 */
static int
execute_by_name(const codr_program_t *program)
{
    int         error = ENOENT;
    char        file[PATH_MAX];
    const char *name = program->argv[0], *path = find_path(program->envp);

    if (strchr(name, '/')) {
        (void) execve(name, program->argv, program->envp);
        return -errno;
    }

    while (next_candidate(&path, name, file)) {
        (void) execve(file, program->argv, program->envp);
        if (errno != ENOENT && errno != ENOTDIR && errno != EACCES) {
            return -errno;
        }
        if (errno == EACCES) {
            error = EACCES;     /* of the ones found, it says more */
        }
    }

    return -error;
}


static int
execute(const codr_program_t *program)
{
    sigset_t none;

    /* init's blocked signals are not the program's */
    (void) sigemptyset(&none);
    if (sigprocmask(SIG_SETMASK, &none, NULL) == -1) {
        return -errno;
    }

    if (program->artefact < 0) {
        return execute_by_name(program);
    }

    (void) execveat(program->artefact, "", program->argv, program->envp,
                    AT_EMPTY_PATH);
    return -errno;
}


/* What needs nothing of the job's, then what does, then the end. */
static const step_t ahead[] = {
    { CODR_STEP_SESSION, start_session },
    { CODR_STEP_LANDLOCK, restrict_files },
};

static const step_t after[] = {
    { CODR_STEP_STDIO, attach_stdio },
    { CODR_STEP_STDIO, keep_parked },
    { CODR_STEP_RLIMIT, apply_limits },
};


static int
take_steps(const step_t *steps, size_t count, const codr_program_t *program,
    uint32_t *ret_step)
{
    int    rc;
    size_t i;

    for (i = 0; i < count; i++) {
        rc = steps[i].run(program);
        if (rc != 0) {
            *ret_step = steps[i].step;
            return rc;
        }
    }

    return 0;
}


int
codr_program_ahead(const codr_program_t *program, uint32_t *ret_step)
{
    return take_steps(ahead, CODR_ARRAY_LEN(ahead), program, ret_step);
}


int
codr_program_attach(const codr_program_t *program, uint32_t *ret_step)
{
    return take_steps(after, CODR_ARRAY_LEN(after), program, ret_step);
}


int
codr_program_execute(const codr_program_t *program, uint32_t *ret_step)
{
    *ret_step = CODR_STEP_EXEC;
    return execute(program);
}


/* Says that it is there, and waits for leave; init's end is its own. */
static void
wait_for_leave(const outcome_t *outcome)
{
    char word = 'p';

    if (outcome->gate[1] == -1) {
        return;
    }

    (void) close(outcome->gate[0]);
    if (write(outcome->gate[1], &word, 1) != 1
        || read(outcome->gate[1], &word, 1) != 1)
    {
        _exit(127);
    }
}


static int
child(void *argument)
{
    int        rc;
    uint32_t   step = CODR_STEP_NONE;
    outcome_t *outcome = argument;

    rc = codr_program_ahead(outcome->program, &step);
    if (rc == 0) {
        rc = codr_program_attach(outcome->program, &step);
    }
    if (rc == 0) {
        wait_for_leave(outcome);
        rc = codr_program_execute(outcome->program, &step);
    }

    outcome->step = step;
    outcome->error = -rc;
    _exit(127);                 /* never a verdict: the outcome says more */
}


pid_t
codr_program_start(const codr_program_t *program, uint32_t *ret_step)
{
    pid_t              pid;
    volatile outcome_t outcome = { .program = program, .gate = { -1, -1 } };

    pid = clone(child, stack + STACK_SIZE, CLONE_VM | CLONE_VFORK | SIGCHLD,
                (void *) (uintptr_t) &outcome);
    if (pid == -1) {
        *ret_step = CODR_STEP_FORK;
        return -errno;
    }

    if (outcome.error == 0) {
        return pid;
    }

    (void) waitpid(pid, NULL, 0);
    *ret_step = outcome.step;
    return -outcome.error;
}


/* Its word is here; none: how it has ended. */
static int
hear(pid_t pid, int gate, uint32_t *ret_step)
{
    char    word;
    ssize_t n;

    do {
        n = read(gate, &word, 1);
    } while (n == -1 && errno == EINTR);

    if (n == 1 || prepared.error == 0) {
        return n == 1;          /* none, and no error: it has executed */
    }

    (void) waitpid(pid, NULL, 0);
    *ret_step = prepared.step;
    return -prepared.error;
}


pid_t
codr_program_prepare(const codr_program_t *program, int *ret_gate,
    uint32_t *ret_step)
{
    int   rc, gate[2];
    pid_t pid;

    *ret_step = CODR_STEP_FORK;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, gate) == -1) {
        return -errno;
    }

    prepared.program = program;
    prepared.step = CODR_STEP_NONE;
    prepared.error = 0;
    prepared.gate[0] = gate[0];
    prepared.gate[1] = gate[1];
    pid = clone(child, stack + STACK_SIZE, CLONE_VM | SIGCHLD,
                (void *) (uintptr_t) &prepared);
    rc = pid == -1 ? -errno : 0;
    codr_close(&gate[1]);
    if (rc == 0) {
        rc = hear(pid, gate[0], ret_step);
    }
    if (rc == 1) {
        *ret_gate = gate[0];
        return pid;
    }

    codr_close(&gate[0]);
    return rc < 0 ? rc : -ECHILD;
}


int
codr_program_release(pid_t pid, int *gate, uint32_t *ret_step)
{
    int  rc;
    char word = 'r';

    *ret_step = CODR_STEP_FORK;
    rc = send(*gate, &word, 1, MSG_NOSIGNAL) == 1 ? 0 : -errno;
    if (rc == 0) {
        rc = hear(pid, *gate, ret_step);
    }

    codr_close(gate);
    return rc == 1 ? -EPROTO : rc;
}


bool
codr_program_exists(const char *name, char *const *envp)
{
    char        file[PATH_MAX];
    const char *path = find_path(envp);

    if (strchr(name, '/')) {
        return access(name, X_OK) == 0;
    }

    while (next_candidate(&path, name, file)) {
        if (access(file, X_OK) == 0) {
            return true;
        }
    }

    return false;
}
