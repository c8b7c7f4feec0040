/*
 * The validator role.  It compiles all policies, gives up every privilege,
 * tells the broker its table, and forks one process for each request.  It
 * looks into no source: what a request says are numbers, which it checks, and
 * two descriptors, which it passes on.
 *
 * It is replaced, not told, when the configuration changes, and leaves when
 * its broker or its supervisor does.
 */

#define _GNU_SOURCE

#include "codr_serve.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "codr_cell.h"
#include "codr_confine.h"
#include "codr_io.h"
#include "codr_ipc.h"
#include "codr_log.h"
#include "codr_proto.h"
#include "codr_review_ipc.h"
#include "codr_util.h"


/* The table, for the broker */


static bool
put_rule(codr_writer_t *writer, const codr_rule_t *rule)
{
    codr_put_text(writer, CODR_FIELD_RULE, rule->id);
    codr_put_text(writer, CODR_FIELD_RULE_MESSAGE, rule->message);
    codr_put_text(writer, CODR_FIELD_SEVERITY, codr_rule_severity(rule));
    return !writer->failed;
}


static int
write_table(int fd, const codr_policy_set_t *set)
{
    int           result;
    size_t        i;
    uint8_t      *buffer = malloc(CODR_REVIEW_TABLE_MAX);
    codr_writer_t writer;

    if (buffer == NULL) {
        return -ENOMEM;
    }

    codr_writer_init(&writer, buffer, CODR_REVIEW_TABLE_MAX);
    for (i = 0; i < set->languages; i++) {
        codr_put_text(&writer, CODR_FIELD_LANGUAGE, set->language[i].name);
    }
    for (i = 0; i < set->rules; i++) {
        if (!put_rule(&writer, &set->rule[i])) {
            break;
        }
    }

    result = writer.failed ? -EFBIG
             : codr_io_write_all(fd, buffer, (size_t) (writer.pos - buffer));
    free(buffer);
    return result;
}


static int
tell_ready(const codr_policy_set_t *set)
{
    int                 fd, result;
    codr_review_ready_t ready = { .version = CODR_REVIEW_VERSION };

    fd = memfd_create("codr-policies", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd == -1) {
        return -errno;
    }

    result = write_table(fd, set);
    if (result == 0) {
        result = codr_io_seal(fd);
    }
    if (result == 0) {
        result = codr_io_send_one(CODR_FD_PEER, &ready, sizeof(ready), &fd,
                                  1);
    }

    codr_close(&fd);
    return result;
}


/* Requests */


static bool
valid(const codr_policy_set_t *set, const codr_review_request_t *request)
{
    return request->version == CODR_REVIEW_VERSION
           && request->language < set->languages
           && request->level < CODR_POLICY_LEVELS
           && request->sources <= CODR_REVIEW_SOURCES;
}


/* 0, or negative errno: the broker breaks the format. */
static int
take_request(const codr_policy_set_t *set, const codr_cell_t *cell)
{
    int                          fds[2] = { -1, -1 };
    pid_t                        pid;
    size_t                       nfds;
    ssize_t                      n;
    static codr_review_request_t request;

    n = codr_io_recv(CODR_FD_PEER, &request, sizeof(request), fds, 2, &nfds,
                     NULL);
    if (n == -EAGAIN) {
        return 0;
    }
    if (n != (ssize_t) sizeof(request) || nfds != 2 || !valid(set, &request)) {
        codr_close(&fds[0]);
        codr_close(&fds[1]);
        return n == 0 ? -EPIPE : -EPROTO;
    }

    pid = fork();
    if (pid == 0) {
        codr_cell_run(cell, set, &request, fds[0], fds[1]);
    }
    if (pid == -1) {
        codr_log(CODR_LEVEL_ERROR, errno, "fork for a source");
    }

    /* the pipe's end is the answer when there is no process */
    codr_close(&fds[0]);
    codr_close(&fds[1]);
    return 0;
}


/* Until broker or supervisor is gone; then the last source's verdict. */
static int
serve_requests(const codr_policy_set_t *set, const codr_cell_t *cell)
{
    int           result = 0;
    struct pollfd watched[] = {
        { .fd = CODR_FD_CONTROL, .events = POLLIN },
        { .fd = CODR_FD_PEER, .events = POLLIN },
    };

    while (result == 0) {
        if (poll(watched, CODR_ARRAY_LEN(watched), -1) == -1) {
            result = errno == EINTR ? 0 : -errno;
            continue;
        }
        if (watched[0].revents) {
            break;                      /* nothing is ever said there */
        }
        if (watched[1].revents) {
            result = take_request(set, cell);
        }
    }

    while (waitpid(-1, NULL, 0) > 0 || errno == EINTR) {
        /* void */
    }
    return result == -EPIPE ? 0 : result;
}


/* Start */


/* What it calls besides what the broker does, too. */
static const codr_confine_call_t calls[] = {
    CODR_CONFINE_CALL(clone, "fork"),
    CODR_CONFINE_CALL(wait4, "ends of children"),
    CODR_CONFINE_CALL(poll, "requests"),
    CODR_CONFINE_CALL(set_robust_list, "fork, in libc"),
    CODR_CONFINE_CALL(rseq, "fork, in libc"),
    CODR_CONFINE_CALL(close_range, "a child's descriptors"),
    CODR_CONFINE_CALL(dup2, "a child's descriptors"),
    CODR_CONFINE_CALL(prctl, "a child's end with its parent"),
    CODR_CONFINE_CALL(getppid, "a child's end with its parent"),
    CODR_CONFINE_CALL(prlimit64, "a child's limits"),
    CODR_CONFINE_CALL(setrlimit, "a child's limits"),
    CODR_CONFINE_CALL(setitimer, "a child's CPU time"),
    CODR_CONFINE_CALL(seccomp, "a child's filter"),
};


static int
compile(codr_policy_set_t *set, const codr_serve_t *serve)
{
    int                result;
    codr_query_error_t error;

    result = codr_plans_compile(&serve->plans, set, &error);
    if (result < 0) {
        codr_log(CODR_LEVEL_FATAL, 0, "%s", error.text);
    }

    return result;
}


int
codr_serve(const codr_serve_t *serve)
{
    int                  result;
    codr_cell_t          cell;
    codr_policy_set_t    set = { .dir = serve->policies };
    const codr_confine_t plan = {
        .uid = serve->uid, .gid = serve->gid,
        .call = calls, .calls = CODR_ARRAY_LEN(calls),
    };

    codr_log_init("validator", CODR_FD_LOG);
    (void) signal(SIGPIPE, SIG_IGN);
    (void) signal(SIGCHLD, SIG_IGN);        /* nobody asks how they ended */

    if (fcntl(CODR_FD_CONTROL, F_SETFL, O_RDWR | O_NONBLOCK) == -1
        || fcntl(CODR_FD_PEER, F_SETFL, O_RDWR | O_NONBLOCK) == -1)
    {
        codr_log(CODR_LEVEL_FATAL, errno, "find the broker");
        return EXIT_FAILURE;
    }

    if (compile(&set, serve) < 0) {
        return EXIT_FAILURE;
    }

    result = codr_cell_prepare(&cell);
    if (result == 0) {
        (void) codr_confine(&plan);
        result = tell_ready(&set);
    }
    if (result == 0) {
        result = serve_requests(&set, &cell);
    }
    if (result < 0) {
        codr_log(CODR_LEVEL_FATAL, -result, "serve the broker");
    }

    return result < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
