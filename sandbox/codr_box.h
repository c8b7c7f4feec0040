/*
 * The mounts of one job, on top of the template root.
 */

#ifndef CODR_BOX_H
#define CODR_BOX_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

typedef struct {
    uid_t     uid;
    gid_t     gid;
    uint64_t  disk;             /* bytes */
    uint64_t  inodes;
    bool      terminal;         /* a devpts too */
} codr_box_t;

/*
 * All of a box, in a mount namespace copied from the spawner's and the job's
 * own pid namespace.  0, or negative errno with the step.
 */
int codr_box_mount(const codr_box_t *box, uint32_t *ret_step);

/*
 * The same in parts.  What needs the mount namespace only: /box, /tmp and
 * /dev/shm; another size for it; /proc, and /dev/pts when asked.
 */
int codr_box_make(const codr_box_t *box);
int codr_box_resize(const codr_box_t *box);
int codr_box_complete(const codr_box_t *box, uint32_t *ret_step);

/* True when the job has no bytes or no inodes left. */
bool codr_box_is_full(void);

#endif /* CODR_BOX_H */
