/*
 * Privileges: given up for good in the spawner as far as it can do without,
 * and wholly in init.
 */

#ifndef CODR_CRED_H
#define CODR_CRED_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * For the spawner, once, when everything that is to be executed has been, and
 * for an init that begins a user namespace:
 * locked securebits, an empty bounding set, no_new_privs, and of its
 * capabilities only those that making a sandbox takes.
 */
int codr_cred_lock(void);

typedef struct {
    uid_t  uid;
    gid_t  gid;
    bool   keep_groups;     /* user namespace: setgroups() is not to be had */
} codr_cred_t;

/*
 * For init: becomes uid and gid without groups or capabilities, undumpable and
 * bound to its parent's life.  *ret_step (codr_step_t) is the failing step.
 */
int codr_cred_drop(const codr_cred_t *cred, uint32_t *ret_step);

#endif /* CODR_CRED_H */
