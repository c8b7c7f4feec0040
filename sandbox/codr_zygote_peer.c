/*
 * What the spawner and a zygote say to each other.  Runs in the spawner.  One
 * that says anything odd, or takes too long, is ended.
 */

#define _GNU_SOURCE

#include "codr_zygote_peer.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "codr_cgroup.h"
#include "codr_io.h"
#include "codr_util.h"

/* For a clone, which takes a thousandth of it.  When one takes a tenth, others
   do not wait for this zygote any more. */
#define ANSWER_US       1000000
#define PATIENCE_US     (ANSWER_US / 10)


void
codr_zygote_dismiss(codr_zygote_t *zygote)
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
        return n == sizeof(reply) && reply.kind == CODR_ZYGOTE_UNFIT
               ? -ENOTSUP : -EPROTO;
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
map_ids(const codr_spawner_t *spawner, pid_t pid)
{
    int  rc;
    char map[64];

    (void) snprintf(map, sizeof(map), "%u %u %u\n", spawner->first_uid + 1,
                    spawner->first_uid + 1,
                    spawner->count + CODR_ZYGOTE_SLOTS - 1);

    rc = write_map(pid, "uid_map", map);
    return rc == 0 ? write_map(pid, "gid_map", map) : rc;
}


static int
send_setup(const codr_spawner_t *spawner, const codr_zygote_t *zygote)
{
    codr_zygote_request_t request = {
        .op = CODR_ZYGOTE_SETUP,
        .slots = spawner->count,
        .limit_data = spawner->cgroup.version == CODR_CGROUP_NONE,
        .namespaces = spawner->namespaces,
    };

    memcpy(request.layer, spawner->layers.state,
           sizeof(spawner->layers.state));
    return ask(zygote, &request, NULL, 0);
}


int
codr_zygote_proceed(codr_zygote_t *zygote, const codr_spawner_t *spawner)
{
    int     rc;
    int32_t zero;

    switch (zygote->state) {

    case CODR_ZYGOTE_WARMING:
        rc = answer_of(zygote, CODR_ZYGOTE_HELLO, &zero, NULL);
        if (rc == 0) {
            rc = map_ids(spawner, zygote->pid);
        }
        if (rc == 0) {
            rc = send_setup(spawner, zygote);
        }
        zygote->state = CODR_ZYGOTE_MAPPED;
        return rc;

    case CODR_ZYGOTE_MAPPED:
        rc = answer_of(zygote, CODR_ZYGOTE_READY, &zero, NULL);
        if (rc == 0) {
            zygote->state = CODR_ZYGOTE_SERVING;
        }
        return rc;

    case CODR_ZYGOTE_SERVING:
    case CODR_ZYGOTE_NONE:
        break;
    }

    return -EPROTO;             /* it only answers */
}


bool
codr_zygote_can_park(const codr_zygote_t *zygote)
{
    int32_t zero;

    return answer_of(zygote, CODR_ZYGOTE_PARKABLE, &zero, NULL) == 0;
}


/* Ours, alive or ended, and nobody's in a slot. */
static bool
is_new_child(const codr_spawner_t *spawner, pid_t pid)
{
    uint32_t  i;
    siginfo_t info;

    if (codr_early_has(&spawner->early, pid)) {
        return true;
    }
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

    return true;
}


static bool
can_be_asked(const codr_zygote_t *zygote)
{
    return zygote->nasked == 0
           || (zygote->nasked < CODR_ZYGOTE_ASKED_MAX
               && codr_now_us() - zygote->asked[0].since_us < PATIENCE_US);
}


int
codr_zygote_ask(codr_zygote_t *zygote, const codr_spawner_t *spawner,
    const codr_spawn_request_t *request, const codr_cgroup_slot_t *slot,
    uid_t uid, int sock)
{
    int                   rc, fds[1 + CODR_CGROUP_TREES] = { sock };
    size_t                nfds = 1;
    codr_zygote_request_t out = {
        .op = CODR_ZYGOTE_CLONE, .uid = uid, .spawn = *request,
    };

    if (!can_be_asked(zygote)) {
        return -EAGAIN;
    }

    rc = codr_cgroup_lend(&spawner->cgroup, slot, zygote->uid, fds, &nfds);
    out.into = spawner->cgroup.version == CODR_CGROUP_V2;
    if (rc == 0) {
        rc = ask(zygote, &out, fds, nfds);
    }
    codr_cgroup_return(&spawner->cgroup, slot, fds + 1, nfds - 1);

    if (rc == 0) {
        zygote->asked[zygote->nasked++] = (codr_zygote_asked_t) {
            request->slot, codr_now_us(),
        };
        zygote->clones++;
    }

    return rc;
}


uint32_t
codr_zygote_give_up(codr_zygote_t *zygote)
{
    uint32_t slot = zygote->nasked > 0 ? zygote->asked[0].slot : 0;

    if (zygote->nasked > 0) {
        zygote->nasked--;
        memmove(zygote->asked, zygote->asked + 1,
                zygote->nasked * sizeof(zygote->asked[0]));
    }

    return slot;
}


int
codr_zygote_answered(codr_zygote_t *zygote, const codr_spawner_t *spawner,
    codr_zygote_clone_t *ret)
{
    int     rc, mounts = -1;
    int32_t pid = 0;

    rc = answer_of(zygote, CODR_ZYGOTE_CLONED, &pid, &mounts);
    if (rc == 0 && (zygote->nasked == 0 || pid == 0
                    || (pid > 0 && !is_new_child(spawner, pid))))
    {
        rc = -EPROTO;
    }
    if (rc < 0) {
        codr_close(&mounts);
        return rc;
    }

    *ret = (codr_zygote_clone_t) {
        codr_zygote_give_up(zygote), pid, mounts,
    };
    return 0;
}


uint64_t
codr_zygote_due_us(const codr_zygote_t *zygote)
{
    return zygote->nasked > 0 ? zygote->asked[0].since_us + ANSWER_US : 0;
}
