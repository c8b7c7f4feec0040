/*
 * The supervisor's children: a broker, a spawner, a validator, and those of
 * earlier configurations that finish.  Runs in the supervisor.
 *
 * A broker and a spawner belong together: a spawner whose broker is gone ends
 * all its sandboxes and itself.  A spawner alone can be replaced, after its
 * death or, with another configuration, while the old one's jobs finish.  A
 * validator is of one configuration: the broker lets the old one go when the
 * next one is ready.
 */

#define _GNU_SOURCE

#include "codr_family.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "codr_argv.h"
#include "codr_checker.h"
#include "codr_ipc.h"
#include "codr_log.h"
#include "codr_tell.h"
#include "codr_user.h"
#include "codr_util.h"
#include "codr_zygote_argv.h"

#define LEAVE_US        5000000     /* for the children to end by themselves */
#define FAILURES_TOLD   3           /* quick ends until jobs are refused */


static void start_broker(codr_family_t *family);
static void start_spawner(codr_family_t *family);
static void start_validator(codr_family_t *family);


/* Children */


static int
broker_argv(const codr_family_t *family, codr_list_t *argv)
{
    int result = codr_argv_add(argv, "codr-sandboxd", "broker");

    if (result == 0) {
        result = codr_argv_uids(argv, family->settings);
    }
    if (result == 0) {
        result = codr_argv_number(argv, "--uid", family->uid);
    }
    if (result == 0) {
        result = codr_argv_number(argv, "--gid", family->gid);
    }

    return result;
}


/* One that does not hear of it would wait for ever, or go on by what was true
   before: the next one is told. */
static void
tell_or_kill(codr_family_t *family, codr_control_kind_t kind,
    uint64_t generation, int fd)
{
    if (codr_tell(&family->broker, kind, generation, fd) < 0) {
        codr_relative_kill(&family->broker);
    }
}


static void
start_broker(codr_family_t *family)
{
    int               result;
    codr_child_plan_t plan = {
        .self = family->self,
        .fd = { { family->log[0], CODR_FD_LOG },
                { family->log[1], CODR_FD_LOG_SELF } },
        .fds = 2,
    };

    result = broker_argv(family, &plan.argv);
    if (result == 0) {
        result = codr_relative_start(&family->broker, &plan);
    }
    codr_list_free(&plan.argv);

    if (result < 0) {
        codr_log(CODR_LEVEL_FATAL, -result, "start the broker");
        codr_relative_failed(&family->broker);
        return;
    }

    codr_log_init("supervisor", family->log[1]);

    if (family->config) {
        tell_or_kill(family, CODR_CONTROL_CONFIG, family->config->generation,
                     family->memfd);
    }
    if (family->listener != -1) {
        tell_or_kill(family, CODR_CONTROL_LISTENER, 0, family->listener);
    }

    start_spawner(family);
    start_validator(family);
    family->broker_up(family, true);
}


static int
spawner_argv(const codr_family_t *family, codr_list_t *argv)
{
    int                    result;
    size_t                 i;
    codr_capacity_t        capacity;
    const codr_config_t   *config = family->config;
    const codr_settings_t *settings = family->settings;

    codr_capacity_compute(&capacity, config, &family->host,
                          settings->uid_count - 1);

    result = codr_argv_add(argv, "codr-sandboxd", "spawner");
    if (result == 0) {
        result = codr_argv_uids(argv, settings);
    }
    if (result == 0 && settings->cgroup) {
        result = codr_argv_add(argv, "--cgroup", settings->cgroup);
    }
    if (result == 0 && capacity.memory) {
        result = codr_argv_number(argv, "--total-memory", capacity.memory);
    }
    if (result == 0 && capacity.cpu_milli) {
        result = codr_argv_number(argv, "--total-cpu", capacity.cpu_milli);
    }

    for (i = 0; result == 0 && i < config->binds.count; i++) {
        result = codr_argv_add(argv, "--bind", config->binds.item[i]);
    }
    for (i = 0; result == 0 && i < config->allow_missing.count; i++) {
        result = codr_argv_add(argv, "--allow", config->allow_missing.item[i]);
    }

    if (result == 0 && family->lacking) {
        result = codr_list_add(argv, "--again", strlen("--again"));
    }

    return result == 0 ? codr_zygote_argv(argv, config) : result;
}


