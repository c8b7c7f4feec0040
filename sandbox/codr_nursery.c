/*
 * The zygotes of a spawner.  Runs in the spawner.  A zygote is less trusted
 * than the spawner and believed only what can be checked: that a pid it names
 * is a child of ours, and nobody else's.  One that says anything odd, or takes
 * too long, is ended, and sandboxes are made without one meanwhile.
 */

#define _GNU_SOURCE

#include "codr_nursery.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "codr_cgroup.h"
#include "codr_io.h"
#include "codr_log.h"
#include "codr_mnt.h"
#include "codr_uid.h"
#include "codr_util.h"

#define LIBRARY         "codr-zygote-python.so"
#define LIBRARY_MAX     (16 * 1024 * 1024)
#define CLONES_MAX      1000        /* then another one takes over */
#define ANSWER_MS       5000        /* for a clone */
#define RETRY_US        1000000ULL  /* after one that ended, doubling */
#define RETRY_DOUBLINGS 6

static char loader[] = "LD_PRELOAD=/proc/self/fd/5";

_Static_assert(CODR_ZYGOTE_LIBRARY == 5, "the loader's path");


bool
codr_nursery_option(codr_nursery_t *nursery, int option, const char *text)
{
    size_t used;

    if (option == 'z' && nursery->argc < CODR_NURSERY_ARGS) {
        nursery->argv[nursery->argc++] = text;
        return true;
    }
    if (option == 'e' && nursery->envc < CODR_NURSERY_ARGS) {
        nursery->env[nursery->envc++] = text;
        return true;
    }
    if (option != 'l') {
        return false;
    }

    used = strlen(nursery->preload);
    return (size_t) snprintf(nursery->preload + used,
                             sizeof(nursery->preload) - used, "%s%s",
                             used ? ":" : CODR_ZYGOTE_PRELOAD "=", text)
           < sizeof(nursery->preload) - used;
}


/* Beside our own executable. */
static int
open_library(void)
{
    char    path[4096];
    char   *slash;
    ssize_t len = readlink("/proc/self/exe", path, sizeof(path) - 1);
    int     fd;

    if (len <= 0) {
        return -errno;
    }
    path[len] = '\0';

    slash = strrchr(path, '/');
    if (slash == NULL
        || (size_t) (slash + 1 - path) + sizeof(LIBRARY) > sizeof(path))
    {
        return -ENAMETOOLONG;
    }
    memcpy(slash + 1, LIBRARY, sizeof(LIBRARY));

    fd = open(path, O_RDONLY | O_CLOEXEC);
    return fd == -1 ? -errno : fd;
}


