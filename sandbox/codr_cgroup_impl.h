/*
 * What the two cgroup versions share with codr_cgroup.c, and with nobody else:
 * small files and the parsers of their texts (codr_cgroup_file.c), and one
 * entry each.
 */

#ifndef CODR_CGROUP_IMPL_H
#define CODR_CGROUP_IMPL_H

#include "codr_cgroup.h"

#define CODR_CGROUP_WEIGHT_V1   256     /* of cpu.shares, where 1024 is usual */
#define CODR_CGROUP_WEIGHT_V2   25      /* of cpu.weight, where 100 is usual */
#define CODR_CGROUP_PERIOD_US   100000


/* Files of a cgroup directory; 0 or negative errno.  text is a line. */
int codr_cgroup_write(int dir, const char *file, const char *text);
int codr_cgroup_write_number(int dir, const char *file, uint64_t value);
ssize_t codr_cgroup_read(int dir, const char *file, char *text, size_t size);
int codr_cgroup_read_number(int dir, const char *file, uint64_t *ret);

/* All jobs together may have half of the process ids there are: a host without
   any can start nothing, not even what would end them. */
int codr_cgroup_limit_tasks(int dir);


/* A directory: made if need be, and opened. A descriptor, or negative errno. */
int codr_cgroup_make(int dir, const char *name);

/* The same for every part of a path; visit, unless NULL, sees each directory
   before the next is made in it. */
int codr_cgroup_make_path(int dir, const char *path, void (*visit)(int dir));

/* Pure: the number after "key " at the start of a line. */
bool codr_cgroup_find_number(const char *text, const char *key,
    uint64_t *ret);

/* Pure: a word in a list separated by spaces, commas or the end of a line. */
bool codr_cgroup_has_word(const char *list, const char *word);

/*
 * Pure: where a controller (v1) or, with NULL, the v2 tree is mounted, from
 * the text of /proc/self/mounts.
 */
bool codr_cgroup_find_mount(const char *mounts, const char *controller,
    char path[CODR_CGROUP_PATH]);

/* Pure: the v2 path of a process from the text of its /proc/PID/cgroup. */
bool codr_cgroup_find_own(const char *text, char path[CODR_CGROUP_PATH]);


/*
 * Instances (codr_cgroup_stale.c).  A lock file below the run directory names
 * the directories of one helper; while the helper lives it is locked.
 */
int codr_cgroup_instance_open(codr_cgroup_t *cgroup);

/* Adds the directory that is about to be made to the instance's file. */
int codr_cgroup_instance_record(const codr_cgroup_t *cgroup,
    const char *path);
void codr_cgroup_instance_close(codr_cgroup_t *cgroup);


int codr_cgroup_v1_open(codr_cgroup_t *cgroup, const char *mounts,
    const codr_cgroup_options_t *options, const char **ret_tried);
int codr_cgroup_v1_prepare(const codr_cgroup_t *cgroup,
    codr_cgroup_slot_t *slot, uint64_t memory, uint32_t processes,
    uint32_t *ret_step);
int codr_cgroup_v1_enter(const codr_cgroup_t *cgroup,
    const codr_cgroup_slot_t *slot);
int codr_cgroup_v1_lend(const codr_cgroup_t *cgroup,
    const codr_cgroup_slot_t *slot, int *fds, size_t *nfds);
void codr_cgroup_v1_return(const codr_cgroup_slot_t *slot, int *fds,
    size_t nfds);
int codr_cgroup_v1_watch(const codr_cgroup_t *cgroup,
    const codr_cgroup_slot_t *slot, codr_cgroup_watch_t *ret);
int codr_cgroup_v1_finish(const codr_cgroup_t *cgroup,
    codr_cgroup_slot_t *slot, codr_cgroup_usage_t *ret);
void codr_cgroup_v1_clean(const codr_cgroup_t *cgroup,
    codr_cgroup_slot_t *slot);
void codr_cgroup_v1_remove(const codr_cgroup_t *cgroup,
    codr_cgroup_slot_t *slot);

bool codr_cgroup_v2_usable(const char *mounts);
int codr_cgroup_v2_open(codr_cgroup_t *cgroup, const char *mounts,
    const codr_cgroup_options_t *options, const char **ret_tried);
int codr_cgroup_v2_prepare(const codr_cgroup_t *cgroup,
    codr_cgroup_slot_t *slot, uint64_t id, uint64_t memory,
    uint32_t processes, uint32_t *ret_step);
int codr_cgroup_v2_lend(const codr_cgroup_slot_t *slot, uid_t uid, int *fds,
    size_t *nfds);
int codr_cgroup_v2_house(const codr_cgroup_t *cgroup, pid_t pid, uid_t uid);
void codr_cgroup_v2_raze(const codr_cgroup_t *cgroup);
int codr_cgroup_v2_watch(const codr_cgroup_slot_t *slot,
    codr_cgroup_watch_t *ret);
int codr_cgroup_v2_finish(const codr_cgroup_t *cgroup,
    codr_cgroup_slot_t *slot, codr_cgroup_usage_t *ret);

#endif /* CODR_CGROUP_IMPL_H */
