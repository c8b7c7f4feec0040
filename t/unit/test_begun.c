/*
 * What was to run and cannot any more, as its spawner is gone: it is not told
 * as begun, whether its description says that it runs or not.
 */

#include "tap.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../../sandbox/codr_ipc.h"
#include "../../sandbox/codr_sandbox.h"

static codr_loop_t     loop;
static codr_sandbox_t  sandbox;


/* A sandbox in that state whose description was told to run, or was not. */
static int
run(codr_sandbox_state_t state, uint32_t flags)
{
    int  ends[2], result;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == -1) {
        perror("socketpair");
        _exit(1);
    }

    codr_sandbox_init(&sandbox, &loop, NULL, NULL);
    sandbox.init.fd = ends[0];
    tap_number(codr_sandbox_describe(&sandbox, flags, 0, "", 0, NULL, 0), 0,
               "a description");
    sandbox.state = state;
    result = codr_sandbox_run(&sandbox, 0, 1);

    codr_sandbox_free(&sandbox);
    (void) close(ends[1]);
    return result;
}


int
main(void)
{
    if (codr_loop_init(&loop) < 0) {
        return 1;
    }

    tap_number(run(CODR_SANDBOX_STARTING, 0), 0, "it runs");
    tap_ok(sandbox.run_us != 0, "from now on");
    tap_number(run(CODR_SANDBOX_STARTING, CODR_DESCRIBE_RUN), 0,
               "as its description says");
    tap_ok(sandbox.run_us != 0, "from now on, too");

    tap_number(run(CODR_SANDBOX_GONE, 0), -ENOTCONN, "one that is gone");
    tap_number(run(CODR_SANDBOX_GONE, CODR_DESCRIBE_RUN), -ENOTCONN,
               "whatever its description says");
    tap_number(run(CODR_SANDBOX_IDLE, CODR_DESCRIBE_RUN), -ENOTCONN,
               "one whose job waits for the next spawner");
    tap_number(sandbox.run_us, 0, "does not run");
    codr_loop_free(&loop);

    return tap_done();
}
