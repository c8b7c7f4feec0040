/*
 * The supervisor's children: a broker, a spawner, and spawners of earlier
 * configurations whose jobs finish.  Runs in the supervisor.
 *
 * A broker and a spawner belong together: a spawner whose broker is gone ends
 * all its sandboxes and itself.  A spawner alone can be replaced, after its
 * death or, with another configuration, while the old one's jobs finish.
 */

#define _GNU_SOURCE

#include "codr_family.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "codr_io.h"
#include "codr_ipc.h"
#include "codr_log.h"
#include "codr_user.h"
#include "codr_util.h"

#define LEAVE_US        5000000     /* for the children to end by themselves */
#define FAILURES_TOLD   3           /* quick ends until jobs are refused */


static void start_broker(codr_family_t *family);
static void start_spawner(codr_family_t *family);


/* What the broker is told */


static int
tell_broker(codr_family_t *family, codr_control_kind_t kind,
    uint64_t generation, int fd)
{
    int            result;
    codr_control_t control = {
        .version = CODR_IPC_VERSION, .kind = kind, .generation = generation,
    };

    if (family->broker.pid == 0) {
        return -ENOTCONN;
    }

    result = codr_io_send_one(family->broker.control, &control,
                              sizeof(control), &fd, fd != -1);
    if (result < 0 && result != -EPIPE) {
        codr_log(CODR_LEVEL_ERROR, -result, "tell the broker");
    }
    return result;
}


static void __attribute__((format(printf, 2, 3)))
tell_cause(codr_family_t *family, const char *format, ...)
{
    va_list        args;
    codr_control_t control = {
        .version = CODR_IPC_VERSION, .kind = CODR_CONTROL_NO_SPAWNER,
    };

    va_start(args, format);
    (void) vsnprintf(control.cause, sizeof(control.cause), format, args);
    va_end(args);

    codr_log(CODR_LEVEL_FATAL, 0, "%s", control.cause);
    if (family->broker.pid != 0) {
        /* a broker that does not take it is about to be replaced */
        (void) codr_io_send_one(family->broker.control, &control,
                                sizeof(control), NULL, 0);
    }
}


/* Children */


static void
start_due(codr_timer_t *timer)
{
    codr_family_t *family = timer->data;

    if (timer == &family->broker.timer) {
        start_broker(family);
    } else {
        start_spawner(family);
    }
}


static void
start_later(codr_family_t *family, codr_relative_t *child)
{
    uint64_t now = codr_now_us();
    uint64_t delay = codr_throttle_ended(&child->throttle, now);

    child->timer.handler = start_due;
    child->timer.data = family;
    if (codr_timer_set(&family->loop->timers, &child->timer,
                       now + delay) < 0)
    {
        codr_loop_stop(family->loop);  /* it could never start again */
    }
}


static int
add_words(codr_list_t *list, const char *first, const char *second)
{
    int result = codr_list_add(list, first, strlen(first));

    if (result == 0 && second) {
        result = codr_list_add(list, second, strlen(second));
    }

    return result;
}


static int
add_number(codr_list_t *list, const char *option, uint64_t number)
{
    char text[32];

    (void) snprintf(text, sizeof(text), "%llu", (unsigned long long) number);
    return add_words(list, option, text);
}


