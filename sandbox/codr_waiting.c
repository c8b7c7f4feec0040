/*
 * The process that waits for its program.  codr_waiting_fork() and after run
 * in init; the rest runs in the process itself, with the rights of a program.
 * When its interpreter cannot be what the job asks for it executes the program
 * like any other, so that a zygote's sandbox never behaves otherwise, only
 * slower.
 *
 * What it says to init it says before it has looked at anything that a client
 * has written: init believes it, and hears no more of one that goes on.
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

#include "codr_ahead.h"
#include "codr_io.h"
#include "codr_util.h"
#include "codr_zygote.h"

#define SOCKET          3       /* all that a forked one has above stdio */
#define SOCKET_AWAY     63      /* the last one of the least table */
#define NAME_READY      "codr-ready"

/* What init says: the first byte of a message. */
#define WORD_DESCRIBE   'd'     /* a DESCRIBE follows */
#define WORD_TERMINAL   't'     /* the same; the last descriptor is one */
#define WORD_FILES      'f'     /* they are there */
#define WORD_RUN        'r'     /* so they are, and it may run */

typedef struct {
    uint32_t  step;             /* codr_step_t */
    int32_t   error;            /* positive errno; 0: it can begin */
    uint32_t  goes_on;          /* as it is; 0: it will execute */
} outcome_t;

static int              sock = SOCKET;
static char             message[1 + CODR_IPC_CHUNK + 1];
static codr_describe_t  description;
static bool             held;           /* there is no leave yet */
static const codr_interpreter_t *image;


static void
tell(const outcome_t *outcome)
{
    if (codr_io_send_one(sock, outcome, sizeof(*outcome), NULL, 0) != 0) {
        _exit(127);             /* init is gone, or has given it up */
    }
}


static void __attribute__((noreturn))
fail(uint32_t step, int error)
{
    outcome_t outcome = { step, error, 0 };

    tell(&outcome);
    _exit(127);
}


static ssize_t
receive(int *fds, size_t max, size_t *ret_nfds)
{
    ssize_t n = codr_io_recv(sock, message, 1 + CODR_IPC_CHUNK, fds, max,
                             ret_nfds, NULL);

    if (n <= 0) {
        _exit(127);
    }

    return n;
}


static char
receive_word(void)
{
    size_t nfds = 0;

    (void) receive(NULL, 0, &nfds);
    return message[0];
}


static void
take_description(codr_program_t *program)
{
    int     rc, fds[CODR_DESCRIBE_FDS + 1];
    size_t  nfds = 0;
    ssize_t n = receive(fds, CODR_DESCRIBE_FDS + 1, &nfds);

    program->terminal = message[0] == WORD_TERMINAL && nfds > 0 ? fds[--nfds]
                                                                : -1;

    rc = codr_describe_decode(&description, message + 1, (size_t) n - 1, fds,
                              nfds);
    if (rc != 0 || description.argv[0] == NULL
        || (description.terminal && program->terminal < 0))
    {
        fail(CODR_STEP_DESCRIPTION, rc != 0 ? -rc : EINVAL);
    }

    if (!description.terminal) {
        codr_close(&program->terminal);
    }
    codr_close(&description.image);
    program->argv = description.argv;
    program->envp = description.envp;
    program->artefact = description.artefact;
    program->headers = description.headers;
    memcpy(program->stdio, description.stdio, sizeof(program->stdio));
}


/* Streams and limits; what stood for the streams is theirs only. */
static void
attach(codr_program_t *program)
{
    int      rc;
    size_t   i;
    uint32_t step = CODR_STEP_NONE;

    rc = codr_program_attach(program, &step);
    if (rc != 0) {
        fail(step, -rc);
    }

    codr_close(&program->terminal);
    for (i = 0; i < 3; i++) {
        codr_close(&description.stdio[i]);
    }
}


/* All else that one that was executed has, it has opened itself. */
static int
close_others(void)
{
    unsigned first = (unsigned) image->own_first;
    unsigned last = (unsigned) image->own_last;

    if (sock == CODR_PARKED_SOCKET) {
        return close(sock);
    }
    if (first == 0) {
        return close_range(SOCKET, ~0U, 0);
    }

    return close_range(SOCKET, first - 1, 0) == -1
           || close_range(last + 1, ~0U, 0) == -1 ? -1 : 0;
}


/* But for the socket, which is out of the program's way where its limit lets
   that be. */
static int
close_all_but_socket(void)
{
    int moved = fcntl(sock, F_DUPFD_CLOEXEC, SOCKET_AWAY);

    if (moved == -1) {
        return close_range((unsigned) sock + 1, ~0U, 0);
    }

    sock = moved;
    return close_range(SOCKET, (unsigned) sock - 1, 0) == -1
           || close_range((unsigned) sock + 1, ~0U, 0) == -1 ? -1 : 0;
}


