/*
 * The process that waits for its program.  codr_waiting_fork() and after run
 * in init; the rest runs in the process itself, with the rights of a program
 * and nothing of a job's yet.  When its interpreter cannot be what the job
 * asks for it executes the program like any other, so that a zygote's sandbox
 * never behaves otherwise, only slower.
 */

#define _GNU_SOURCE

#include "codr_waiting.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "codr_io.h"
#include "codr_util.h"
#include "codr_zygote.h"

#define SOCKET          3       /* all that a forked one has above stdio */
#define NAME_READY      "codr-ready"

typedef struct {
    uint32_t  step;             /* codr_step_t */
    int32_t   error;            /* positive errno; 0: it begins */
} outcome_t;

static int              sock = SOCKET;
static char             message[CODR_IPC_CHUNK + 1];
static codr_describe_t  description;


static void __attribute__((noreturn))
fail(uint32_t step, int error)
{
    outcome_t outcome = { step, error };

    (void) codr_io_send_one(sock, &outcome, sizeof(outcome), NULL, 0);
    _exit(127);
}


static ssize_t
receive(int *fds, size_t max, size_t *ret_nfds)
{
    ssize_t n = codr_io_recv(sock, message, CODR_IPC_CHUNK, fds, max,
                             ret_nfds, NULL);

    if (n <= 0) {
        _exit(127);             /* init is gone, or has given it up */
    }

    return n;
}


static void
take_description(codr_program_t *program)
{
    int     rc, fds[CODR_DESCRIBE_FDS];
    size_t  nfds = 0;
    ssize_t n = receive(fds, CODR_DESCRIBE_FDS, &nfds);

    rc = codr_describe_decode(&description, message, (size_t) n, fds, nfds);
    if (rc != 0 || description.argv[0] == NULL) {
        fail(CODR_STEP_DESCRIPTION, rc != 0 ? -rc : EINVAL);
    }

    codr_close(&description.image);
    program->argv = description.argv;
    program->envp = description.envp;
    program->artefact = description.artefact;
    program->headers = description.headers;
    memcpy(program->stdio, description.stdio, sizeof(program->stdio));
}


/* All else that one that was executed has, it has opened itself; and a number
   of what was received may lie among the interpreter's own. */
static int
close_others(const codr_interpreter_t *interpreter)
{
    size_t   i;
    unsigned first = (unsigned) interpreter->own_first;
    unsigned last = (unsigned) interpreter->own_last;

    for (i = 0; i < 3; i++) {
        codr_close(&description.stdio[i]);
    }

    if (sock != SOCKET) {
        return close(sock);
    }
    if (first == 0) {
        return close_range(SOCKET, ~0U, 0);
    }

    return close_range(SOCKET, first - 1, 0) == -1
           || close_range(last + 1, ~0U, 0) == -1 ? -1 : 0;
}


/* As exec would leave it: readable for its own, no signal blocked, nothing
   open that is not the interpreter's, and nobody's name. */
static void
become_program(const codr_interpreter_t *interpreter, const char *name)
{
    sigset_t none;
    outcome_t outcome = { 0, 0 };

    if (prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == -1
        || prctl(PR_SET_NAME, name, 0, 0, 0) == -1)
    {
        fail(CODR_STEP_DUMPABLE, errno);
    }

    if (codr_io_send_one(sock, &outcome, sizeof(outcome), NULL, 0) != 0
        || close_others(interpreter) == -1)
    {
        _exit(127);
    }

    (void) sigemptyset(&none);
    (void) sigprocmask(SIG_SETMASK, &none, NULL);
}


static const char *
base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}


static void __attribute__((noreturn))
wait_and_run(const codr_interpreter_t *interpreter, codr_program_t *program)
{
    int      rc, terminal = -1;
    bool     fits;
    size_t   nfds = 0;
    uint32_t step = CODR_STEP_NONE;

    take_description(program);
    fits = description.artefact < 0 && description.headers < 0
           && interpreter->prepare(&description);

    (void) receive(&terminal, 1, &nfds);
    program->terminal = nfds == 1 ? terminal : -1;
    fits = fits && interpreter->fits();

    rc = codr_program_attach(program, &step);
    if (rc != 0) {
        fail(step, -rc);
    }
    codr_close(&terminal);

    if (fits) {
        become_program(interpreter, base_name(program->argv[0]));
        interpreter->run();
    }

    rc = codr_program_execute(program, &step);
    fail(step, -rc);
}


static void __attribute__((noreturn))
child(const codr_interpreter_t *interpreter, const codr_program_t *given,
    bool spare, int end)
{
    int            rc;
    uint32_t       step = CODR_STEP_NONE;
    codr_program_t program = *given;

    if (dup3(end, SOCKET, O_CLOEXEC) == -1 && errno != EINVAL) {
        _exit(127);
    }
    if (close_range(SOCKET + 1, ~0U, 0) == -1) {
        _exit(127);
    }
    (void) prctl(PR_SET_NAME, NAME_READY, 0, 0, 0);

    rc = codr_program_ahead(&program, &step);
    if (rc != 0) {
        fail(step, -rc);
    }

    interpreter->wake(spare);
    wait_and_run(interpreter, &program);
}


void
codr_waiting_park(const codr_interpreter_t *interpreter)
{
    codr_program_t program = { .headers = -1, .artefact = -1 };

    sock = CODR_PARKED_SOCKET;
    (void) prctl(PR_SET_NAME, NAME_READY, 0, 0, 0);
    wait_and_run(interpreter, &program);
}


pid_t
codr_waiting_fork(const codr_interpreter_t *interpreter,
    const codr_program_t *program, bool spare, int *ret_sock)
{
    int   pair[2];
    pid_t pid;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == -1) {
        return -errno;
    }

    pid = interpreter->fork();
    if (pid == 0) {
        child(interpreter, program, spare, pair[1]);
    }

    codr_close(&pair[1]);
    if (pid == -1) {
        pid = -errno;
        codr_close(&pair[0]);
        return pid;
    }

    if (spare && interpreter->shed) {
        interpreter->shed();
    }

    *ret_sock = pair[0];
    return pid;
}


int
codr_waiting_describe(int to, const void *text, size_t len, const int *fds,
    size_t nfds)
{
    return codr_io_send_one(to, text, len, fds, nfds);
}


int
codr_waiting_run(int to, int terminal, bool *ret_forked, uint32_t *ret_step)
{
    int       rc;
    char      begin = 'r';
    size_t    nfds = 0;
    ssize_t   n;
    outcome_t outcome;

    *ret_step = CODR_STEP_FORK;
    rc = codr_io_send_one(to, &begin, 1, &terminal, terminal >= 0);
    if (rc != 0) {
        return rc;
    }

    /* an exec closes its end without a word */
    n = codr_io_recv(to, &outcome, sizeof(outcome), NULL, 0, &nfds, NULL);
    if (n == 0) {
        *ret_forked = false;
        return 0;
    }
    if (n != sizeof(outcome)) {
        return n < 0 ? (int) n : -EPROTO;
    }

    *ret_forked = outcome.error == 0;
    *ret_step = outcome.step;
    return -outcome.error;
}