/* A copy that has no path of the host, sealed. */
static int
copy_library(void)
{
    int                    rc = 0;
    char                   data[16384];
    ssize_t                n, total = 0;
    codr_cleanup_close int from = open_library(), to = -1;

    if (from < 0) {
        return from;
    }

    to = memfd_create("codr-zygote", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (to == -1) {
        return -errno;
    }

    while (rc == 0 && (n = read(from, data, sizeof(data))) > 0) {
        total += n;
        rc = total > LIBRARY_MAX ? -EFBIG
                                 : codr_io_write_all(to, data, (size_t) n);
    }
    if (rc == 0) {
        rc = codr_io_seal(to);
    }

    return rc == 0 ? codr_steal_fd(&to) : rc;
}


/* What every init's Landlock domain has beside the usual, for those of the
   zygote. */
static void
name_paths(codr_nursery_t *nursery)
{
    size_t                 i, used;
    const codr_landlock_t *landlock = &nursery->spawner->landlock;

    used = (size_t) snprintf(nursery->read, sizeof(nursery->read),
                             CODR_ZYGOTE_READ "=");
    for (i = 0; i < landlock->nread && used < sizeof(nursery->read); i++) {
        used += (size_t) snprintf(nursery->read + used,
                                  sizeof(nursery->read) - used, "%s:",
                                  landlock->read[i]);
    }
    if (used >= sizeof(nursery->read)) {
        codr_log(CODR_LEVEL_WARNING, 0, "no zygote: too many binds");
        codr_close(&nursery->library);
    }
}


void
codr_nursery_open(codr_nursery_t *nursery, codr_spawner_t *spawner)
{
    size_t i;

    nursery->spawner = spawner;
    nursery->library = -1;
    for (i = 0; i < CODR_NURSERY_SIZE; i++) {
        nursery->zygote[i].sock = -1;
    }

    if (nursery->argc == 0) {
        return;
    }
    if (spawner->user_ns || spawner->count < CODR_ZYGOTE_SLOTS_MIN
        || nursery->argv[0][0] != '/'
        || !codr_layer_ok(&spawner->layers, CODR_LAYER_UIDS))
    {
        codr_log(CODR_LEVEL_INFO, 0, "no zygote: it takes root, uids to"
                 " spare and an interpreter by full path");
        return;
    }

    nursery->library = copy_library();
    if (nursery->library < 0) {
        codr_log(CODR_LEVEL_WARNING, -nursery->library,
                 "no zygote: open \"%s\" beside the helper", LIBRARY);
        nursery->library = -1;
        return;
    }

    spawner->count -= CODR_ZYGOTE_SLOTS;
}


/* Starting */


static void __attribute__((noreturn))
become_zygote(const codr_nursery_t *nursery, uid_t uid, int sock)
{
    int          i, fd[CODR_ZYGOTE_FDS];
    char *const *argv = (char *const *) (uintptr_t) nursery->argv;
    char *const *env = (char *const *) (uintptr_t) nursery->env;
    const int    from[CODR_ZYGOTE_FDS] = {
        0, 0, 0, sock, nursery->spawner->seccomp.late_fd, nursery->library,
        CODR_FD_LOG,
    };

    /* out of each other's way first */
    for (i = 0; i < CODR_ZYGOTE_FDS; i++) {
        fd[i] = fcntl(from[i], F_DUPFD, CODR_ZYGOTE_FDS);
    }
    for (i = 0; i < CODR_ZYGOTE_FDS; i++) {
        if (dup2(fd[i], i) == -1) {
            _exit(EXIT_FAILURE);
        }
    }

    if (close_range(CODR_ZYGOTE_FDS, ~0U, 0) == -1
        || setgroups(0, NULL) == -1
        || setresgid((gid_t) uid, (gid_t) uid, (gid_t) uid) == -1
        || setresuid(uid, uid, uid) == -1
        || prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == -1)
    {
        _exit(EXIT_FAILURE);
    }

    (void) execve(argv[0], argv, env);
    _exit(EXIT_FAILURE);
}


/* One of the slots that were kept back, whose uid nobody has. */
static uid_t
find_uid(const codr_nursery_t *nursery)
{
    uint32_t              i;
    uid_t                 uid;
    const codr_spawner_t *spawner = nursery->spawner;

    for (i = 0; i < CODR_ZYGOTE_SLOTS; i++) {
        uid = spawner->first_uid + spawner->count + i;
        if (nursery->zygote[0].uid != uid && nursery->zygote[1].uid != uid
            && (spawner->uids < 0 || codr_uid_lease(spawner->uids, uid) == 0))
        {
            return uid;
        }
    }

    return 0;
}


static int
start(codr_nursery_t *nursery, codr_zygote_t *zygote)
{
    int   pair[2];
    uid_t uid = find_uid(nursery);
    pid_t pid;

    if (uid == 0) {
        return -EADDRINUSE;
    }

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == -1) {
        return -errno;
    }

    pid = fork();
    if (pid == 0) {
        become_zygote(nursery, uid, pair[1]);
    }
    codr_close(&pair[1]);
    if (pid == -1) {
        codr_close(&pair[0]);
        return -errno;
    }

    *zygote = (codr_zygote_t) {
        .state = CODR_ZYGOTE_WARMING, .pid = pid, .sock = pair[0], .uid = uid,
    };
    return codr_cgroup_house(&nursery->spawner->cgroup, pid, uid);
}


/* The first one that is not there: the first row is the one in service. */
void
codr_nursery_tend(codr_nursery_t *nursery)
{
    int            rc;
    bool           worn;
    codr_zygote_t *present = &nursery->zygote[0];
    codr_zygote_t *next = &nursery->zygote[1];

    if (nursery->library < 0) {
        return;
    }
    if (nursery->read[0] == '\0') {
        name_paths(nursery);
        nursery->env[nursery->envc] = loader;
        nursery->env[nursery->envc + 1] = nursery->read;
        nursery->env[nursery->envc + 2] = nursery->preload[0]
                                          ? nursery->preload : NULL;
    }

    worn = present->state == CODR_ZYGOTE_NONE || present->clones >= CLONES_MAX;
    if (!worn || next->state != CODR_ZYGOTE_NONE
        || codr_now_us() < nursery->retry_us)
    {
        return;
    }

    rc = start(nursery, next);
    if (rc < 0) {
        codr_log(CODR_LEVEL_WARNING, -rc, "start a zygote");
        nursery->retry_us = codr_now_us() + (RETRY_US << RETRY_DOUBLINGS);
    }
}


/* Conversation */


static void
dismiss(codr_zygote_t *zygote)
{
    if (zygote->state != CODR_ZYGOTE_NONE) {
        (void) kill(zygote->pid, SIGKILL);  /* not reaped yet */
        codr_close(&zygote->sock);
    }
}


