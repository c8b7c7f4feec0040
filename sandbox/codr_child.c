/*
 * Starts a role: the same executable again, with a fresh address space, fixed
 * descriptor numbers and nothing else of ours.  Runs in the keeper and the
 * supervisor.
 */

#define _GNU_SOURCE

#include "codr_child.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "codr_util.h"

#define ABOVE_ALL   64          /* no fixed number is as high */

#define LIVED_US    10000000    /* longer: the next start is a first one */
#define DELAY_US    100000      /* after the first quick end; then doubled */
#define DELAY_MAX   5000000


/* After fork(): only system calls from here on. */
static void
become(const codr_child_plan_t *plan, pid_t parent)
{
    int      self, from[CODR_CHILD_FDS];
    size_t   i;
    unsigned next = STDERR_FILENO + 1;
    sigset_t none;

    static char *const environment[] = {
        "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8", NULL,
    };

    if (!plan->outlives
        && (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == -1
            || getppid() != parent))
    {
        return;
    }

    (void) setsid();            /* a terminal's signals are the parent's */
    (void) sigemptyset(&none);
    (void) sigprocmask(SIG_SETMASK, &none, NULL);

    /* out of the way first: ours may be another's fixed number */
    self = fcntl(plan->self, F_DUPFD_CLOEXEC, ABOVE_ALL);
    for (i = 0; i < plan->fds; i++) {
        from[i] = fcntl(plan->fd[i].ours, F_DUPFD_CLOEXEC, ABOVE_ALL);
    }

    for (i = 0; i < plan->fds; i++) {
        if (dup2(from[i], plan->fd[i].theirs) == -1) {
            return;
        }
        if ((unsigned) plan->fd[i].theirs >= next) {
            next = (unsigned) plan->fd[i].theirs + 1;
        }
    }

    if (syscall(SYS_close_range, next, ~0U, CLOSE_RANGE_CLOEXEC) == -1) {
        return;
    }

    (void) syscall(SYS_execveat, self, "", plan->argv.item, environment,
                   AT_EMPTY_PATH);
}


pid_t
codr_child_start(const codr_child_plan_t *plan)
{
    pid_t pid, parent = getpid();

    pid = fork();
    if (pid == -1) {
        return -errno;
    }

    if (pid == 0) {
        become(plan, parent);
        _exit(EXIT_FAILURE);
    }

    return pid;
}


void
codr_throttle_started(codr_throttle_t *throttle, uint64_t now_us)
{
    throttle->started_us = now_us;
}


uint64_t
codr_throttle_ended(codr_throttle_t *throttle, uint64_t now_us)
{
    uint64_t delay = DELAY_US;
    unsigned i;

    if (now_us - throttle->started_us > LIVED_US) {
        throttle->failures = 0;
        return 0;
    }

    throttle->failures++;
    for (i = 1; i < throttle->failures && delay < DELAY_MAX; i++) {
        delay *= 2;
    }

    return delay < DELAY_MAX ? delay : DELAY_MAX;
}