/* 0, or negative errno; the broker has the other end of peer then. */
static int
try_spawner(codr_family_t *family, const codr_list_t *argv)
{
    int               peer[2], result;
    codr_child_plan_t plan = {
        .self = family->self,
        .argv = *argv,
        .fd = { { family->log[1], CODR_FD_LOG },
                { family->self, CODR_FD_SELF } },
        .fds = 2,
    };

    result = socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, peer);
    if (result == -1) {
        return -errno;
    }

    plan.fd[plan.fds++] = (codr_child_fd_t) { peer[1], CODR_FD_PEER };

    result = codr_relative_start(&family->spawner, &plan);
    if (result == 0) {
        (void) codr_tell(&family->broker, CODR_CONTROL_SPAWNER, 0, peer[0]);
    }

    codr_close(&peer[0]);
    codr_close(&peer[1]);
    return result;
}


static void
start_spawner(codr_family_t *family)
{
    int         result;
    codr_list_t argv = { NULL, 0 };

    if (family->config == NULL || family->broker.pid == 0
        || family->spawner.pid != 0 || family->leaving)
    {
        return;
    }
    codr_relative_wait(&family->spawner);

    result = spawner_argv(family, &argv);
    if (result == 0) {
        result = try_spawner(family, &argv);
    }
    if (result < 0) {
        codr_list_free(&argv);
        codr_tell_cause(&family->broker, CODR_CONTROL_NO_SPAWNER,
                        "the spawner cannot be started: %s",
                        strerror(-result));
        codr_relative_failed(&family->spawner);
        return;
    }

    codr_list_free(&family->spawner_argv);
    family->spawner_argv = argv;
}


/* It goes on until the broker has no use for it any more. */
static void
retire(codr_family_t *family, codr_relative_t *child)
{
    size_t i;

    if (child->pid == 0) {
        return;
    }

    for (i = 0; i < CODR_FAMILY_RETIRED - 1; i++) {
        if (family->retired[i].pid == 0) {
            break;
        }
    }

    /* with too many of them the last one's jobs are ended */
    codr_close(&family->retired[i].control);
    family->retired[i].pid = child->pid;
    family->retired[i].control = child->control;
    child->pid = 0;
    child->control = -1;
}


/* A spawner is started with what the configuration says: another one, when
   that has changed. */
static void
renew_spawner(codr_family_t *family)
{
    bool        changed;
    codr_list_t argv = { NULL, 0 };

    changed = spawner_argv(family, &argv) < 0
              || !codr_argv_same(&argv, &family->spawner_argv);
    codr_list_free(&argv);

    if (changed) {
        retire(family, &family->spawner);
        family->spawner.throttle.failures = 0;
        start_spawner(family);
    }
}


/* In service mode nginx's locations may ask for more than ours do. */
static bool
wants_validator(const codr_family_t *family)
{
    return family->listener != -1 || codr_checker_wanted(family->config);
}


static void
start_validator(codr_family_t *family)
{
    int                 result;
    codr_checker_plan_t plan = {
        .self = family->checker, .log = family->log[1], .uid = family->uid,
        .gid = family->gid, .config = family->config,
    };

    if (family->config == NULL || family->broker.pid == 0
        || family->validator.pid != 0 || family->leaving
        || !wants_validator(family))
    {
        return;
    }
    codr_relative_wait(&family->validator);

    result = codr_checker_start(&family->validator, &family->broker, &plan);
    if (result < 0) {
        codr_tell_cause(&family->broker, CODR_CONTROL_NO_VALIDATOR,
                        "the validator cannot be started: %s",
                        strerror(-result));
        codr_relative_failed(&family->validator);
    }
}


/* Policies are read again with every configuration. */
static void
renew_validator(codr_family_t *family)
{
    retire(family, &family->validator);
    family->validator.throttle.failures = 0;
    start_validator(family);
}


