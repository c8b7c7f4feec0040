/*
 * Cgroup v1: "codr-<instance>" in each controller's tree, below it one
 * directory a slot, used again and again.  A directory is clean for the next
 * job when nothing of the last one is charged to it any more; where too much
 * is (page cache the job was first to read), it is made anew.  Runs in the
 * spawner; codr_cgroup_v1_enter() in init.
 */

#define _GNU_SOURCE

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "codr_cgroup_impl.h"
#include "codr_io.h"
#include "codr_ipc.h"
#include "codr_util.h"

/* Charges are handed out in batches a CPU, so "nothing" is never exact. */
#define LEFTOVER_MAX    (1024 * 1024)

/* Slots below this keep the files every job needs open: a cgroup's file costs
   as much to open as to read or write.  Slots are taken from the first on. */
#define SLOTS_KEPT      64

typedef struct {
    char  text[32];
} name_t;

typedef struct {
    codr_cgroup_tree_t  tree;
    const char         *file;
    int                 flags;
} file_t;

/* tree, file, how it is opened */
static const file_t files[CODR_CGROUP_KEPT] = {
    { CODR_CGROUP_MEMORY, "tasks", O_WRONLY },
    { CODR_CGROUP_PIDS, "tasks", O_WRONLY },
    { CODR_CGROUP_CPUACCT, "tasks", O_WRONLY },
    { CODR_CGROUP_CPU, "tasks", O_WRONLY },
#define CPU_USED        4
    { CODR_CGROUP_CPUACCT, "cpuacct.usage", O_RDONLY },
#define MEMORY_PEAK     5
    { CODR_CGROUP_MEMORY, "memory.max_usage_in_bytes", O_RDONLY },
#define MEMORY_OOM      6
    { CODR_CGROUP_MEMORY, "memory.oom_control", O_RDONLY },
#define MEMORY_TASKS    7
    { CODR_CGROUP_MEMORY, "tasks", O_RDONLY },
#define MEMORY_USED     8
    { CODR_CGROUP_MEMORY, "memory.usage_in_bytes", O_RDONLY },
#define PEAK_RESET      9           /* not the one that the broker gets */
    { CODR_CGROUP_MEMORY, "memory.max_usage_in_bytes", O_WRONLY },
#define CPU_RESET       10
    { CODR_CGROUP_CPUACCT, "cpuacct.usage", O_WRONLY },
};

static const char *const controllers[CODR_CGROUP_TREES] = {
    [CODR_CGROUP_MEMORY] = "memory",
    [CODR_CGROUP_PIDS] = "pids",
    [CODR_CGROUP_CPUACCT] = "cpuacct",
    [CODR_CGROUP_CPU] = "cpu",
};


/* "s12/file", below a controller's parent. */
static name_t
slot_file(const codr_cgroup_slot_t *slot, const char *file)
{
    name_t name;

    (void) snprintf(name.text, sizeof(name.text), "s%" PRIu32 "%s%s",
                    slot->number, file[0] ? "/" : "", file);

    return name;
}


static int
open_tree(codr_cgroup_t *cgroup, codr_cgroup_tree_t tree, const char *mounts,
    const codr_cgroup_options_t *options)
{
    int  fd;
    char at[CODR_CGROUP_PATH], path[CODR_CGROUP_PATH * 2 + 64];

    if (!codr_cgroup_find_mount(mounts, controllers[tree], at)) {
        return -ENOENT;
    }

    fd = open(at, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd == -1) {
        return -errno;
    }

    cgroup->base[tree] = codr_cgroup_make_path(
        fd, options->path ? options->path : "", NULL);
    (void) close(fd);
    if (cgroup->base[tree] < 0) {
        return cgroup->base[tree];
    }

    (void) snprintf(path, sizeof(path), "%s/%s/%s", at,
                    options->path ? options->path : "", cgroup->instance);
    fd = codr_cgroup_instance_record(cgroup, path);
    if (fd < 0) {
        return fd;
    }

    cgroup->dir[tree] = codr_cgroup_make(cgroup->base[tree],
                                         cgroup->instance);

    return cgroup->dir[tree] < 0 ? cgroup->dir[tree] : 0;
}


