/*
 * The validator role.  It compiles all policies, gives up every privilege,
 * tells the broker its table, and keeps some processes waiting: each takes one
 * request from the broker's socket, answers it, and ends (codr_cell.c).  This
 * one looks into no request; it starts another process for each that has
 * ended.
 *
 * It is replaced, not told, when the configuration changes, and leaves when
 * its broker or its supervisor does.
 */

#define _GNU_SOURCE

#include "codr_serve.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "codr_cell.h"
#include "codr_confine.h"
#include "codr_constants.h"
#include "codr_control.h"
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


/* Cells */


#define CELLS_MOST  16
#define GRAMMARS_MAX 32
#define PAUSE_MS    60          /* a job that has its verdict goes first */
#define RETRY_MS    1000        /* when there was no process to be had */

typedef struct {
    const codr_policy_set_t  *set;
    const codr_cell_t        *cell;
    int                       ended;    /* SIGCHLD */
    long                      most;
    long                      alive;
    bool                      failed;   /* the last fork */
    unsigned                  used;     /* grammars, a bit each by its place */
    unsigned                  kept;
} keeper_t;


static long
count_cells(void)
{
    long n = CODR_REVIEW_AT_ONCE * sysconf(_SC_NPROCESSORS_ONLN);

    if (n < CODR_REVIEW_AT_ONCE) {
        return CODR_REVIEW_AT_ONCE;
    }

    return n < CELLS_MOST ? n : CELLS_MOST;
}


/* Who comes next finds in memory what the last ones have fetched. */
static void
keep_used(keeper_t *keeper)
{
    unsigned              i;
    const codr_grammar_t *grammar;

    for (i = 0; (grammar = codr_grammar_at(i)) != NULL; i++) {
        if (keeper->used & ~keeper->kept & 1U << i) {
            codr_constants_keep(grammar);
        }
    }
    keeper->kept = keeper->used;
}


static void
fill(keeper_t *keeper)
{
    pid_t pid;

    keep_used(keeper);

    while (keeper->alive < keeper->most) {
        pid = fork();
        if (pid == 0) {
            codr_cell_run(keeper->cell, keeper->set, CODR_FD_PEER);
        }
        if (pid == -1) {
            if (!keeper->failed) {
                codr_log(CODR_LEVEL_ERROR, errno, "fork for a source");
            }
            keeper->failed = true;
            return;
        }
        keeper->failed = false;
        keeper->alive++;
    }
}


static void
note_use(keeper_t *keeper, int grammar)
{
    if (grammar >= 0 && grammar < GRAMMARS_MAX) {
        keeper->used |= 1U << grammar;
    }
}


static void
count_ends(keeper_t *keeper)
{
    int                     status;
    struct signalfd_siginfo info;

    while (read(keeper->ended, &info, sizeof(info)) > 0) {
        /* void: one may stand for several */
    }
    while (waitpid(-1, &status, WNOHANG) > 0) {
        keeper->alive--;
        if (WIFEXITED(status)) {
            note_use(keeper, WEXITSTATUS(status) - CODR_CELL_USED);
        }
    }
}


/* How long the places of those that have ended stay free: while enough others
   wait, what the verdict was for goes first. */
static int
delay(const keeper_t *keeper)
{
    if (keeper->alive == keeper->most) {
        return -1;
    }
    if (keeper->failed) {
        return RETRY_MS;
    }

    return 2 * keeper->alive > keeper->most ? PAUSE_MS : 0;
}


/* Until broker or supervisor is gone; then the last source's verdict. */
static int
keep_cells(keeper_t *keeper)
{
    int           n, result = 0;
    struct pollfd watched[] = {
        { .fd = CODR_FD_CONTROL, .events = POLLIN },
        { .fd = CODR_FD_PEER },                     /* its end only */
        { .fd = keeper->ended, .events = POLLIN },
    };

    fill(keeper);

    for ( ;; ) {
        n = poll(watched, CODR_ARRAY_LEN(watched), delay(keeper));
        if (n == -1 && errno != EINTR) {
            result = -errno;
            break;
        }
        if (n > 0 && watched[1].revents) {
            break;                      /* its end */
        }
        if (n > 0 && watched[0].revents
            && !codr_control_is_alive(CODR_FD_CONTROL))
        {
            break;
        }
        if (n > 0) {
            count_ends(keeper);
        } else {
            fill(keeper);
        }
    }

    /* who waits for a request finds the end of them */
    (void) shutdown(CODR_FD_PEER, SHUT_RD);
    while (waitpid(-1, NULL, 0) > 0 || errno == EINTR) {
        /* void */
    }

    return result;
}


/* Start */


/* What it calls besides what the broker does, too. */
static const codr_confine_call_t calls[] = {
    CODR_CONFINE_CALL(clone, "fork"),
    CODR_CONFINE_CALL(wait4, "ends of children"),
    CODR_CONFINE_CALL(poll, "ends, of all kinds"),
    CODR_CONFINE_CALL(set_robust_list, "fork, in libc"),
    CODR_CONFINE_CALL(rseq, "fork, in libc"),
    CODR_CONFINE_CALL(close_range, "a child's descriptors"),
    CODR_CONFINE_CALL(dup2, "a child's descriptors"),
    CODR_CONFINE_CALL(prctl, "a child's end with its parent"),
    CODR_CONFINE_CALL(getppid, "a child's end with its parent"),
    CODR_CONFINE_CALL(prlimit64, "a child's limits"),
    CODR_CONFINE_CALL(setrlimit, "a child's limits"),
    CODR_CONFINE_CALL(setitimer, "a child's CPU time"),
    CODR_CONFINE_CALL(sched_getattr, "a child's turns"),
    CODR_CONFINE_CALL(sched_setattr, "a child's turns"),
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


static int
watch_ends(void)
{
    sigset_t ends;

    (void) sigemptyset(&ends);
    (void) sigaddset(&ends, SIGCHLD);
    if (sigprocmask(SIG_BLOCK, &ends, NULL) == -1) {
        return -1;
    }

    return signalfd(-1, &ends, SFD_CLOEXEC | SFD_NONBLOCK);
}


int
codr_serve(const codr_serve_t *serve)
{
    int                  result;
    codr_cell_t          cell;
    codr_policy_set_t    set = { .dir = serve->policies };
    keeper_t             keeper = {
        .set = &set, .cell = &cell, .most = count_cells(),
    };
    const codr_confine_t plan = {
        .uid = serve->uid, .gid = serve->gid,
        .call = calls, .calls = CODR_ARRAY_LEN(calls),
    };

    codr_log_init("validator", CODR_FD_LOG);
    (void) signal(SIGPIPE, SIG_IGN);

    keeper.ended = watch_ends();
    if (keeper.ended == -1 || fcntl(CODR_FD_PEER, F_GETFL) == -1) {
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
        (void) malloc_trim(0);          /* what compiling has freed */
        codr_constants_drop();
        result = keep_cells(&keeper);
    }
    if (result < 0) {
        codr_log(CODR_LEVEL_FATAL, -result, "serve the broker");
    }

    return result < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
