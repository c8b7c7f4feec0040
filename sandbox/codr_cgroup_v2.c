/*
 * Cgroup v2: "codr-<instance>", below it one directory a sandbox, made for it
 * and removed with it, as the peak of memory cannot be reset before 6.12 and
 * what is left of a job's charges moves to the parent.  Runs in the spawner.
 * Must respect that a cgroup with controllers for children has no processes
 * of its own.
 */

#define _GNU_SOURCE

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "codr_cgroup_impl.h"
#include "codr_io.h"
#include "codr_ipc.h"
#include "codr_util.h"

#define LEAF            "codr-helper"   /* where processes are moved to */
#define ZYGOTES         "zygotes"
#define SYSTEMD_LEAF    "helper"
#define SCOPE_SUFFIX    ".scope"
#define REMOVE_TRIES    20
#define REMOVE_WAIT_MS  10


static void
enable(int dir)
{
    /* one by one: cpu is refused where real-time tasks are, and optional */
    (void) codr_cgroup_write(dir, "cgroup.subtree_control", "+memory");
    (void) codr_cgroup_write(dir, "cgroup.subtree_control", "+pids");
    (void) codr_cgroup_write(dir, "cgroup.subtree_control", "+cpu");
}


static bool
has_controllers(int dir, const char *file, bool *ret_cpu)
{
    char text[512];

    if (codr_cgroup_read(dir, file, text, sizeof(text)) < 0
        || !codr_cgroup_has_word(text, "memory")
        || !codr_cgroup_has_word(text, "pids"))
    {
        return false;
    }

    *ret_cpu = codr_cgroup_has_word(text, "cpu");
    return true;
}


