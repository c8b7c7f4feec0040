/*
 * A program whose process is there before it may run: nothing of it happens
 * without leave, and the end of who could give it is a refusal.
 */

#define _GNU_SOURCE

#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../sandbox/codr_program.h"
#include "../../sandbox/codr_sanitized.h"
#include "../../sandbox/codr_util.h"

static const codr_spawn_request_t limits = {
    .stack = 8 * 1024 * 1024, .file_size = 1024 * 1024, .open_files = 64,
    .processes = 64, .cpu_seconds = 10,
};

static char *const no_env[] = { NULL };
static char *const prints[] = {
    (char *) (uintptr_t) "/bin/sh", (char *) (uintptr_t) "-c",
    (char *) (uintptr_t) "echo ran", NULL,
};
static char *const missing[] = { (char *) (uintptr_t) "/nothing/there", NULL };

static int null;


static codr_program_t
program(char *const *argv, int out)
{
    return (codr_program_t) {
        .argv = argv, .envp = no_env, .artefact = -1, .headers = -1,
        .terminal = -1, .stdio = { null, out, null }, .limits = &limits,
        .rules = -1,
    };
}


/* It is still a clone of this one. */
static bool
has_executed(pid_t pid)
{
    char    path[64], ours[PATH_MAX] = "", its[PATH_MAX] = "";
    ssize_t n;

    (void) snprintf(path, sizeof(path), "/proc/%d/exe", (int) pid);
    n = readlink(path, its, sizeof(its) - 1);

    return n < 0 || readlink("/proc/self/exe", ours, sizeof(ours) - 1) != n
           || strcmp(ours, its) != 0;
}


/* What it has written by now; all of it when nobody writes any more. */
static size_t
output(int fd, char text[16])
{
    ssize_t n = read(fd, text, 15);

    text[n > 0 ? n : 0] = '\0';
    return n > 0 ? (size_t) n : 0;
}


static void
test_leave(bool given)
{
    int            out[2], gate = -1, status = -1;
    char           text[16];
    pid_t          pid;
    uint32_t       step = CODR_STEP_NONE;
    struct pollfd  said;
    codr_program_t p;

    if (pipe2(out, O_CLOEXEC) == -1) {
        abort();
    }

    p = program(prints, out[1]);
    pid = codr_program_prepare(&p, &gate, &step);
    codr_close(&out[1]);
    tap_ok(pid > 0 && gate >= 0, "a process is prepared");
    tap_ok(!has_executed(pid), "it has not executed its program");
    said = (struct pollfd) { .fd = out[0], .events = POLLIN };
    tap_number(poll(&said, 1, 0), 0, "and is there");

    if (given) {
        tap_number(codr_program_release(pid, &gate, &step), 0, "it may");
        tap_number(gate, -1, "once");
    } else {
        codr_close(&gate);
    }

    tap_ok(output(out[0], text) == (given ? 4 : 0), "it runs if it may");
    tap_text(text, given ? "ran\n" : "", "and only then");
    tap_ok(waitpid(pid, &status, 0) == pid && WIFEXITED(status),
           "it ends by itself");
    if (CODR_SANITIZED && !given) {
        tap_skip("as it should", "ASan takes another stack for an overflow");
    } else {
        tap_number(WEXITSTATUS(status), given ? 0 : 127, "as it should");
    }
    codr_close(&out[0]);
}


static void
test_failures(void)
{
    int            gate = -1;
    pid_t          pid;
    uint32_t       step = CODR_STEP_NONE;
    codr_program_t p = program(missing, null);

    pid = codr_program_prepare(&p, &gate, &step);
    tap_ok(pid > 0, "what is not there is found out later");
    tap_number(codr_program_release(pid, &gate, &step), -ENOENT,
               "when it is executed");
    tap_number(step, CODR_STEP_EXEC, "and said so");
    tap_number(waitpid(-1, NULL, WNOHANG), -1, "nobody is left");

    p = program(prints, null);
    p.stdio[0] = -1;
    tap_number(codr_program_prepare(&p, &gate, &step), -EBADF,
               "streams that are none are found out at once");
    tap_number(step, CODR_STEP_STDIO, "and said so");
    tap_number(gate, -1, "there is no gate");
    tap_number(waitpid(-1, NULL, WNOHANG), -1, "and nobody left");
}


int
main(void)
{
    null = open("/dev/null", O_RDWR | O_CLOEXEC);
    tap_ok(null != -1, "/dev/null");

    test_leave(true);
    test_leave(false);
    test_failures();

    return tap_done();
}