static int
add_uids(codr_list_t *list, const codr_settings_t *settings)
{
    char text[32];

    (void) snprintf(text, sizeof(text), "%u:%u", settings->uid_base,
                    settings->uid_count);
    return add_words(list, "--uids", text);
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


/* Starts a child with a control socket and the descriptors of its plan. */
static int
start_child(codr_family_t *family, codr_relative_t *child,
    codr_child_plan_t *plan)
{
    int   pair[2] = { -1, -1 }, result;
    pid_t pid;

    result = open_pair(pair);
    if (result < 0) {
        return result;
    }

    plan->self = family->self;
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


static int
broker_argv(const codr_family_t *family, codr_list_t *argv)
{
    int result = add_words(argv, "codr-sandboxd", "broker");

    if (result == 0) {
        result = add_uids(argv, family->settings);
    }
    if (result == 0) {
        result = add_number(argv, "--uid", family->uid);
    }
    if (result == 0) {
        result = add_number(argv, "--gid", family->gid);
    }

    return result;
}


static void
start_broker(codr_family_t *family)
{
    int               result;
    codr_child_plan_t plan = {
        .fd = { { family->log[0], CODR_FD_LOG },
                { family->log[1], CODR_FD_LOG_SELF } },
        .fds = 2,
    };

    result = broker_argv(family, &plan.argv);
    if (result == 0) {
        result = start_child(family, &family->broker, &plan);
    }
    codr_list_free(&plan.argv);

    if (result < 0) {
        codr_log(CODR_LEVEL_FATAL, -result, "start the broker");
        start_later(family, &family->broker);
        return;
    }

    codr_log_init("supervisor", family->log[1]);

    if (family->config) {
        (void) tell_broker(family, CODR_CONTROL_CONFIG,
                           family->config->generation, family->memfd);
    }
    if (family->listener != -1) {
        (void) tell_broker(family, CODR_CONTROL_LISTENER, 0, family->listener);
    }

    start_spawner(family);
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

    result = add_words(argv, "codr-sandboxd", "spawner");
    if (result == 0) {
        result = add_uids(argv, settings);
    }
    if (result == 0 && settings->cgroup) {
        result = add_words(argv, "--cgroup", settings->cgroup);
    }
    if (result == 0 && capacity.memory) {
        result = add_number(argv, "--total-memory", capacity.memory);
    }
    if (result == 0 && capacity.cpu_milli) {
        result = add_number(argv, "--total-cpu", capacity.cpu_milli);
    }

    for (i = 0; result == 0 && i < config->binds.count; i++) {
        result = add_words(argv, "--bind", config->binds.item[i]);
    }
    for (i = 0; result == 0 && i < config->allow_missing.count; i++) {
        result = add_words(argv, "--allow", config->allow_missing.item[i]);
    }

    return result;
}


/* 0, or negative errno; the broker has the other end of peer then. */
static int
try_spawner(codr_family_t *family, const codr_list_t *argv)
{
    int               peer[2], result;
    codr_child_plan_t plan = {
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

    result = start_child(family, &family->spawner, &plan);
    if (result == 0) {
        (void) tell_broker(family, CODR_CONTROL_SPAWNER, 0, peer[0]);
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
    codr_timer_clear(&family->loop->timers, &family->spawner.timer);

    result = spawner_argv(family, &argv);
    if (result == 0) {
        result = try_spawner(family, &argv);
    }
    if (result < 0) {
        codr_list_free(&argv);
        tell_cause(family, "the spawner cannot be started: %s",
                   strerror(-result));
        start_later(family, &family->spawner);
        return;
    }

    codr_list_free(&family->spawner_argv);
    family->spawner_argv = argv;
}


/* The present spawner goes on until the broker has no jobs on it. */
static void
retire_spawner(codr_family_t *family)
{
    size_t i;

    if (family->spawner.pid == 0) {
        return;
    }

    for (i = 0; i < CODR_FAMILY_RETIRED - 1; i++) {
        if (family->retired[i].pid == 0) {
            break;
        }
    }

    /* with too many of them the last one's jobs are ended */
    codr_close(&family->retired[i].control);
    family->retired[i].pid = family->spawner.pid;
    family->retired[i].control = family->spawner.control;
    family->spawner.pid = 0;
    family->spawner.control = -1;
}


static bool
same(const codr_list_t *a, const codr_list_t *b)
{
    size_t i;

    for (i = 0; i < a->count && i < b->count; i++) {
        if (strcmp(a->item[i], b->item[i]) != 0) {
            return false;
        }
    }

    return a->count == b->count;
}


/* A spawner is started with what the configuration says: another one, when
   that has changed. */
static void
renew_spawner(codr_family_t *family)
{
    bool        changed;
    codr_list_t argv = { NULL, 0 };

    changed = spawner_argv(family, &argv) < 0
              || !same(&argv, &family->spawner_argv);
    codr_list_free(&argv);

    if (changed) {
        retire_spawner(family);
        family->spawner.throttle.failures = 0;
        start_spawner(family);
    }
}


/* Ends of children */


static void
describe_end(char *text, size_t size, int wait_status)
{
    if (WIFSIGNALED(wait_status)) {
        (void) snprintf(text, size, "signal %d", WTERMSIG(wait_status));
    } else {
        (void) snprintf(text, size, "exit status %d",
                        WEXITSTATUS(wait_status));
    }
}


static void
broker_ended(codr_family_t *family, const char *how)
{
    codr_close(&family->broker.control);
    family->broker.pid = 0;
    codr_log_init("supervisor", -1);

    if (family->leaving) {
        return;
    }

    codr_log(CODR_LEVEL_FATAL, 0, "the broker ended with %s", how);
    family->broker_up(family, false);
    retire_spawner(family);     /* it sees that its broker is gone */
    start_later(family, &family->broker);
}


static void
spawner_ended(codr_family_t *family, const char *how)
{
    codr_relative_t *spawner = &family->spawner;

    codr_close(&spawner->control);
    spawner->pid = 0;

    if (family->leaving) {
        return;
    }

    start_later(family, spawner);
    if (spawner->throttle.failures >= FAILURES_TOLD) {
        tell_cause(family, "the sandbox cannot be set up: the spawner"
                   " ended with %s", how);
    } else {
        codr_log(CODR_LEVEL_FATAL, 0, "the spawner ended with %s", how);
    }
}


static void
child_ended(codr_family_t *family, pid_t pid, int wait_status)
{
    char   how[64];
    size_t i;

    describe_end(how, sizeof(how), wait_status);

    if (pid == family->broker.pid) {
        broker_ended(family, how);
    } else if (pid == family->spawner.pid) {
        spawner_ended(family, how);
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

    return family->broker.pid != 0 || family->spawner.pid != 0;
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
kill_child(codr_relative_t *child)
{
    if (child->pid != 0) {
        (void) kill(child->pid, SIGKILL);   /* not reaped: still ours */
    }
}


static void
leave_due(codr_timer_t *timer)
{
    size_t        i;
    codr_family_t *family = timer->data;

    codr_log(CODR_LEVEL_ERROR, ETIMEDOUT, "wait for the other roles to end");

    kill_child(&family->broker);
    kill_child(&family->spawner);
    for (i = 0; i < CODR_FAMILY_RETIRED; i++) {
        kill_child(&family->retired[i]);
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

    codr_timer_clear(&family->loop->timers, &family->broker.timer);
    codr_timer_clear(&family->loop->timers, &family->spawner.timer);
    codr_close(&family->broker.control);
    codr_close(&family->spawner.control);
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

    (void) tell_broker(family, CODR_CONTROL_CONFIG, generation, memfd);
    renew_spawner(family);
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
    return tell_broker(family, kind, generation, fd);
}


static void
init(codr_family_t *family)
{
    size_t i;

    family->self = -1;
    family->log[0] = family->log[1] = -1;
    family->memfd = -1;
    family->broker.control = -1;
    family->spawner.control = -1;

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

    return result;
}


void
codr_family_start(codr_family_t *family)
{
    start_broker(family);
}