static int
ask(const codr_zygote_t *zygote, const codr_zygote_request_t *request,
    const int *fds, size_t nfds)
{
    codr_zygote_request_t out = *request;

    out.version = CODR_IPC_VERSION;
    return codr_io_send_one(zygote->sock, &out, sizeof(out), fds, nfds);
}


static int
answer_of(const codr_zygote_t *zygote, codr_zygote_answer_t kind,
    int32_t *ret_pid, int *ret_fd)
{
    int                 fd = -1;
    size_t              nfds = 0;
    ssize_t             n;
    codr_zygote_reply_t reply;

    n = codr_io_recv(zygote->sock, &reply, sizeof(reply), &fd, ret_fd != NULL,
                     &nfds, NULL);
    if (ret_fd) {
        *ret_fd = n > 0 && nfds == 1 ? fd : -1;
    }
    if (n != sizeof(reply) || reply.version != CODR_IPC_VERSION
        || reply.kind != kind)
    {
        return -EPROTO;
    }

    *ret_pid = reply.pid;
    return 0;
}


static int
write_map(pid_t pid, const char *file, const char *text)
{
    char                   path[64];
    codr_cleanup_close int fd = -1;

    (void) snprintf(path, sizeof(path), "/proc/%d/%s", (int) pid, file);
    fd = open(path, O_WRONLY | O_CLOEXEC);

    return fd == -1 ? -errno : codr_io_write_all(fd, text, strlen(text));
}


/* The uids of jobs and zygotes as they are; neither root's nor the
   broker's. */
static int
map_ids(const codr_nursery_t *nursery, pid_t pid)
{
    int                   rc;
    char                  map[64];
    const codr_spawner_t *spawner = nursery->spawner;

    (void) snprintf(map, sizeof(map), "%u %u %u\n", spawner->first_uid + 1,
                    spawner->first_uid + 1,
                    spawner->count + CODR_ZYGOTE_SLOTS - 1);

    rc = write_map(pid, "uid_map", map);
    return rc == 0 ? write_map(pid, "gid_map", map) : rc;
}


static int
send_setup(const codr_nursery_t *nursery, const codr_zygote_t *zygote)
{
    const codr_spawner_t  *spawner = nursery->spawner;
    codr_zygote_request_t  request = {
        .op = CODR_ZYGOTE_SETUP,
        .slots = spawner->count,
        .limit_data = spawner->cgroup.version == CODR_CGROUP_NONE,
        .namespaces = spawner->namespaces,
    };

    memcpy(request.layer, spawner->layers.state,
           sizeof(spawner->layers.state));
    return ask(zygote, &request, NULL, 0);
}


/* Its next step; the newest that is ready takes over. */
static int
proceed(codr_nursery_t *nursery, codr_zygote_t *zygote)
{
    int           rc;
    int32_t       zero;
    codr_zygote_t ready;

    switch (zygote->state) {

    case CODR_ZYGOTE_WARMING:
        rc = answer_of(zygote, CODR_ZYGOTE_HELLO, &zero, NULL);
        if (rc == 0) {
            rc = map_ids(nursery, zygote->pid);
        }
        if (rc == 0) {
            rc = send_setup(nursery, zygote);
        }
        zygote->state = CODR_ZYGOTE_MAPPED;
        return rc;

    case CODR_ZYGOTE_MAPPED:
        rc = answer_of(zygote, CODR_ZYGOTE_READY, &zero, NULL);
        if (rc == 0) {
            zygote->state = CODR_ZYGOTE_SERVING;
            ready = *zygote;
            *zygote = nursery->zygote[0];
            nursery->zygote[0] = ready;
            dismiss(&nursery->zygote[1]);
            nursery->failures = 0;
        }
        return rc;

    case CODR_ZYGOTE_SERVING:
    case CODR_ZYGOTE_NONE:
        break;
    }

    return -EPROTO;             /* it only answers */
}


int
codr_nursery_events(const codr_nursery_t *nursery, struct pollfd *ret)
{
    size_t   i;
    uint64_t now = codr_now_us();

    for (i = 0; i < CODR_NURSERY_SIZE; i++) {
        ret[i] = (struct pollfd) {
            .fd = nursery->zygote[i].sock, .events = POLLIN,
        };
    }

    if (nursery->library < 0 || nursery->retry_us == 0
        || nursery->zygote[1].state != CODR_ZYGOTE_NONE
        || nursery->zygote[0].state != CODR_ZYGOTE_NONE)
    {
        return -1;
    }

    return nursery->retry_us > now
           ? (int) ((nursery->retry_us - now) / 1000) + 1 : 0;
}