/* Ends of children */


static void
broker_ended(codr_family_t *family, const char *how)
{
    codr_relative_gone(&family->broker);
    codr_log_init("supervisor", -1);

    if (family->leaving) {
        return;
    }

    codr_log(CODR_LEVEL_FATAL, 0, "the broker ended with %s", how);
    family->broker_up(family, false);
    retire(family, &family->spawner);   /* they see that their broker */
    retire(family, &family->validator); /* is gone */
    codr_relative_later(&family->broker);
}


/* A role that sees its broker gone leaves with 0, and may be reaped before the
   broker, whose end is then told. */
static codr_level_t
level_of_end(int wait_status)
{
    return wait_status == 0 ? CODR_LEVEL_INFO : CODR_LEVEL_FATAL;
}


static void
spawner_ended(codr_family_t *family, const char *how, int wait_status)
{
    codr_relative_t *spawner = &family->spawner;

    codr_relative_gone(spawner);

    if (family->leaving) {
        return;
    }

    codr_relative_later(spawner);
    family->lacking = WIFEXITED(wait_status)
                      && WEXITSTATUS(wait_status) == CODR_EXIT_LACKING;

    if (family->lacking) {
        return;
    }
    if (spawner->throttle.failures >= FAILURES_TOLD) {
        codr_tell_cause(&family->broker, CODR_CONTROL_NO_SPAWNER,
                        "the sandbox cannot be set up: the spawner ended"
                        " with %s", how);
    } else {
        codr_log(level_of_end(wait_status), 0, "the spawner ended with %s",
                 how);
    }
}


static void
validator_ended(codr_family_t *family, const char *how, int wait_status)
{
    codr_relative_t *validator = &family->validator;

    codr_relative_gone(validator);

    if (family->leaving) {
        return;
    }

    codr_relative_later(validator);
    if (validator->throttle.failures >= FAILURES_TOLD) {
        codr_tell_cause(&family->broker, CODR_CONTROL_NO_VALIDATOR,
                        "programs cannot be checked: the validator ended"
                        " with %s", how);
    } else {
        codr_log(level_of_end(wait_status), 0, "the validator ended with %s",
                 how);
    }
}


static void
child_ended(codr_family_t *family, pid_t pid, int wait_status)
{
    char   how[64];
    size_t i;

    codr_relative_describe(how, sizeof(how), wait_status);

    if (pid == family->broker.pid) {
        broker_ended(family, how);
    } else if (pid == family->spawner.pid) {
        spawner_ended(family, how, wait_status);
    } else if (pid == family->validator.pid) {
        validator_ended(family, how, wait_status);
    }

    for (i = 0; i < CODR_FAMILY_RETIRED; i++) {
        if (family->retired[i].pid == pid) {
            codr_close(&family->retired[i].control);
            family->retired[i].pid = 0;
        }
    }
}


static bool
has_children(const codr_family_t *family)
{
    size_t i;

    for (i = 0; i < CODR_FAMILY_RETIRED; i++) {
        if (family->retired[i].pid != 0) {
            return true;
        }
    }

    return family->broker.pid != 0 || family->spawner.pid != 0
           || family->validator.pid != 0;
}


void
codr_family_reap(codr_family_t *family)
{
    int   wait_status;
    pid_t pid;

    while ((pid = waitpid(-1, &wait_status, WNOHANG)) > 0) {
        child_ended(family, pid, wait_status);
    }

    if (family->leaving && !has_children(family)) {
        codr_loop_stop(family->loop);
    }
}


static void
leave_due(codr_timer_t *timer)
{
    size_t        i;
    codr_family_t *family = timer->data;

    codr_log(CODR_LEVEL_ERROR, ETIMEDOUT, "wait for the other roles to end");

    codr_relative_kill(&family->broker);
    codr_relative_kill(&family->spawner);
    codr_relative_kill(&family->validator);
    for (i = 0; i < CODR_FAMILY_RETIRED; i++) {
        codr_relative_kill(&family->retired[i]);
    }
}


