/*
 * The status of a finished command.  Runs in the broker; pure.
 */

#define _GNU_SOURCE

#include "codr_verdict.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>


/* How it looks when the broker has ended it. */
static codr_verdict_t
ended(codr_status_t status)
{
    return (codr_verdict_t) { status, -SIGKILL, SIGKILL };
}


static codr_status_t
status_of_failure(const codr_sandbox_end_t *end, int signo)
{
    if (end->oom_events > 0) {
        return CODR_STATUS_MEMORY_LIMIT;
    }
    if ((end->flags & CODR_EXITED_DISK_FULL) || signo == SIGXFSZ) {
        return CODR_STATUS_DISK_LIMIT;
    }
    /* of RLIMIT_CPU, not of the program's own; without a cgroup nobody knows
       how much exactly that is */
    if ((signo == SIGXCPU && (end->cpu_over || !end->cpu_counted))
        || (signo == SIGKILL && end->cpu_over))
    {
        return CODR_STATUS_CPU_LIMIT;
    }

    return signo ? CODR_STATUS_SIGNALED : CODR_STATUS_ERROR;
}


codr_verdict_t
codr_verdict(const codr_sandbox_end_t *end)
{
    codr_verdict_t verdict = { .status = CODR_STATUS_OK };

    if (end->killed && end->reason != CODR_STATUS_INTERNAL) {
        return ended(end->reason);
    }

    if (end->unread) {
        return ended(CODR_STATUS_INTERNAL);
    }

    /* an init that is gone without a word was killed for want of memory, or
       something is wrong with us */
    if (end->killed || !end->reported) {
        return ended(end->oom_events > 0 ? CODR_STATUS_MEMORY_LIMIT
                                         : CODR_STATUS_INTERNAL);
    }

    if (WIFSIGNALED(end->wait_status)) {
        verdict.signo = WTERMSIG(end->wait_status);
        verdict.exit_code = -verdict.signo;
    } else {
        verdict.exit_code = WEXITSTATUS(end->wait_status);
    }

    if (verdict.exit_code != 0) {
        verdict.status = status_of_failure(end, verdict.signo);
    }

    return verdict;
}


bool
codr_verdict_no_program(const codr_sandbox_end_t *end)
{
    if (!end->failed || end->step != CODR_STEP_EXEC) {
        return false;
    }

    switch (end->error) {

    case ENOEXEC:
    case ELIBBAD:
    case EINVAL:
    case E2BIG:
        return true;

    case ENOENT:                /* of its interpreter, as the next ones */
    case ENOTDIR:
    case EISDIR:
    case ELOOP:
    case ENAMETOOLONG:
    case EACCES:
        return true;

    default:
        return false;
    }
}