void
codr_nursery_came(codr_nursery_t *nursery, const struct pollfd *events)
{
    int            rc;
    size_t         i;
    codr_zygote_t *zygote;

    for (i = 0; i < CODR_NURSERY_SIZE; i++) {
        zygote = &nursery->zygote[i];
        if (!events[i].revents || zygote->sock != events[i].fd) {
            continue;
        }
        rc = proceed(nursery, zygote);
        if (rc < 0) {
            codr_log(CODR_LEVEL_WARNING, -rc, "a zygote is of no use");
            dismiss(zygote);
        }
        return;                 /* the rows may have changed places */
    }
}


bool
codr_nursery_reaped(codr_nursery_t *nursery, pid_t pid)
{
    size_t         i;
    bool           served;
    unsigned       doublings;
    codr_zygote_t *zygote;

    for (i = 0; i < CODR_NURSERY_SIZE; i++) {
        zygote = &nursery->zygote[i];
        if (zygote->state == CODR_ZYGOTE_NONE || zygote->pid != pid) {
            continue;
        }

        served = i == 1 && nursery->zygote[0].state != CODR_ZYGOTE_NONE
                 && zygote->state == CODR_ZYGOTE_SERVING;
        codr_close(&zygote->sock);
        *zygote = (codr_zygote_t) { .sock = -1 };

        if (!served) {          /* else it was dismissed for a younger one */
            doublings = nursery->failures < RETRY_DOUBLINGS
                        ? nursery->failures : RETRY_DOUBLINGS;
            nursery->retry_us = codr_now_us() + (RETRY_US << doublings);
            if (nursery->failures++ == 0) {
                codr_log(CODR_LEVEL_WARNING, 0, "a zygote has ended;"
                         " sandboxes are made without one meanwhile");
            }
        }
        return true;
    }

    return false;
}


bool
codr_nursery_serves(const codr_nursery_t *nursery)
{
    return nursery->zygote[0].state == CODR_ZYGOTE_SERVING
           && nursery->zygote[0].sock >= 0;
}


/* Cloning */


/* Ours, alive or not yet reaped, and neither a zygote nor in a slot. */
static bool
is_new_child(const codr_nursery_t *nursery, pid_t pid)
{
    uint32_t              i;
    siginfo_t             info;
    const codr_spawner_t *spawner = nursery->spawner;

    if (pid <= 0
        || waitid(P_PID, (id_t) pid, &info, WEXITED | WNOHANG | WNOWAIT) == -1)
    {
        return false;
    }

    for (i = 1; i < spawner->used; i++) {
        if (spawner->slots[i].id != 0 && spawner->slots[i].pid == pid) {
            return false;
        }
    }

    return nursery->zygote[0].pid != pid && nursery->zygote[1].pid != pid;
}


pid_t
codr_nursery_clone(codr_nursery_t *nursery,
    const codr_spawn_request_t *request, const codr_cgroup_slot_t *slot,
    uid_t uid, int sock, int *ret_mounts)
{
    int                   rc, fds[1 + CODR_CGROUP_TREES] = { sock };
    int32_t               pid = 0;
    size_t                nfds = 1;
    codr_zygote_t        *zygote = &nursery->zygote[0];
    struct pollfd         event = { .fd = zygote->sock, .events = POLLIN };
    codr_zygote_request_t out = {
        .op = CODR_ZYGOTE_CLONE, .uid = uid, .spawn = *request,
    };

    *ret_mounts = -1;
    rc = codr_cgroup_lend(&nursery->spawner->cgroup, slot, zygote->uid,
                          fds, &nfds);
    out.into = nursery->spawner->cgroup.version == CODR_CGROUP_V2;

    if (rc == 0) {
        rc = ask(zygote, &out, fds, nfds);
    }
    if (rc == 0 && poll(&event, 1, ANSWER_MS) != 1) {
        rc = -ETIMEDOUT;
    }
    if (rc == 0) {
        rc = answer_of(zygote, CODR_ZYGOTE_CLONED, &pid, ret_mounts);
    }
    if (rc == 0 && pid > 0 && !is_new_child(nursery, pid)) {
        rc = -EPROTO;
    }

    codr_cgroup_return(&nursery->spawner->cgroup, fds + 1, nfds - 1);

    if (rc < 0) {
        codr_log(CODR_LEVEL_WARNING, -rc, "clone a zygote");
        codr_close(ret_mounts);
        dismiss(zygote);
        return rc;
    }

    zygote->clones++;
    return pid;
}


void
codr_nursery_end(codr_nursery_t *nursery)
{
    dismiss(&nursery->zygote[0]);
    dismiss(&nursery->zygote[1]);
}
