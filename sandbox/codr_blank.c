/*
 * Makes blanks.  Runs in the spawner, which leaves its own namespaces for a
 * moment: what must never happen is that it stays in one that a job will get,
 * or that two sandboxes get the same.
 */

#define _GNU_SOURCE

#include "codr_blank.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

#include "codr_log.h"
#include "codr_ns.h"
#include "codr_util.h"

#define POSSIBLE    ((unsigned long) (CLONE_NEWNS | CLONE_NEWIPC))


static int
open_own(const char *name)
{
    int fd = open(name, O_RDONLY | O_CLOEXEC);

    return fd == -1 ? -errno : fd;
}


static int
open_both(unsigned long namespaces, int *ret_mounts, int *ret_ipc)
{
    *ret_mounts = open_own("/proc/self/ns/mnt");
    if (*ret_mounts >= 0 && (namespaces & CLONE_NEWIPC)) {
        *ret_ipc = open_own("/proc/self/ns/ipc");
        return *ret_ipc < 0 ? *ret_ipc : 0;
    }

    return *ret_mounts < 0 ? *ret_mounts : 0;
}


int
codr_blank_open(codr_blank_maker_t *ret, unsigned long namespaces,
    const codr_landlock_t *landlock)
{
    *ret = (codr_blank_maker_t) {
        .namespaces = namespaces & POSSIBLE,
        .mounts = -1,
        .ipc = -1,
        .landlock = landlock,
    };

    return open_both(ret->namespaces, &ret->mounts, &ret->ipc);
}


/* In its namespaces. */
static int
fill(const codr_blank_maker_t *maker, const codr_box_t *box,
    codr_blank_t *blank)
{
    int rc = codr_box_make(box);

    if (rc == 0) {
        rc = open_both(maker->namespaces, &blank->mounts, &blank->ipc);
    }
    if (rc == 0 && maker->landlock) {
        blank->rules = codr_landlock_begin(maker->landlock);
        rc = blank->rules < 0 ? blank->rules : 0;
    }

    return rc;
}


int
codr_blank_make(const codr_blank_maker_t *maker, const codr_box_t *box,
    codr_blank_t *ret)
{
    int          rc, home;
    codr_blank_t blank = CODR_BLANK_NONE;

    if (unshare((int) maker->namespaces) == -1) {
        return -errno;
    }

    rc = fill(maker, box, &blank);
    home = codr_ns_join(maker->mounts, maker->ipc);
    if (home != 0) {
        codr_log(CODR_LEVEL_FATAL, -home, "return from a sandbox");
        exit(EXIT_FAILURE);
    }

    if (rc != 0) {
        codr_blank_close(&blank);
        return rc;
    }

    blank.disk = box->disk;
    blank.inodes = box->inodes;
    *ret = blank;
    return 0;
}


void
codr_blank_close(codr_blank_t *blank)
{
    codr_close(&blank->mounts);
    codr_close(&blank->ipc);
    codr_close(&blank->rules);
}
