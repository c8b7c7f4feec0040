/*
 * Control groups: which version, and what both have in common.  Runs in the
 * spawner, which keeps descriptors of the directories, as it cannot name them
 * any more once it lives in the template root; codr_cgroup_enter() runs in
 * init.  Must never touch a cgroup that does not carry an instance's name.
 */

#define _GNU_SOURCE

#include "codr_cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "codr_cgroup_impl.h"
#include "codr_io.h"
#include "codr_util.h"

#define MOUNTS_MAX  (256 * 1024)


/* The mount table, in memory that the caller frees; NULL with errno. */
static char *
read_mounts(void)
{
    char                   *text = malloc(MOUNTS_MAX);
    ssize_t                 n;
    codr_cleanup_close int  fd = -1;

    fd = open("/proc/self/mounts", O_RDONLY | O_CLOEXEC);
    n = fd == -1 || text == NULL ? -1
                                 : codr_io_read_text(fd, text, MOUNTS_MAX);
    if (n < 0) {
        free(text);
        return NULL;
    }

    return text;
}


bool
codr_cgroup_wants_scope(const codr_cgroup_options_t *options)
{
    codr_cleanup_free char *mounts = NULL;

    if (options->path || options->in_scope
        || access("/run/systemd/system", F_OK) == -1)
    {
        return false;
    }

    mounts = read_mounts();

    return mounts && codr_cgroup_v2_usable(mounts);
}


int
codr_cgroup_open(codr_cgroup_t *ret, int run_dir,
    const codr_cgroup_options_t *options, const char **ret_tried)
{
    int                     i, rc;
    codr_cleanup_free char *mounts = read_mounts();

    *ret = (codr_cgroup_t) { .run_dir = run_dir, .lock = -1 };
    for (i = 0; i < CODR_CGROUP_TREES; i++) {
        ret->base[i] = -1;
        ret->dir[i] = -1;
    }

    if (mounts == NULL) {
        *ret_tried = "read the mount table";
        return -errno;
    }

    rc = codr_cgroup_instance_open(ret);
    if (rc != 0) {
        *ret_tried = "lock an instance";
        return rc;
    }

    rc = codr_cgroup_v2_usable(mounts)
         ? codr_cgroup_v2_open(ret, mounts, options, ret_tried)
         : codr_cgroup_v1_open(ret, mounts, options, ret_tried);

    if (rc != 0) {
        codr_cgroup_close(ret);
    }
    return rc;
}


void
codr_cgroup_close(codr_cgroup_t *cgroup)
{
    int i;

    if (cgroup->version == CODR_CGROUP_V2) {
        codr_cgroup_v2_raze(cgroup);
    }

    for (i = 0; i < CODR_CGROUP_TREES; i++) {
        codr_close(&cgroup->dir[i]);
        if (cgroup->base[i] >= 0) {
            /* stays when it is not empty: the next helper tries again */
            (void) unlinkat(cgroup->base[i], cgroup->instance, AT_REMOVEDIR);
            codr_close(&cgroup->base[i]);
        }
    }

    codr_cgroup_instance_close(cgroup);
    cgroup->version = CODR_CGROUP_NONE;
}


int
codr_cgroup_prepare(const codr_cgroup_t *cgroup, codr_cgroup_slot_t *slot,
    uint64_t id, uint64_t memory, uint32_t processes, uint32_t *ret_step)
{
    switch (cgroup->version) {
    case CODR_CGROUP_V1:
        return codr_cgroup_v1_prepare(cgroup, slot, memory, processes,
                                      ret_step);
    case CODR_CGROUP_V2:
        return codr_cgroup_v2_prepare(cgroup, slot, id, memory, processes,
                                      ret_step);
    case CODR_CGROUP_NONE:
        break;
    }

    return 0;
}


int
codr_cgroup_into(const codr_cgroup_t *cgroup, const codr_cgroup_slot_t *slot)
{
    return cgroup->version == CODR_CGROUP_V2 ? slot->dir : -1;
}


