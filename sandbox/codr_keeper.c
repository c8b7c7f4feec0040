/*
 * The keeper role: what nginx starts.  It holds the helper's end of the
 * lifeline and the newest configuration, so that a supervisor that dies can be
 * followed by another one that carries on.  It must never read the lifeline or
 * look into the configuration: as it does next to nothing, there is next to
 * nothing it could die of.
 *
 * It leaves when the supervisor has left by itself.  Should it be killed, the
 * supervisor goes on without it.
 */

#define _GNU_SOURCE

#include "codr_keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "codr_child.h"
#include "codr_event.h"
#include "codr_io.h"
#include "codr_ipc.h"
#include "codr_log.h"
#include "codr_util.h"

#define LOOK_US     10000       /* between two looks for what is left */
#define LEFT_US     2000000     /* and then it is no longer waited for */

typedef struct {
    codr_loop_t         loop;
    codr_child_plan_t   plan;
    codr_throttle_t     throttle;
    codr_timer_t        timer;          /* the next start */
    uint64_t            due_us;         /* when it may be */
    codr_event_t        lifeline;
    codr_event_t        signals;
    codr_event_t        store;          /* to the present supervisor */
    codr_store_t        kept;
    int                 memfd;          /* goes with it, or -1 */
    pid_t               supervisor;     /* 0: none */
    bool                leaving;
    int                 result;         /* our exit status */
} keeper_t;


static void start(keeper_t *keeper);


static void
leave(keeper_t *keeper, int result)
{
    keeper->result = result;
    codr_loop_stop(&keeper->loop);
}


/* The newest one only: what the next supervisor begins with. */
static void
store_ready(codr_event_t *event, uint32_t events)
{
    int          fd = -1;
    size_t       nfds;
    ssize_t      n;
    keeper_t    *keeper = event->data;
    codr_store_t store;

    (void) events;

    n = codr_io_recv_now(event->fd, &store, sizeof(store), &fd, 1, &nfds,
                         NULL);
    if (n == -EAGAIN || n == -ENOMEM) {
        return;
    }

    if (n != (ssize_t) sizeof(store) || store.version != CODR_IPC_VERSION
        || fd == -1)
    {
        codr_close(&fd);
        codr_event_close(&keeper->loop, event);
        return;
    }

    codr_close(&keeper->memfd);
    keeper->memfd = fd;
    keeper->kept = store;
}


/* What the dead supervisor sent last, then the end. */
static void
drain_store(keeper_t *keeper)
{
    int memfd;

    do {
        memfd = keeper->memfd;
        if (keeper->store.fd != -1) {
            store_ready(&keeper->store, EPOLLIN);
        }
    } while (keeper->memfd != memfd);

    codr_event_close(&keeper->loop, &keeper->store);
}


static int
open_store(keeper_t *keeper, int *ret_theirs)
{
    int pair[2], result = 0;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0,
                   pair) == -1)
    {
        return -errno;
    }

    keeper->store.fd = pair[0];
    *ret_theirs = pair[1];

    if (keeper->memfd != -1) {
        result = codr_io_send_one(pair[0], &keeper->kept,
                                  sizeof(keeper->kept), &keeper->memfd, 1);
    }

    return result < 0 ? result
                      : codr_event_watch(&keeper->loop, &keeper->store,
                                         EPOLLIN);
}


static bool
has_children(void)
{
    return waitid(P_ALL, 0, NULL, WEXITED | WNOHANG | WNOWAIT) == 0;
}


/* What a dead supervisor leaves behind comes to us and dies, too.  The next
   one must not meet it, and not wait for ever either. */
static void
start_due(codr_timer_t *timer)
{
    uint64_t  now = codr_now_us();
    keeper_t *keeper = timer->data;

    if (!has_children() || now > keeper->due_us + LEFT_US
        || codr_timer_set(&keeper->loop.timers, timer, now + LOOK_US) < 0)
    {
        start(keeper);
    }
}


static void
start_later(keeper_t *keeper)
{
    uint64_t now = codr_now_us();
    uint64_t delay = codr_throttle_ended(&keeper->throttle, now);

    keeper->due_us = now + delay;
    keeper->timer.handler = start_due;
    keeper->timer.data = keeper;
    if (codr_timer_set(&keeper->loop.timers, &keeper->timer, now + delay) < 0)
    {
        leave(keeper, EXIT_FAILURE);
    }
}


static void
start(keeper_t *keeper)
{
    int                    result;
    codr_child_plan_t     *plan = &keeper->plan;
    codr_cleanup_close int theirs = -1;

    codr_throttle_started(&keeper->throttle, codr_now_us());

    result = open_store(keeper, &theirs);
    if (result == 0) {
        plan->fd[0] = (codr_child_fd_t) { CODR_FD_LIFELINE,
                                          CODR_FD_LIFELINE };
        plan->fd[1] = (codr_child_fd_t) { theirs, CODR_FD_STORE };
        plan->fds = 2;
        result = codr_child_start(plan);
    }

    if (result < 0) {
        codr_log(CODR_LEVEL_FATAL, -result, "start the supervisor");
        drain_store(keeper);
        start_later(keeper);
        return;
    }

    keeper->supervisor = result;
}