static const char *
base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}


/* Readable for its own, and nobody's name. */
static void
look_like_program(void)
{
    if (prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == -1
        || prctl(PR_SET_NAME, base_name(description.argv[0]), 0, 0, 0) == -1)
    {
        _exit(127);
    }
}


/* As exec would leave it: so, no signal blocked, and nothing open that is not
   the interpreter's. */
static void
become_program(void)
{
    sigset_t none;

    look_like_program();
    if ((held ? close(sock) : close_others()) == -1) {
        _exit(127);
    }

    (void) sigemptyset(&none);
    (void) sigprocmask(SIG_SETMASK, &none, NULL);
}


bool
codr_waiting_is_held(void)
{
    return held;
}


static void
wait_for_leave(void)
{
    if (receive_word() != WORD_RUN) {
        _exit(127);
    }
}


void
codr_waiting_pass(void)
{
    if (!held) {
        return;
    }

    codr_ahead_end();
    wait_for_leave();
    if (!image->threads) {
        become_program();
    } else if (close_others() == -1) {
        _exit(127);             /* the rest would be this thread's only */
    }
    held = false;
}


void
codr_waiting_hold(const codr_interpreter_t *interpreter, int leave)
{
    image = interpreter;
    sock = leave;
    held = true;
}


static void __attribute__((noreturn))
go_on(void)
{
    if (held && image->passes) {
        if (image->threads) {
            look_like_program();
        } else if (close_all_but_socket() == -1) {
            _exit(127);
        }
        codr_ahead_begin(sock);
        image->run();
    }

    if (held) {
        wait_for_leave();
        held = false;
    }
    become_program();
    image->run();
}


static void __attribute__((noreturn))
wait_and_run(const codr_interpreter_t *interpreter, codr_program_t *program)
{
    int       rc;
    bool      fits;
    uint32_t  step = CODR_STEP_NONE;
    outcome_t outcome = { 0, 0, 0 };

    image = interpreter;
    take_description(program);
    fits = description.artefact < 0 && description.headers < 0
           && image->prepare(&description);
    attach(program);
    fits = fits && (image->settle == NULL || image->settle());

    held = receive_word() == WORD_FILES;
    outcome.goes_on = fits && image->fits();
    tell(&outcome);
    if (outcome.goes_on) {
        go_on();
    }

    if (held) {
        wait_for_leave();
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
    size_t nfds, int terminal)
{
    char         word = terminal >= 0 ? WORD_TERMINAL : WORD_DESCRIBE;
    int          all[CODR_DESCRIBE_FDS + 1];
    struct iovec pieces[2] = {
        { &word, 1 }, { (void *) (uintptr_t) text, len },
    };

    if (nfds > CODR_DESCRIBE_FDS) {
        return -EINVAL;
    }

    memcpy(all, fds, nfds * sizeof(all[0]));
    if (terminal >= 0) {
        all[nfds++] = terminal;
    }

    return codr_io_send(to, pieces, 2, all, nfds);
}


static int
say(int to, char word)
{
    return codr_io_send_one(to, &word, 1, NULL, 0);
}


int
codr_waiting_allow(int to)
{
    return say(to, WORD_RUN);
}


int
codr_waiting_prepare(int to)
{
    return say(to, WORD_FILES);
}


/* 1: it has said something; 0: its end of the socket is closed. */
static int
hear(int from, outcome_t *ret)
{
    size_t  nfds = 0;
    ssize_t n = codr_io_recv(from, ret, sizeof(*ret), NULL, 0, &nfds, NULL);

    if (n == 0) {
        return 0;
    }

    return n == (ssize_t) sizeof(*ret) ? 1 : n < 0 ? (int) n : -EPROTO;
}


int
codr_waiting_run(int to, bool *ret_forked, uint32_t *ret_step)
{
    int       rc;
    bool      goes_on;
    outcome_t outcome = { 0, 0, 0 };

    *ret_step = CODR_STEP_FORK;
    rc = codr_waiting_allow(to);
    if (rc == 0) {
        rc = hear(to, &outcome);
        rc = rc == 0 ? -ECHILD : rc;
    }

    /* an exec closes its end without a word */
    goes_on = outcome.goes_on != 0;
    if (rc == 1 && outcome.error == 0 && !goes_on) {
        rc = hear(to, &outcome);
    }
    if (rc >= 0 && outcome.error == 0) {
        *ret_forked = goes_on;
        return 0;
    }

    *ret_step = rc < 0 ? *ret_step : outcome.step;
    return rc < 0 ? rc : -outcome.error;
}