int
codr_cgroup_enter(const codr_cgroup_t *cgroup, const codr_cgroup_slot_t *slot)
{
    return cgroup->version == CODR_CGROUP_V1
           ? codr_cgroup_v1_enter(cgroup, slot) : 0;
}


int
codr_cgroup_lend(const codr_cgroup_t *cgroup, const codr_cgroup_slot_t *slot,
    uid_t uid, int *fds, size_t *nfds)
{
    switch (cgroup->version) {
    case CODR_CGROUP_V1:
        return codr_cgroup_v1_lend(cgroup, slot, fds, nfds);
    case CODR_CGROUP_V2:
        return codr_cgroup_v2_lend(slot, uid, fds, nfds);
    case CODR_CGROUP_NONE:
        break;
    }

    return 0;
}


/* On v2 the directory is the slot's own. */
void
codr_cgroup_return(const codr_cgroup_t *cgroup,
    const codr_cgroup_slot_t *slot, int *fds, size_t nfds)
{
    if (cgroup->version == CODR_CGROUP_V1) {
        codr_cgroup_v1_return(slot, fds, nfds);
    }
}


int
codr_cgroup_house(const codr_cgroup_t *cgroup, pid_t pid, uid_t uid)
{
    return cgroup->version == CODR_CGROUP_V2
           ? codr_cgroup_v2_house(cgroup, pid, uid) : 0;
}


int
codr_cgroup_usage_file(const codr_cgroup_t *cgroup)
{
    switch (cgroup->version) {
    case CODR_CGROUP_V1:
        return openat(cgroup->dir[CODR_CGROUP_MEMORY],
                      "memory.usage_in_bytes", O_RDONLY | O_CLOEXEC);
    case CODR_CGROUP_V2:
        return openat(cgroup->dir[0], "memory.current", O_RDONLY | O_CLOEXEC);
    case CODR_CGROUP_NONE:
        break;
    }

    return -1;
}


int
codr_cgroup_watch(const codr_cgroup_t *cgroup, const codr_cgroup_slot_t *slot,
    codr_cgroup_watch_t *ret)
{
    switch (cgroup->version) {
    case CODR_CGROUP_V1:
        return codr_cgroup_v1_watch(cgroup, slot, ret);
    case CODR_CGROUP_V2:
        return codr_cgroup_v2_watch(slot, ret);
    case CODR_CGROUP_NONE:
        break;
    }

    *ret = (codr_cgroup_watch_t) { 0 };
    return 0;
}


void
codr_cgroup_kill(const codr_cgroup_t *cgroup, const codr_cgroup_slot_t *slot)
{
    if (cgroup->version == CODR_CGROUP_V2) {
        /* since 5.14; without it the death of init takes all others along */
        (void) codr_cgroup_write(slot->dir, "cgroup.kill", "1");
    }
}


int
codr_cgroup_finish(const codr_cgroup_t *cgroup, codr_cgroup_slot_t *slot,
    codr_cgroup_usage_t *ret)
{
    switch (cgroup->version) {
    case CODR_CGROUP_V1:
        return codr_cgroup_v1_finish(cgroup, slot, ret);
    case CODR_CGROUP_V2:
        return codr_cgroup_v2_finish(cgroup, slot, ret);
    case CODR_CGROUP_NONE:
        break;
    }

    *ret = (codr_cgroup_usage_t) { 0 };
    return 0;
}


void
codr_cgroup_clean(const codr_cgroup_t *cgroup, codr_cgroup_slot_t *slot)
{
    if (cgroup->version == CODR_CGROUP_V1) {
        codr_cgroup_v1_clean(cgroup, slot);
    }
}


void
codr_cgroup_forget(const codr_cgroup_t *cgroup, codr_cgroup_slot_t *slot)
{
    if (cgroup->version == CODR_CGROUP_V1) {
        codr_cgroup_v1_remove(cgroup, slot);
    }
}
