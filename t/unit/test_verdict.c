/*
 * Verdicts: why a program ended, the first reason winning.
 */

#define _GNU_SOURCE

#include "tap.h"

#include <errno.h>
#include <signal.h>

#include "../../sandbox/codr_verdict.h"

#define EXITED(code)    ((code) << 8)


static codr_sandbox_end_t
reported(int wait_status)
{
    return (codr_sandbox_end_t) { .reported = true,
                                  .wait_status = wait_status };
}


static void
check(codr_sandbox_end_t end, codr_status_t status, int exit_code,
    const char *name)
{
    codr_verdict_t  verdict = codr_verdict(&end);

    tap_text(codr_status_name(verdict.status), codr_status_name(status),
             name);
    tap_number(verdict.exit_code, exit_code, name);
    tap_number(verdict.signo, exit_code < 0 ? -exit_code : 0, name);
}


int
main(void)
{
    codr_sandbox_end_t  end;

    check(reported(EXITED(0)), CODR_STATUS_OK, 0, "exit 0");
    check(reported(EXITED(255)), CODR_STATUS_ERROR, 255, "exit 255");
    check(reported(SIGSEGV), CODR_STATUS_SIGNALED, -SIGSEGV, "SIGSEGV");
    check(reported(SIGXCPU), CODR_STATUS_CPU_LIMIT, -SIGXCPU, "SIGXCPU");
    end = reported(SIGXCPU);
    end.cpu_counted = true;
    check(end, CODR_STATUS_SIGNALED, -SIGXCPU, "SIGXCPU of its own");
    end.cpu_over = true;
    check(end, CODR_STATUS_CPU_LIMIT, -SIGXCPU, "SIGXCPU of the limit");
    check(reported(SIGXFSZ), CODR_STATUS_DISK_LIMIT, -SIGXFSZ, "SIGXFSZ");

    end = reported(SIGKILL);
    check(end, CODR_STATUS_SIGNALED, -SIGKILL, "SIGKILL of its own");
    end.cpu_over = true;
    check(end, CODR_STATUS_CPU_LIMIT, -SIGKILL, "it ignored SIGXCPU");

    end = reported(EXITED(1));
    end.flags = CODR_EXITED_DISK_FULL;
    check(end, CODR_STATUS_DISK_LIMIT, 1, "failed with a full disk");
    end.oom_events = 1;
    check(end, CODR_STATUS_MEMORY_LIMIT, 1, "failed without memory");

    end.wait_status = EXITED(0);
    check(end, CODR_STATUS_OK, 0, "succeeded all the same");

    end = (codr_sandbox_end_t) { .killed = true,
                                 .reason = CODR_STATUS_WALL_LIMIT };
    check(end, CODR_STATUS_WALL_LIMIT, -SIGKILL, "ended by us");
    end.oom_events = 3;
    check(end, CODR_STATUS_WALL_LIMIT, -SIGKILL, "the first reason wins");

    end.unread = true;
    check(end, CODR_STATUS_WALL_LIMIT, -SIGKILL, "though output was lost");
    end = reported(EXITED(0));
    end.unread = true;
    check(end, CODR_STATUS_INTERNAL, -SIGKILL, "all is well, but its output");

    end = (codr_sandbox_end_t) { .killed = false };
    check(end, CODR_STATUS_INTERNAL, -SIGKILL, "gone without a word");
    end.oom_events = 1;
    check(end, CODR_STATUS_MEMORY_LIMIT, -SIGKILL, "init without memory");

    end = (codr_sandbox_end_t) { .failed = true, .step = CODR_STEP_EXEC,
                                 .error = ENOEXEC };
    tap_ok(codr_verdict_no_program(&end), "junk is no program");
    end.error = ENOMEM;
    tap_ok(!codr_verdict_no_program(&end), "want of memory is not its fault");
    end = (codr_sandbox_end_t) { .failed = true, .step = CODR_STEP_FILES,
                                 .error = ENOENT };
    tap_ok(!codr_verdict_no_program(&end), "nor what failed before it");

    return tap_done();
}
