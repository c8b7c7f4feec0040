/*
 * Starts children of the supervisor, and starts them again, with pauses when
 * they do not live long.  Runs in the supervisor.
 */

#define _GNU_SOURCE

#include "codr_relative.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "codr_ipc.h"
#include "codr_util.h"


void
codr_relative_init(codr_relative_t *child, codr_loop_t *loop,
    void (*start)(codr_relative_t *child), void *data)
{
    *child = (codr_relative_t) {
        .control = -1, .loop = loop, .start = start, .data = data,
    };
}


/* A pair of messages sockets: ours does not block. */
static int
open_pair(int ret_ours[2])
{
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ret_ours)
        == -1)
    {
        return -errno;
    }

    return fcntl(ret_ours[0], F_SETFL, O_RDWR | O_NONBLOCK) == -1 ? -errno
                                                                  : 0;
}


int
codr_relative_start(codr_relative_t *child, codr_child_plan_t *plan)
{
    int   pair[2] = { -1, -1 }, result;
    pid_t pid;

    result = open_pair(pair);
    if (result < 0) {
        return result;
    }

    plan->fd[plan->fds++] = (codr_child_fd_t) { pair[1], CODR_FD_CONTROL };

    pid = codr_child_start(plan);
    codr_close(&pair[1]);
    if (pid < 0) {
        codr_close(&pair[0]);
        return pid;
    }

    child->pid = pid;
    child->control = pair[0];
    codr_throttle_started(&child->throttle, codr_now_us());
    return 0;
}


static void
start_due(codr_timer_t *timer)
{
    codr_relative_t *child = timer->data;

    child->start(child);
}


void
codr_relative_later(codr_relative_t *child)
{
    uint64_t now = codr_now_us();
    uint64_t delay = codr_throttle_ended(&child->throttle, now);

    child->timer.handler = start_due;
    child->timer.data = child;
    if (codr_timer_set(&child->loop->timers, &child->timer, now + delay) < 0) {
        codr_loop_stop(child->loop);    /* it could never start again */
    }
}


void
codr_relative_failed(codr_relative_t *child)
{
    codr_throttle_started(&child->throttle, codr_now_us());
    codr_relative_later(child);
}


void
codr_relative_gone(codr_relative_t *child)
{
    codr_close(&child->control);
    child->pid = 0;
}


void
codr_relative_wait(codr_relative_t *child)
{
    codr_timer_clear(&child->loop->timers, &child->timer);
}


void
codr_relative_kill(codr_relative_t *child)
{
    if (child->pid != 0) {
        (void) kill(child->pid, SIGKILL);   /* not reaped: still ours */
    }
}


void
codr_relative_describe(char *text, size_t size, int wait_status)
{
    if (WIFSIGNALED(wait_status)) {
        (void) snprintf(text, size, "signal %d", WTERMSIG(wait_status));
    } else {
        (void) snprintf(text, size, "exit status %d",
                        WEXITSTATUS(wait_status));
    }
}