/* Closing their control sockets ends the children; the last one ends us. */
void
codr_family_leave(codr_family_t *family)
{
    size_t i;

    if (family->leaving) {
        return;
    }
    family->leaving = true;

    codr_relative_wait(&family->broker);
    codr_relative_wait(&family->spawner);
    codr_relative_wait(&family->validator);
    codr_close(&family->broker.control);
    codr_close(&family->spawner.control);
    codr_close(&family->validator.control);
    for (i = 0; i < CODR_FAMILY_RETIRED; i++) {
        codr_close(&family->retired[i].control);
    }

    family->leave_timer.handler = leave_due;
    family->leave_timer.data = family;
    if (!has_children(family)
        || codr_timer_set(&family->loop->timers, &family->leave_timer,
                          codr_now_us() + LEAVE_US) < 0)
    {
        codr_loop_stop(family->loop);
    }
}


int
codr_family_configure(codr_family_t *family, int memfd,
    uint64_t generation)
{
    int            result;
    codr_config_t *config;

    result = codr_config_read(&config, memfd, generation);
    if (result < 0) {
        codr_close(&memfd);
        return result;
    }

    codr_config_unref(family->config);
    codr_close(&family->memfd);
    family->config = config;
    family->memfd = memfd;

    tell_or_kill(family, CODR_CONTROL_CONFIG, generation, memfd);
    renew_spawner(family);
    renew_validator(family);
    return 0;
}


/* Start */


/* The broker's user: root's helper has one of its own, anybody else's is
   theirs. */
static int
choose_user(codr_family_t *family)
{
    int                    rc;
    const codr_settings_t *settings = family->settings;

    family->uid = getuid();
    family->gid = getgid();

    if (geteuid() != 0) {
        return 0;
    }

    family->uid = settings->uid_base;
    family->gid = settings->uid_base;

    if (settings->user) {
        rc = codr_user_find(settings->user, &family->uid, &family->gid);
        if (rc != 0 || family->uid == 0) {
            codr_log(CODR_LEVEL_FATAL, 0, "no user \"%s\", or it is root",
                     settings->user);
            return -ECANCELED;
        }
    }

    return 0;
}


static int
open_log(codr_family_t *family)
{
    if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, family->log)
        == -1)
    {
        return -errno;
    }

    return 0;
}


int
codr_family_tell(codr_family_t *family, codr_control_kind_t kind,
    uint64_t generation, int fd)
{
    return codr_tell(&family->broker, kind, generation, fd);
}


static void
broker_due(codr_relative_t *child)
{
    start_broker(child->data);
}


static void
spawner_due(codr_relative_t *child)
{
    start_spawner(child->data);
}


static void
validator_due(codr_relative_t *child)
{
    start_validator(child->data);
}


static void
init(codr_family_t *family)
{
    size_t i;

    family->self = -1;
    family->log[0] = family->log[1] = -1;
    family->memfd = -1;
    family->checker = codr_checker_open();

    codr_relative_init(&family->broker, family->loop, broker_due, family);
    codr_relative_init(&family->spawner, family->loop, spawner_due, family);
    codr_relative_init(&family->validator, family->loop, validator_due,
                       family);

    for (i = 0; i < CODR_FAMILY_RETIRED; i++) {
        family->retired[i].control = -1;
    }
}


int
codr_family_open(codr_family_t *family)
{
    int result;

    init(family);
    codr_capacity_host(&family->host);

    result = open_log(family);
    if (result == 0) {
        result = choose_user(family);
    }
    if (result == 0) {
        family->self = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
        result = family->self == -1 ? -errno : 0;
    }
    if (result == 0) {
        result = codr_watchdog_open(&family->watchdog[0], "broker",
                                    &family->broker);
    }
    if (result == 0) {
        result = codr_watchdog_open(&family->watchdog[1], "spawner",
                                    &family->spawner);
    }
    if (result == 0) {
        result = codr_watchdog_open(&family->watchdog[2], "validator",
                                    &family->validator);
    }

    return result;
}


void
codr_family_start(codr_family_t *family)
{
    start_broker(family);
}