bool
codr_cgroup_v2_usable(const char *mounts)
{
    bool                   cpu;
    char                   at[CODR_CGROUP_PATH];
    codr_cleanup_close int dir = -1;

    if (!codr_cgroup_find_mount(mounts, NULL, at)) {
        return false;
    }

    dir = open(at, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    /* the hybrid layout has a v2 tree too, but not these controllers */
    return dir >= 0 && has_controllers(dir, "cgroup.controllers", &cpu);
}


/* All processes of a directory into a leaf below it. */
static int
move_to_leaf(int dir, const char *name)
{
    char                   text[16384], *line = text, *end;
    long                   pid;
    ssize_t                n;
    codr_cleanup_close int leaf = codr_cgroup_make(dir, name);

    if (leaf < 0) {
        return leaf;
    }

    n = codr_cgroup_read(dir, "cgroup.procs", text, sizeof(text));
    if (n < 0) {
        return (int) n;
    }

    for ( ;; ) {
        pid = strtol(line, &end, 10);
        if (end == line) {
            return 0;
        }
        /* one that has ended meanwhile is no error */
        (void) codr_cgroup_write_number(leaf, "cgroup.procs", (uint64_t) pid);
        line = end;
    }
}


static bool
is_scope(const char *path)
{
    size_t len = strlen(path), suffix = strlen(SCOPE_SUFFIX);

    return len > suffix && strcmp(path + len - suffix, SCOPE_SUFFIX) == 0;
}


/* The scope systemd made for this process alone: its own directory. */
static int
open_scope(int root, char path[CODR_CGROUP_PATH])
{
    int                    rc, dir;
    char                   text[4096];
    codr_cleanup_close int fd = open("/proc/self/cgroup",
                                     O_RDONLY | O_CLOEXEC);

    if (fd == -1 || codr_io_read_text(fd, text, sizeof(text)) < 0
        || !codr_cgroup_find_own(text, path) || !is_scope(path))
    {
        return -ENOENT;         /* anywhere else are processes of others */
    }

    dir = codr_cgroup_make_path(root, path, NULL);
    if (dir < 0) {
        return dir;
    }

    rc = move_to_leaf(dir, SYSTEMD_LEAF);
    if (rc != 0) {
        (void) close(dir);
        return rc;
    }

    return dir;
}


/*
 * The directory that gets ours: the operator's, the scope's, or the top.  In
 * a container the top is a cgroup like any other (it has a cgroup.type) and
 * holds the container's processes, which then have to move to a leaf.
 */
static int
open_base(int root, const codr_cgroup_options_t *options,
    char path[CODR_CGROUP_PATH])
{
    int  dir;
    bool cpu;

    path[0] = '\0';

    if (options->path) {
        (void) snprintf(path, CODR_CGROUP_PATH, "%s", options->path);
        dir = codr_cgroup_make_path(root, options->path, enable);
    } else if (options->in_scope) {
        dir = open_scope(root, path);
    } else {
        dir = dup(root);
    }
    if (dir < 0) {
        return dir == -1 ? -errno : dir;
    }

    enable(dir);
    if (!has_controllers(dir, "cgroup.subtree_control", &cpu)
        && faccessat(dir, "cgroup.type", F_OK, 0) == 0
        && !options->path)
    {
        (void) move_to_leaf(dir, LEAF);
        enable(dir);
    }

    return dir;
}


static int
set_totals(codr_cgroup_t *cgroup, const codr_cgroup_options_t *options)
{
    int  rc, dir = cgroup->dir[0];
    char text[64];

    if (options->total_memory != 0) {
        rc = codr_cgroup_write_number(dir, "memory.max",
                                      options->total_memory);
        if (rc != 0) {
            return rc;
        }
    }
    (void) codr_cgroup_write(dir, "memory.swap.max", "0");

    rc = codr_cgroup_limit_tasks(dir);
    if (rc != 0 || !cgroup->has_cpu) {
        return rc;
    }

    rc = codr_cgroup_write_number(dir, "cpu.weight", CODR_CGROUP_WEIGHT_V2);
    if (rc == 0 && options->total_cpu != 0) {
        (void) snprintf(text, sizeof(text), "%" PRIu64 " %d",
                        options->total_cpu * (CODR_CGROUP_PERIOD_US / 1000),
                        CODR_CGROUP_PERIOD_US);
        rc = codr_cgroup_write(dir, "cpu.max", text);
    }

    return rc;
}


int
codr_cgroup_v2_open(codr_cgroup_t *cgroup, const char *mounts,
    const codr_cgroup_options_t *options, const char **ret_tried)
{
    int                    rc;
    char                   at[CODR_CGROUP_PATH], below[CODR_CGROUP_PATH],
                           path[CODR_CGROUP_PATH * 2 + 64];
    codr_cleanup_close int root = -1;

    *ret_tried = "open the cgroup tree";
    if (!codr_cgroup_find_mount(mounts, NULL, at)) {
        return -ENOENT;
    }
    root = open(at, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (root == -1) {
        return -errno;
    }

    *ret_tried = "find a cgroup for jobs";
    cgroup->base[0] = open_base(root, options, below);
    if (cgroup->base[0] < 0) {
        return cgroup->base[0];
    }

    *ret_tried = "make a cgroup";
    (void) snprintf(path, sizeof(path), "%s/%s/%s", at, below,
                    cgroup->instance);
    rc = codr_cgroup_instance_record(cgroup, path);
    if (rc != 0) {
        return rc;
    }
    cgroup->dir[0] = codr_cgroup_make(cgroup->base[0], cgroup->instance);
    if (cgroup->dir[0] < 0) {
        return cgroup->dir[0];
    }

    *ret_tried = "hand the memory and pids controllers to job cgroups";
    enable(cgroup->dir[0]);
    if (!has_controllers(cgroup->dir[0], "cgroup.subtree_control",
                         &cgroup->has_cpu))
    {
        return -EBUSY;
    }

    *ret_tried = "set the ceilings of all jobs";
    rc = set_totals(cgroup, options);
    if (rc != 0) {
        return rc;
    }

    cgroup->version = CODR_CGROUP_V2;
    return 0;
}


static void
sandbox_name(const codr_cgroup_slot_t *slot, char name[32])
{
    (void) snprintf(name, 32, "j%" PRIu64, slot->id);
}


static int
set_limits(int dir, uint64_t memory, uint32_t processes)
{
    int rc = codr_cgroup_write_number(dir, "memory.max", memory);

    if (rc == 0) {
        rc = codr_cgroup_write(dir, "memory.swap.max", "0");
        rc = rc == -ENOENT ? 0 : rc;    /* a kernel without swap */
    }
    if (rc == 0) {
        rc = codr_cgroup_write(dir, "memory.oom.group", "1");
    }
    if (rc == 0) {
        /* init is one of them */
        rc = codr_cgroup_write_number(dir, "pids.max",
                                      (uint64_t) processes + 1);
    }

    return rc;
}


int
codr_cgroup_v2_prepare(const codr_cgroup_t *cgroup, codr_cgroup_slot_t *slot,
    uint64_t id, uint64_t memory, uint32_t processes, uint32_t *ret_step)
{
    int  dir, rc;
    char name[32];

    slot->id = id;
    sandbox_name(slot, name);

    *ret_step = CODR_STEP_CGROUP_CREATE;
    dir = codr_cgroup_make(cgroup->dir[0], name);
    if (dir < 0) {
        return dir;
    }

    *ret_step = CODR_STEP_CGROUP_LIMIT;
    rc = set_limits(dir, memory, processes);
    if (rc != 0) {
        (void) close(dir);
        (void) unlinkat(cgroup->dir[0], name, AT_REMOVEDIR);
        return rc;
    }

    slot->dir = dir;
    return 0;
}


static int
give_procs(int dir, uid_t uid)
{
    return fchownat(dir, "cgroup.procs", uid, (gid_t) -1, 0) == -1 ? -errno
                                                                   : 0;
}


int
codr_cgroup_v2_lend(const codr_cgroup_slot_t *slot, uid_t uid, int *fds,
    size_t *nfds)
{
    int rc = give_procs(slot->dir, uid);

    if (rc == 0) {
        fds[(*nfds)++] = slot->dir;
    }

    return rc;
}


/* Who clones into a cgroup may also move between it and its own: both need the
   file of the one above them. */
int
codr_cgroup_v2_house(const codr_cgroup_t *cgroup, pid_t pid, uid_t uid)
{
    int                    rc;
    codr_cleanup_close int leaf = codr_cgroup_make(cgroup->dir[0], ZYGOTES);

    if (leaf < 0) {
        return leaf;
    }

    rc = codr_cgroup_write_number(leaf, "cgroup.procs", (uint64_t) pid);

    return rc == 0 ? give_procs(cgroup->dir[0], uid) : rc;
}


void
codr_cgroup_v2_raze(const codr_cgroup_t *cgroup)
{
    (void) unlinkat(cgroup->dir[0], ZYGOTES, AT_REMOVEDIR);
}


int
codr_cgroup_v2_watch(const codr_cgroup_slot_t *slot, codr_cgroup_watch_t *ret)
{
    size_t                 n = 0;
    codr_cleanup_close int cpu = -1, peak = -1, oom = -1;

    cpu = openat(slot->dir, "cpu.stat", O_RDONLY | O_CLOEXEC);
    oom = openat(slot->dir, "memory.events", O_RDONLY | O_CLOEXEC);
    if (cpu == -1 || oom == -1) {
        return -errno;
    }

    peak = openat(slot->dir, "memory.peak", O_RDONLY | O_CLOEXEC);
    if (peak == -1 && errno != ENOENT) {
        return -errno;          /* before 5.19 there is none */
    }

    ret->flags = CODR_SPAWNED_CPU_V2 | CODR_SPAWNED_OOM_V2
                 | (peak >= 0 ? CODR_SPAWNED_PEAK : 0);
    ret->fd[n++] = codr_steal_fd(&cpu);
    if (peak >= 0) {
        ret->fd[n++] = codr_steal_fd(&peak);
    }
    ret->fd[n++] = codr_steal_fd(&oom);
    ret->count = ret->ours = n;

    return 0;
}


static void
read_usage(int dir, codr_cgroup_usage_t *ret)
{
    char     text[2048];
    uint64_t value = 0;

    *ret = (codr_cgroup_usage_t) { 0 };

    if (codr_cgroup_read(dir, "cpu.stat", text, sizeof(text)) > 0) {
        (void) codr_cgroup_find_number(text, "usage_usec", &ret->cpu_us);
    }
    if (codr_cgroup_read(dir, "memory.events", text, sizeof(text)) > 0
        && codr_cgroup_find_number(text, "oom_kill", &value))
    {
        ret->oom_events = (uint32_t) value;
    }

    /* since 5.19 */
    (void) codr_cgroup_read_number(dir, "memory.peak", &ret->memory_peak);
}


int
codr_cgroup_v2_finish(const codr_cgroup_t *cgroup, codr_cgroup_slot_t *slot,
    codr_cgroup_usage_t *ret)
{
    int           tries = 0;
    char          name[32], text[256];
    struct pollfd event = { .events = POLLPRI };

    read_usage(slot->dir, ret);
    sandbox_name(slot, name);

    event.fd = openat(slot->dir, "cgroup.events", O_RDONLY | O_CLOEXEC);
    codr_close(&slot->dir);

    /* "populated 0" may come a moment after the last process was reaped */
    while (unlinkat(cgroup->dir[0], name, AT_REMOVEDIR) == -1) {
        if (errno != EBUSY || ++tries == REMOVE_TRIES) {
            codr_close(&event.fd);
            return -errno;
        }
        (void) !pread(event.fd, text, sizeof(text), 0);     /* rearms poll */
        (void) poll(&event, 1, REMOVE_WAIT_MS);
    }

    codr_close(&event.fd);
    return 0;
}
