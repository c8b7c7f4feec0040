/*
 * Control groups of sandboxes: memory, tasks, CPU time of everything a job
 * starts, and of all jobs together.  One interface over cgroup v2 (a cgroup a
 * sandbox, never used again) and v1 (a cgroup a slot, cleaned between jobs).
 */

#ifndef CODR_CGROUP_H
#define CODR_CGROUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define CODR_CGROUP_PATH        512

typedef enum {
    CODR_CGROUP_NONE = 0,       /* not to be had, or waived */
    CODR_CGROUP_V1,
    CODR_CGROUP_V2
} codr_cgroup_version_t;

/* Controllers of v1, each a tree of its own unless mounted together. */
typedef enum {
    CODR_CGROUP_MEMORY = 0,
    CODR_CGROUP_PIDS,
    CODR_CGROUP_CPUACCT,
    CODR_CGROUP_CPU,            /* optional */
    CODR_CGROUP_TREES
} codr_cgroup_tree_t;

typedef struct {
    const char  *path;          /* the operator's choice, or NULL */
    bool         in_scope;      /* systemd made a scope for this process */
    uint64_t     total_memory;  /* bytes; 0: no ceiling */
    uint64_t     total_cpu;     /* thousandths of a CPU; 0: no ceiling */
} codr_cgroup_options_t;

/* The parent of all sandboxes of one helper. */
typedef struct {
    codr_cgroup_version_t  version;
    bool                   has_cpu;
    int                    run_dir;         /* /run/codr */
    int                    lock;            /* held: we are alive */
    char                   lock_name[64];
    char                   instance[40];    /* "codr-..." */
    int                    base[CODR_CGROUP_TREES];
    int                    dir[CODR_CGROUP_TREES];  /* v2: the first only */
} codr_cgroup_t;

#define CODR_CGROUP_KEPT        11  /* files of a slot: codr_cgroup_v1.c */

/* What a slot keeps; zero it before its first use. */
typedef struct {
    bool      made;             /* v1: its directories are there */
    bool      clean;            /* v1: and as good as new */
    int       dir;              /* v2: of the sandbox */
    int       oom;              /* v1: eventfd */
    int       kept[CODR_CGROUP_KEPT];   /* v1: open files, or -1 */
    uint32_t  number;           /* the slot */
    uint32_t  processes;        /* v1: limits as they were written last */
    uint64_t  memory;
    uint64_t  oom_before;       /* v1: the count so far */
    uint64_t  id;               /* v2: names the directory */
} codr_cgroup_slot_t;

typedef struct {
    uint64_t  cpu_us;
    uint64_t  memory_peak;      /* 0: not known */
    uint32_t  oom_events;
} codr_cgroup_usage_t;

/* Descriptors for the broker; flags are CODR_SPAWNED_*. */
typedef struct {
    uint32_t  flags;
    size_t    count;
    size_t    ours;             /* how many the caller has to close, the first
                                   ones */
    int       fd[3];
} codr_cgroup_watch_t;


/*
 * Finds the place, cleans up after helpers that are gone, makes the parent
 * with its ceilings.  0, or negative errno with a text of what was tried.
 * Must run before the spawner leaves the host's file systems.
 */
int codr_cgroup_open(codr_cgroup_t *ret, int run_dir,
    const codr_cgroup_options_t *options, const char **ret_tried);

/* The file that says how many bytes all sandboxes use, opened, or -1. */
int codr_cgroup_usage_file(const codr_cgroup_t *cgroup);

/* Removes what a slot keeps; its sandbox must be gone. */
void codr_cgroup_forget(const codr_cgroup_t *cgroup,
    codr_cgroup_slot_t *slot);

/* Removes the parent and the instance; accepts a half-opened one. */
void codr_cgroup_close(codr_cgroup_t *cgroup);

/* True where a process must ask systemd for a scope first. */
bool codr_cgroup_wants_scope(const codr_cgroup_options_t *options);

/*
 * Makes a slot's cgroup ready for a sandbox of these limits.  0, or negative
 * errno with the step.
 */
int codr_cgroup_prepare(const codr_cgroup_t *cgroup, codr_cgroup_slot_t *slot,
    uint64_t id, uint64_t memory, uint32_t processes, uint32_t *ret_step);

/* The directory a sandbox is cloned into, or -1. */
int codr_cgroup_into(const codr_cgroup_t *cgroup,
    const codr_cgroup_slot_t *slot);

/* In the child: enters where it was not cloned into it. */
int codr_cgroup_enter(const codr_cgroup_t *cgroup,
    const codr_cgroup_slot_t *slot);

/*
 * What a process of another user (uid) needs to clone into a slot's cgroup:
 * on v1 files to write "0" to, on v2 its directory, appended to fds, which has
 * room for CODR_CGROUP_TREES.  0, or negative errno; codr_cgroup_return()
 * either way.
 */
int codr_cgroup_lend(const codr_cgroup_t *cgroup,
    const codr_cgroup_slot_t *slot, uid_t uid, int *fds, size_t *nfds);
void codr_cgroup_return(const codr_cgroup_t *cgroup,
    const codr_cgroup_slot_t *slot, int *fds, size_t nfds);

/* v2: such a process must be of the same tree; it gets a leaf there.  0, or
   negative errno. */
int codr_cgroup_house(const codr_cgroup_t *cgroup, pid_t pid, uid_t uid);

int codr_cgroup_watch(const codr_cgroup_t *cgroup,
    const codr_cgroup_slot_t *slot, codr_cgroup_watch_t *ret);

void codr_cgroup_kill(const codr_cgroup_t *cgroup,
    const codr_cgroup_slot_t *slot);

/* After the last process is gone: the figures, and the end of the cgroup.
   0, or negative errno when it could not be removed. */
int codr_cgroup_finish(const codr_cgroup_t *cgroup, codr_cgroup_slot_t *slot,
    codr_cgroup_usage_t *ret);

/* What can be done for the next sandbox of the slot while nobody waits. */
void codr_cgroup_clean(const codr_cgroup_t *cgroup, codr_cgroup_slot_t *slot);

#endif /* CODR_CGROUP_H */