/*
 * One that failed before it ever had a configuration has said why, and would
 * fail again: nginx sees the end of the lifeline then.
 */
static void
supervisor_ended(keeper_t *keeper, int wait_status)
{
    bool exited = WIFEXITED(wait_status);

    keeper->supervisor = 0;
    drain_store(keeper);

    if (exited && (WEXITSTATUS(wait_status) == 0 || keeper->memfd == -1)) {
        leave(keeper, WEXITSTATUS(wait_status));
        return;
    }

    codr_log(CODR_LEVEL_FATAL, 0, "the supervisor ended with %s %d",
             exited ? "exit status" : "signal",
             exited ? WEXITSTATUS(wait_status) : WTERMSIG(wait_status));

    if (keeper->leaving) {
        leave(keeper, EXIT_FAILURE);
    } else {
        start_later(keeper);
    }
}


static void
reap(keeper_t *keeper)
{
    int   wait_status;
    pid_t pid;

    while ((pid = waitpid(-1, &wait_status, WNOHANG)) > 0) {
        if (pid == keeper->supervisor) {
            supervisor_ended(keeper, wait_status);
        }
    }
}


static void
end(keeper_t *keeper)
{
    keeper->leaving = true;
    if (keeper->supervisor == 0) {
        leave(keeper, EXIT_SUCCESS);
    }
}


static void
signal_came(codr_event_t *event, uint32_t events)
{
    keeper_t               *keeper = event->data;
    struct signalfd_siginfo info;

    (void) events;

    if (read(event->fd, &info, sizeof(info)) != (ssize_t) sizeof(info)) {
        return;
    }

    switch (info.ssi_signo) {

    case SIGCHLD:
        reap(keeper);
        break;

    case SIGHUP:
        break;

    default:                            /* SIGTERM, SIGINT, SIGQUIT */
        if (keeper->supervisor != 0) {  /* not reaped: still ours */
            (void) kill(keeper->supervisor, SIGTERM);
        }
        end(keeper);
        break;
    }
}


/* Nobody is at its other end; the supervisor sees that too. */
static void
lifeline_ended(codr_event_t *event, uint32_t events)
{
    keeper_t *keeper = event->data;

    (void) events;

    (void) codr_event_watch(&keeper->loop, event, 0);
    end(keeper);
}


static int
watch_signals(keeper_t *keeper)
{
    sigset_t set;

    (void) sigemptyset(&set);
    (void) sigaddset(&set, SIGCHLD);
    (void) sigaddset(&set, SIGHUP);
    (void) sigaddset(&set, SIGTERM);
    (void) sigaddset(&set, SIGINT);
    (void) sigaddset(&set, SIGQUIT);

    if (sigprocmask(SIG_BLOCK, &set, NULL) == -1) {
        return -errno;
    }

    keeper->signals.fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (keeper->signals.fd == -1) {
        return -errno;
    }

    return codr_event_watch(&keeper->loop, &keeper->signals, EPOLLIN);
}


static int
plan_supervisor(codr_child_plan_t *plan, int argc, char **argv)
{
    int         i, result;
    const char *word;

    for (i = 0; i < argc; i++) {
        word = i == 1 ? "supervisor" : argv[i];
        result = codr_list_add(&plan->argv, word, strlen(word));
        if (result < 0) {
            return result;
        }
    }

    plan->outlives = true;
    plan->self = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    return plan->self == -1 ? -errno : 0;
}


static int
open_keeper(keeper_t *keeper, int argc, char **argv)
{
    int result = codr_loop_init(&keeper->loop);

    /* what a supervisor leaves behind comes to us */
    if (result == 0 && prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == -1) {
        result = -errno;
    }
    if (result == 0) {
        result = watch_signals(keeper);
    }
    if (result == 0) {
        result = plan_supervisor(&keeper->plan, argc, argv);
    }
    if (result == 0 && fcntl(CODR_FD_LIFELINE, F_SETFD, FD_CLOEXEC) == -1) {
        result = -errno;
    }
    if (result == 0) {
        result = codr_event_watch(&keeper->loop, &keeper->lifeline,
                                  EPOLLRDHUP);
    }

    return result;
}


int
codr_keeper_main(int argc, char **argv)
{
    int             result;
    static keeper_t keeper;

    keeper.memfd = -1;
    keeper.lifeline = (codr_event_t) {
        .fd = CODR_FD_LIFELINE, .handler = lifeline_ended, .data = &keeper,
    };
    keeper.signals = (codr_event_t) {
        .fd = -1, .handler = signal_came, .data = &keeper,
    };
    keeper.store = (codr_event_t) {
        .fd = -1, .handler = store_ready, .data = &keeper,
    };

    codr_log_init("keeper", -1);

    result = open_keeper(&keeper, argc, argv);
    if (result == 0) {
        start(&keeper);
        result = codr_loop_run(&keeper.loop);
    }
    if (result < 0) {
        codr_log(CODR_LEVEL_FATAL, -result, "keep the helper");
        return EXIT_FAILURE;
    }

    return keeper.result;
}
