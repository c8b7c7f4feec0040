/*
 * Short and long turns: the same policy and share, and what the kernel keeps of
 * it.
 */

#define _GNU_SOURCE

#include "tap.h"

#include <linux/sched/types.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../sandbox/codr_turn.h"

#define SHORT_NS    500000
#define LONG_NS     10000000

static struct sched_attr before;


static bool
look(struct sched_attr *ret)
{
    return syscall(SYS_sched_getattr, 0, ret, sizeof(*ret), 0) == 0;
}


static void
check(int result, uint64_t ns, const char *name)
{
    struct sched_attr after;

    tap_number(result, 0, name);
    tap_ok(look(&after), "how it is then");
    tap_number(after.sched_policy, before.sched_policy,
               "the policy is the same");
    tap_number(after.sched_nice, before.sched_nice, "and the share");
    tap_number(after.sched_runtime, before.sched_runtime == 0 ? 0 : ns,
               "a kernel that knows of turns has taken it");
}


static bool
is_passed_on(void)
{
    int               status = -1;
    pid_t             pid;
    struct sched_attr own;

    (void) fflush(stdout);
    pid = fork();
    if (pid == 0) {
        _exit(look(&own) && own.sched_runtime == before.sched_runtime ? 0 : 1);
    }

    return pid == -1 || waitpid(pid, &status, 0) != pid || status != 0;
}


int
main(void)
{
    tap_ok(look(&before), "how it is");
    tap_ok(before.sched_runtime == 0 || (before.sched_runtime > SHORT_NS
                                         && before.sched_runtime < LONG_NS),
           "turns are neither short nor long");

    check(codr_turn_short(), SHORT_NS, "short turns are asked for");
    tap_ok(!is_passed_on(), "a child has turns as before");
    check(codr_turn_long(), LONG_NS, "long turns are asked for");

    return tap_done();
}