static int
set_totals(const codr_cgroup_t *cgroup, const codr_cgroup_options_t *options)
{
    int rc, memory = cgroup->dir[CODR_CGROUP_MEMORY],
        cpu = cgroup->dir[CODR_CGROUP_CPU];

    /* before 5.11 a ceiling held for a directory's own processes only */
    (void) codr_cgroup_write(memory, "memory.use_hierarchy", "1");

    if (options->total_memory != 0) {
        rc = codr_cgroup_write_number(memory, "memory.limit_in_bytes",
                                      options->total_memory);
        if (rc != 0) {
            return rc;
        }
        (void) codr_cgroup_write_number(memory, "memory.memsw.limit_in_bytes",
                                        options->total_memory);
    }

    rc = codr_cgroup_limit_tasks(cgroup->dir[CODR_CGROUP_PIDS]);
    if (rc != 0 || !cgroup->has_cpu) {
        return rc;
    }

    rc = codr_cgroup_write_number(cpu, "cpu.shares", CODR_CGROUP_WEIGHT_V1);
    if (rc == 0 && options->total_cpu != 0) {
        rc = codr_cgroup_write_number(
            cpu, "cpu.cfs_quota_us",
            options->total_cpu * (CODR_CGROUP_PERIOD_US / 1000));
    }

    return rc;
}


int
codr_cgroup_v1_open(codr_cgroup_t *cgroup, const char *mounts,
    const codr_cgroup_options_t *options, const char **ret_tried)
{
    int rc, tree;

    *ret_tried = "make cgroups for memory, pids and cpuacct";
    for (tree = 0; tree < CODR_CGROUP_TREES; tree++) {
        rc = open_tree(cgroup, (codr_cgroup_tree_t) tree, mounts, options);
        if (rc != 0 && tree != CODR_CGROUP_CPU) {
            return rc;
        }
        cgroup->has_cpu = rc == 0;
    }

    *ret_tried = "set the ceilings of all jobs";
    rc = set_totals(cgroup, options);
    if (rc != 0) {
        return rc;
    }

    cgroup->version = CODR_CGROUP_V1;
    return 0;
}


static int
open_file(const codr_cgroup_t *cgroup, const codr_cgroup_slot_t *slot,
    size_t i)
{
    int fd = openat(cgroup->dir[files[i].tree],
                    slot_file(slot, files[i].file).text,
                    files[i].flags | O_CLOEXEC);

    return fd == -1 ? -errno : fd;
}


/* A descriptor, and whether the caller has to close it. */
static int
use_file(const codr_cgroup_t *cgroup, const codr_cgroup_slot_t *slot,
    size_t i, int *ret_opened)
{
    *ret_opened = slot->kept[i] < 0 ? open_file(cgroup, slot, i) : -1;

    return slot->kept[i] < 0 ? *ret_opened : slot->kept[i];
}


/* What fits: the kernel gives as much at once. */
static ssize_t
read_file(const codr_cgroup_t *cgroup, const codr_cgroup_slot_t *slot,
    size_t i, char *text, size_t size)
{
    codr_cleanup_close int opened = -1;
    int                    fd = use_file(cgroup, slot, i, &opened);
    ssize_t                n = fd < 0 ? -1 : pread(fd, text, size - 1, 0);

    if (n == -1) {
        return fd < 0 ? fd : -errno;
    }

    text[n] = '\0';
    return n;
}


static int
write_zero(const codr_cgroup_t *cgroup, const codr_cgroup_slot_t *slot,
    size_t i)
{
    codr_cleanup_close int opened = -1;
    int                    fd = use_file(cgroup, slot, i, &opened);

    if (fd < 0) {
        return fd;
    }

    return pwrite(fd, "0", 1, 0) == -1 ? -errno : 0;
}


static uint64_t
read_file_number(const codr_cgroup_t *cgroup, const codr_cgroup_slot_t *slot,
    size_t i)
{
    char text[64];

    return read_file(cgroup, slot, i, text, sizeof(text)) > 0
           ? strtoull(text, NULL, 10) : 0;
}


static void
keep_files(const codr_cgroup_t *cgroup, codr_cgroup_slot_t *slot)
{
    size_t i;

    for (i = 0; i < CODR_CGROUP_KEPT; i++) {
        slot->kept[i] = -1;
        if (slot->number < SLOTS_KEPT && cgroup->dir[files[i].tree] >= 0) {
            slot->kept[i] = open_file(cgroup, slot, i);
        }
    }
}


/* The eventfd hangs on the directory: a new one needs a new one. */
static int
watch_oom(const codr_cgroup_t *cgroup, codr_cgroup_slot_t *slot)
{
    int                    rc, memory = cgroup->dir[CODR_CGROUP_MEMORY];
    char                   text[64];
    codr_cleanup_close int event = -1, control = -1;

    event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    control = openat(memory, slot_file(slot, "memory.oom_control").text,
                     O_RDONLY | O_CLOEXEC);
    if (event == -1 || control == -1) {
        return -errno;
    }

    (void) snprintf(text, sizeof(text), "%d %d", event, control);
    rc = codr_cgroup_write(memory,
                           slot_file(slot, "cgroup.event_control").text, text);
    if (rc != 0) {
        return rc;
    }

    slot->oom = codr_steal_fd(&event);
    return 0;
}


