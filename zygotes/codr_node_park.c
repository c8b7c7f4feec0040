/*
 * Init's part in the life of a node that is parked.  Runs in the self-test.
 */

#define _GNU_SOURCE

#include "codr_node_park.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "codr_io.h"
#include "codr_ipc.h"
#include "codr_proto.h"
#include "codr_util.h"
#include "codr_zygote.h"

#define LOADER      "LD_PRELOAD=/proc/self/fd/1001"
#define VARIABLES   64

_Static_assert(CODR_PARKED_LIBRARY == 1001, "the loader's path");


static void __attribute__((noreturn))
execute(char *const *argv, char *const *envp, int slave, int sock)
{
    size_t   i;
    char    *env[VARIABLES + 3];
    sigset_t none;

    for (i = 0; envp[i] && i < VARIABLES; i++) {
        env[i] = envp[i];
    }
    env[i] = (char *) (uintptr_t) LOADER;
    env[i + 1] = (char *) (uintptr_t) CODR_PARKED "=test";
    env[i + 2] = NULL;

    (void) setsid();
    if ((slave >= 0 && ioctl(slave, TIOCSCTTY, 0) == -1)
        || dup2(sock, CODR_PARKED_SOCKET) == -1
        || dup2(CODR_ZYGOTE_LIBRARY, CODR_PARKED_LIBRARY) == -1
        || close_range(STDERR_FILENO + 1, CODR_PARKED_SOCKET - 1, 0) == -1
        || close_range(CODR_PARKED_LIBRARY + 1, ~0U, 0) == -1)
    {
        _exit(126);
    }

    (void) sigemptyset(&none);
    (void) sigprocmask(SIG_SETMASK, &none, NULL);
    (void) execve(argv[0], argv, env);
    _exit(127);
}


/* As the broker would describe it, but for the files, which are there. */
static int
describe(int sock, char *const *argv, char *const *envp,
    const codr_node_streams_t *streams)
{
    int                    fds[4];
    size_t                 head = sizeof(codr_init_request_t);
    uint8_t                message[16384];
    bool                   terminal = streams->slave >= 0;
    codr_writer_t          fields;
    codr_init_request_t    request = {
        .version = CODR_IPC_VERSION, .op = CODR_INIT_DESCRIBE,
        .flags = terminal ? 0 : CODR_DESCRIBE_STDIO,
    };
    codr_cleanup_close int image = memfd_create("codr-test", MFD_CLOEXEC);

    codr_writer_init(&fields, message + head, sizeof(message) - head);
    for ( ; *argv; argv++) {
        codr_put_text(&fields, CODR_FIELD_ARG, *argv);
    }
    for ( ; *envp; envp++) {
        codr_put_text(&fields, CODR_FIELD_ENV, *envp);
    }
    codr_put_number(&fields, CODR_FIELD_TERMINAL,
                    terminal ? CODR_TERMINAL_DUMB : CODR_TERMINAL_NONE);
    if (fields.failed || image == -1) {
        return -1;
    }

    memcpy(message, &request, head);
    fds[0] = image;
    fds[1] = streams->in;
    fds[2] = fds[3] = streams->out;
    return codr_waiting_describe(sock, message,
                                 (size_t) (fields.pos - message), fds,
                                 terminal ? 1 : 4, streams->slave);
}


/* It has come to where it goes ahead when it has said so.  Without leave it
   finds its end of the socket to be the only one. */
static bool
goes_on(int sock, bool leave)
{
    bool          yes = false;
    uint32_t      step;
    struct pollfd said = { .fd = sock, .events = POLLIN };

    if (codr_waiting_prepare(sock) != 0) {
        return false;
    }

    return leave ? codr_waiting_run(sock, &yes, &step) == 0 && yes
                 : poll(&said, 1, -1) == 1;
}


pid_t
codr_node_park_start(char *const *argv, char *const *envp,
    const codr_node_streams_t *streams, bool leave)
{
    int   pair[2];
    pid_t pid;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == -1) {
        return -1;
    }

    pid = _Fork();
    if (pid == 0) {
        execute(argv, envp, streams->slave, pair[1]);
    }
    codr_close(&pair[1]);

    if (pid > 0
        && (describe(pair[0], argv, envp, streams) != 0
            || !goes_on(pair[0], leave)))
    {
        (void) kill(pid, SIGKILL);
        (void) waitpid(pid, NULL, 0);
        pid = -1;
    }

    codr_close(&pair[0]);
    return pid;
}
