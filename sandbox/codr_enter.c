/*
 * A clone of the spawner, or of a zygote, on its way to be init.  Everything
 * here has privileges until it has given them up, and reads nothing but what
 * it was cloned with.  The order is that in which each step is still possible.
 */

#define _GNU_SOURCE

#include "codr_enter.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "codr_box.h"
#include "codr_cred.h"
#include "codr_io.h"
#include "codr_ns.h"
#include "codr_util.h"

#define OOM_FIRST   "1000"      /* oom_score_adj: the host's own go last */


/* The files are open for writing as root was when it opened them. */
static int
enter_by_files(const codr_init_zygote_t *zygote)
{
    size_t i;

    for (i = 0; i < zygote->ntasks; i++) {
        if (write(zygote->tasks[i], "0", 1) != 1) {
            return -errno;
        }
    }

    return 0;
}


static int
enter_cgroup(const codr_init_t *given)
{
    int rc = given->zygote ? enter_by_files(given->zygote)
                           : codr_cgroup_enter(given->cgroup, given->slot);

    /* only now, as its root is the cgroup it is made in */
    if (rc == 0 && codr_layer_ok(given->layers, CODR_LAYER_NS_CGROUP)
        && unshare(CLONE_NEWCGROUP) == -1)
    {
        rc = -errno;
    }

    return rc;
}


int
codr_enter_rules(const codr_init_t *given)
{
    if (given->blank == NULL || given->blank->rules < 0) {
        return -1;
    }

    return given->parked ? CODR_ENTER_LIBRARY + 1 : CODR_ENTER_SOCKET + 1;
}


/* Of all others only the broker's socket is ours, and what is to come. */
static void
keep_descriptors(const codr_init_t *given)
{
    int last = CODR_ENTER_SOCKET, rules = codr_enter_rules(given);

    if (dup2(given->socket, CODR_ENTER_SOCKET) == -1
        || (given->parked
            && (last = dup2(given->parked->library, CODR_ENTER_LIBRARY)) == -1)
        || (rules >= 0 && (last = dup2(given->blank->rules, rules)) == -1)
        || close_range((unsigned) last + 1, ~0U, 0) == -1
        || dup2(STDIN_FILENO, STDOUT_FILENO) == -1
        || dup2(STDIN_FILENO, STDERR_FILENO) == -1)
    {
        _exit(1);               /* nobody can be told */
    }
}


int
codr_enter_join(const codr_init_t *given, uint32_t *ret_step)
{
    int rc;

    *ret_step = CODR_STEP_CGROUP_ENTER;
    rc = enter_cgroup(given);

    if (rc == 0 && given->blank) {
        *ret_step = CODR_STEP_MOUNT_BOX;
        rc = codr_ns_join(given->blank->mounts, given->blank->ipc);
    }

    keep_descriptors(given);
    return rc;
}


static int
mount_box(const codr_init_t *given, uint32_t *ret_step)
{
    int                         rc = 0;
    const codr_blank_t         *blank = given->blank;
    const codr_spawn_request_t *request = given->request;
    codr_box_t                  box = {
        .uid = given->uid,
        .gid = given->uid,
        .disk = request->disk,
        .inodes = request->inodes,
        .terminal = (request->flags & CODR_SPAWN_TERMINAL) != 0,
    };

    if (blank == NULL) {
        return codr_box_mount(&box, ret_step);
    }

    if (blank->disk != box.disk || blank->inodes != box.inodes) {
        *ret_step = CODR_STEP_MOUNT_BOX;
        rc = codr_box_resize(&box);
    }

    return rc == 0 ? codr_box_complete(&box, ret_step) : rc;
}


/* While /proc/self still belongs to us.  Inherited by the program. */
static int
offer_to_oom_killer(void)
{
    codr_cleanup_close int fd = open("/proc/self/oom_score_adj",
                                     O_WRONLY | O_CLOEXEC);

    return fd == -1 ? -errno : codr_io_write_all(fd, OOM_FIRST,
                                                 strlen(OOM_FIRST));
}


static int
drop_privileges(const codr_init_t *given, uint32_t *ret_step)
{
    int         rc;
    codr_cred_t cred = {
        .uid = given->uid,
        .gid = given->uid,
        .keep_groups = given->user_ns,
    };

    if (given->user_ns) {
        /* a new user namespace begins with all of them again; a zygote's
           clones have that of the zygote, which has given them up */
        rc = codr_cred_lock();
        if (rc != 0) {
            *ret_step = CODR_STEP_CREDENTIALS;
            return rc;
        }
    }

    return codr_cred_drop(&cred, ret_step);
}


int
codr_enter_become_job(const codr_init_t *given, uint32_t *ret_step)
{
    int rc = 0;

    if (given->user_ns) {
        *ret_step = CODR_STEP_CREDENTIALS;
        rc = codr_ns_map(given->uid, given->uid, given->uid, given->uid);
    }
    if (rc == 0) {
        rc = mount_box(given, ret_step);
    }
    if (rc == 0) {
        *ret_step = CODR_STEP_MOUNT_BOX;
        (void) umask(022);
        rc = chdir("/box") == -1 ? -errno : 0;
    }
    if (rc == 0) {
        *ret_step = CODR_STEP_CGROUP_ENTER;
        rc = offer_to_oom_killer();
    }

    return rc == 0 ? drop_privileges(given, ret_step) : rc;
}