static int
make_slot(const codr_cgroup_t *cgroup, codr_cgroup_slot_t *slot)
{
    int tree, fd;

    for (tree = 0; tree < CODR_CGROUP_TREES; tree++) {
        if (cgroup->dir[tree] < 0) {
            continue;
        }
        fd = codr_cgroup_make(cgroup->dir[tree], slot_file(slot, "").text);
        if (fd < 0) {
            return fd;
        }
        (void) close(fd);
    }

    slot->memory = 0;
    slot->processes = 0;
    slot->oom = -1;
    slot->made = true;
    keep_files(cgroup, slot);

    return watch_oom(cgroup, slot);
}


/* The last job's end has been seen, so processes here are somebody else's. */
static int
check_empty(const codr_cgroup_t *cgroup, const codr_cgroup_slot_t *slot)
{
    char    text[64];
    ssize_t n = read_file(cgroup, slot, MEMORY_TASKS, text, sizeof(text));

    return n > 0 ? -EBUSY : (int) n;
}


static bool
is_charged(const codr_cgroup_t *cgroup, const codr_cgroup_slot_t *slot)
{
    char text[64];

    return read_file(cgroup, slot, MEMORY_USED, text, sizeof(text)) <= 0
           || strtoull(text, NULL, 10) > LEFTOVER_MAX;
}


static int
limit_memory(int dir, const codr_cgroup_slot_t *slot, uint64_t memory)
{
    int         rc;
    const name_t both = slot_file(slot, "memory.memsw.limit_in_bytes");

    /* never below the other one, whichever way the limit moves */
    (void) codr_cgroup_write(dir, both.text, "-1");

    rc = codr_cgroup_write_number(
        dir, slot_file(slot, "memory.limit_in_bytes").text, memory);
    if (rc != 0) {
        return rc;
    }

    rc = codr_cgroup_write_number(dir, both.text, memory);

    return rc == -ENOENT ? 0 : rc;      /* a kernel without swap accounting */
}


static int
set_limits(const codr_cgroup_t *cgroup, codr_cgroup_slot_t *slot,
    uint64_t memory, uint32_t processes)
{
    int rc;

    if (slot->memory != memory) {
        slot->memory = 0;
        rc = limit_memory(cgroup->dir[CODR_CGROUP_MEMORY], slot, memory);
        if (rc != 0) {
            return rc;
        }
        slot->memory = memory;
    }

    if (slot->processes != processes) {
        slot->processes = 0;
        rc = codr_cgroup_write_number(
            cgroup->dir[CODR_CGROUP_PIDS], slot_file(slot, "pids.max").text,
            (uint64_t) processes + 1);      /* init is one of them */
        if (rc != 0) {
            return rc;
        }
        slot->processes = processes;
    }

    return 0;
}


static uint64_t
count_oom(const codr_cgroup_t *cgroup, const codr_cgroup_slot_t *slot)
{
    char     text[128];
    uint64_t count = 0;

    if (read_file(cgroup, slot, MEMORY_OOM, text, sizeof(text)) > 0) {
        (void) codr_cgroup_find_number(text, "oom_kill", &count);
    }

    return count;
}


static int
reset_counters(const codr_cgroup_t *cgroup, codr_cgroup_slot_t *slot)
{
    int      rc;
    uint64_t events;

    rc = write_zero(cgroup, slot, PEAK_RESET);
    if (rc == 0) {
        rc = write_zero(cgroup, slot, CPU_RESET);
    }

    slot->oom_before = count_oom(cgroup, slot);
    (void) !read(slot->oom, &events, sizeof(events));   /* EAGAIN: none */

    return rc;
}


static int
clean(const codr_cgroup_t *cgroup, codr_cgroup_slot_t *slot)
{
    int rc = check_empty(cgroup, slot);

    if (rc == 0 && is_charged(cgroup, slot)) {
        codr_cgroup_v1_remove(cgroup, slot);
        rc = make_slot(cgroup, slot);
    }
    if (rc == 0) {
        rc = reset_counters(cgroup, slot);
    }

    slot->clean = rc == 0;
    return rc;
}


/* Done between jobs; when it fails, the next one tries again and tells. */
void
codr_cgroup_v1_clean(const codr_cgroup_t *cgroup, codr_cgroup_slot_t *slot)
{
    (void) clean(cgroup, slot);
}


