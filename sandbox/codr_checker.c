/*
 * Starts codr-validator with the policies of a configuration.  Runs in the
 * supervisor, which reads none of them.
 */

#define _GNU_SOURCE

#include "codr_checker.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "codr_argv.h"
#include "codr_ipc.h"
#include "codr_tell.h"
#include "codr_util.h"

#define PLAN_MAX    (PATH_MAX + 2 * CODR_NAME_MAX)


int
codr_checker_open(void)
{
    int  fd, result;
    char path[PATH_MAX];

    result = codr_beside(path, sizeof(path), "codr-validator");
    if (result < 0) {
        return result;
    }

    fd = open(path, O_RDONLY | O_CLOEXEC);
    return fd == -1 ? -errno : fd;
}


bool
codr_checker_wanted(const codr_config_t *config)
{
    size_t i;

    for (i = 0; i < config->locations; i++) {
        if (config->location[i].policy_mode != CODR_POLICY_OFF) {
            return true;
        }
    }

    return false;
}


/* LANGUAGE=GRAMMAR:FILE, as codr-validator takes it. */
static int
add_plan(codr_list_t *argv, const codr_language_t *language)
{
    int  len;
    char text[PLAN_MAX];

    len = snprintf(text, sizeof(text), "%s=%s:%s", language->name,
                   language->grammar ? language->grammar : "",
                   language->policy ? language->policy : "");

    return len < (int) sizeof(text) ? codr_argv_add(argv, "--plan", text)
                                    : -ENAMETOOLONG;
}


static int
make_argv(codr_list_t *argv, const codr_checker_plan_t *plan)
{
    int                  result;
    size_t               i;
    const codr_config_t *config = plan->config;

    result = codr_argv_add(argv, "codr-validator", "serve");
    if (result == 0) {
        result = codr_argv_number(argv, "--uid", plan->uid);
    }
    if (result == 0) {
        result = codr_argv_number(argv, "--gid", plan->gid);
    }
    if (result == 0 && config->policies) {
        result = codr_argv_add(argv, "--policies", config->policies);
    }
    for (i = 0; result == 0 && i < config->languages; i++) {
        result = add_plan(argv, &config->language[i]);
    }

    return result;
}


int
codr_checker_start(codr_relative_t *validator, const codr_relative_t *broker,
    const codr_checker_plan_t *plan)
{
    int               peer[2], result;
    codr_child_plan_t child = {
        .self = plan->self, .fd = { { plan->log, CODR_FD_LOG } }, .fds = 1,
    };

    if (plan->self < 0) {
        return plan->self;
    }
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, peer) == -1) {
        return -errno;
    }

    child.fd[child.fds++] = (codr_child_fd_t) { peer[1], CODR_FD_PEER };
    result = make_argv(&child.argv, plan);
    if (result == 0) {
        result = codr_relative_start(validator, &child);
    }
    if (result == 0) {
        (void) codr_tell(broker, CODR_CONTROL_VALIDATOR, 0, peer[0]);
    }

    codr_list_free(&child.argv);
    codr_close(&peer[0]);
    codr_close(&peer[1]);
    return result;
}
