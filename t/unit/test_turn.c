/*
 * Short and long turns: the same policy and share, and what the kernel keeps of
 * it.
 */

#define _GNU_SOURCE

#include "tap.h"

#include <linux/sched/types.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../sandbox/codr_turn.h"


int
main(void)
{
    int               status = -1;
    pid_t             pid;
    struct sched_attr before, after;

    tap_number(syscall(SYS_sched_getattr, 0, &before, sizeof(before), 0), 0,
               "how it is");
    tap_number(codr_turn_short(), 0, "short turns are asked for");
    tap_number(syscall(SYS_sched_getattr, 0, &after, sizeof(after), 0), 0,
               "how it is then");
    tap_number(after.sched_policy, before.sched_policy,
               "the policy is the same");
    tap_number(after.sched_nice, before.sched_nice, "and the share");
    tap_ok(after.sched_runtime <= before.sched_runtime
           && (before.sched_runtime == 0 || after.sched_runtime == 500000),
           "a kernel that knows of turns has taken it");

    (void) fflush(stdout);
    pid = fork();
    if (pid == 0) {
        _exit(syscall(SYS_sched_getattr, 0, &after, sizeof(after), 0) == 0
              && after.sched_runtime == before.sched_runtime ? 0 : 1);
    }
    tap_ok(pid > 0 && waitpid(pid, &status, 0) == pid && status == 0,
           "a child has turns as before");

    tap_number(codr_turn_long(), 0, "long turns are asked for");
    tap_number(syscall(SYS_sched_getattr, 0, &after, sizeof(after), 0), 0,
               "how it is then");
    tap_number(after.sched_policy, before.sched_policy,
               "the policy is the same");
    tap_number(after.sched_nice, before.sched_nice, "and the share");
    tap_ok(after.sched_runtime >= before.sched_runtime
           && (before.sched_runtime == 0 || after.sched_runtime == 10000000),
           "a kernel that knows of turns has taken it");
    return tap_done();
}