int
codr_cgroup_v1_prepare(const codr_cgroup_t *cgroup, codr_cgroup_slot_t *slot,
    uint64_t memory, uint32_t processes, uint32_t *ret_step)
{
    int rc = 0;

    *ret_step = CODR_STEP_CGROUP_CREATE;

    if (!slot->made) {
        rc = make_slot(cgroup, slot);
    }
    if (rc == 0 && !slot->clean) {
        rc = clean(cgroup, slot);
    }
    if (rc != 0) {
        return rc;
    }

    slot->clean = false;
    *ret_step = CODR_STEP_CGROUP_LIMIT;

    return set_limits(cgroup, slot, memory, processes);
}


/* By "tasks", not "cgroup.procs": a thread that moves itself alone needs no
   lock of all forks, which in a quiet moment takes a grace period of RCU. */
int
codr_cgroup_v1_enter(const codr_cgroup_t *cgroup,
    const codr_cgroup_slot_t *slot)
{
    int    rc = 0;
    size_t i;

    for (i = 0; rc == 0 && i < CODR_CGROUP_TREES; i++) {
        if (cgroup->dir[files[i].tree] >= 0) {
            rc = write_zero(cgroup, slot, i);
        }
    }

    return rc;
}


/* Those that are kept are as good as others: who has one can do the same with
   it as long as it likes. */
int
codr_cgroup_v1_lend(const codr_cgroup_t *cgroup,
    const codr_cgroup_slot_t *slot, int *fds, size_t *nfds)
{
    int    fd, opened;
    size_t i;

    for (i = 0; i < CODR_CGROUP_TREES; i++) {
        if (cgroup->dir[files[i].tree] < 0) {
            continue;
        }
        fd = use_file(cgroup, slot, i, &opened);
        if (fd < 0) {
            return fd;
        }
        fds[(*nfds)++] = fd;
    }

    return 0;
}


static bool
is_kept(const codr_cgroup_slot_t *slot, int fd)
{
    size_t i;

    for (i = 0; i < CODR_CGROUP_KEPT && slot->kept[i] != fd; i++) {
        continue;
    }

    return i < CODR_CGROUP_KEPT;
}


void
codr_cgroup_v1_return(const codr_cgroup_slot_t *slot, int *fds, size_t nfds)
{
    while (nfds > 0) {
        if (!is_kept(slot, fds[--nfds])) {
            codr_close(&fds[nfds]);
        }
    }
}


int
codr_cgroup_v1_watch(const codr_cgroup_t *cgroup,
    const codr_cgroup_slot_t *slot, codr_cgroup_watch_t *ret)
{
    codr_cleanup_close int cpu = -1, peak = -1;

    *ret = (codr_cgroup_watch_t) {
        .flags = CODR_SPAWNED_CPU | CODR_SPAWNED_PEAK | CODR_SPAWNED_OOM,
        .count = 3,
        .fd = { slot->kept[CPU_USED], slot->kept[MEMORY_PEAK], slot->oom },
    };

    if (ret->fd[0] >= 0 && ret->fd[1] >= 0) {
        return 0;               /* who reads them does so by pread() */
    }

    cpu = open_file(cgroup, slot, CPU_USED);
    peak = open_file(cgroup, slot, MEMORY_PEAK);
    if (cpu < 0 || peak < 0) {
        return cpu < 0 ? cpu : peak;
    }

    ret->fd[0] = codr_steal_fd(&cpu);
    ret->fd[1] = codr_steal_fd(&peak);
    ret->ours = 2;
    return 0;
}


int
codr_cgroup_v1_finish(const codr_cgroup_t *cgroup, codr_cgroup_slot_t *slot,
    codr_cgroup_usage_t *ret)
{
    *ret = (codr_cgroup_usage_t) {
        .cpu_us = read_file_number(cgroup, slot, CPU_USED) / 1000,
        .memory_peak = read_file_number(cgroup, slot, MEMORY_PEAK),
        .oom_events = (uint32_t) (count_oom(cgroup, slot) - slot->oom_before),
    };

    return 0;
}


void
codr_cgroup_v1_remove(const codr_cgroup_t *cgroup, codr_cgroup_slot_t *slot)
{
    int    tree;
    size_t i;

    if (!slot->made) {
        return;
    }

    for (tree = 0; tree < CODR_CGROUP_TREES; tree++) {
        if (cgroup->dir[tree] >= 0) {
            (void) unlinkat(cgroup->dir[tree], slot_file(slot, "").text,
                            AT_REMOVEDIR);
        }
    }

    for (i = 0; i < CODR_CGROUP_KEPT; i++) {
        codr_close(&slot->kept[i]);
    }
    slot->made = false;
    slot->clean = false;
    codr_close(&slot->oom);
}
