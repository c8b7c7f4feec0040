/*
 * Slots: what is lent to one sandbox after the other.
 */

#ifndef CODR_SPAWNER_SLOT_H
#define CODR_SPAWNER_SLOT_H

#include <stdint.h>
#include <sys/types.h>

#include "codr_ipc.h"
#include "codr_spawner_setup.h"

/* The slot of that number, ready to be filled in when it is new. */
codr_spawner_slot_t *codr_spawner_slot_use(codr_spawner_t *spawner,
    uint32_t number);

/* The uid of what runs there. */
uid_t codr_spawner_slot_uid(const codr_spawner_t *spawner,
    const codr_spawner_slot_t *slot);

/* Makes sure that no other helper has that uid.  0 or negative errno. */
int codr_spawner_slot_lease(const codr_spawner_t *spawner,
    codr_spawner_slot_t *slot);

/* Its cgroup, with the limits of the request.  0, or negative errno and the
   step that failed. */
int codr_spawner_slot_prepare(const codr_spawner_t *spawner,
    codr_spawner_slot_t *slot, const codr_spawn_request_t *request,
    uint32_t *ret_step);

/* A blank with a box of that size.  0 or negative errno. */
int codr_spawner_slot_blank(const codr_spawner_t *spawner,
    codr_spawner_slot_t *slot, uint64_t disk, uint64_t inodes);

/* It is free, and what its last sandbox has left of itself is still there. */
void codr_spawner_slot_leave(codr_spawner_t *spawner,
    codr_spawner_slot_t *slot);

/* Takes that away. */
void codr_spawner_slot_tidy(codr_spawner_t *spawner,
    codr_spawner_slot_t *slot);

/* The same for one that needs it, and makes what the next sandbox will need:
   when nobody waits for anything. */
void codr_spawner_slot_tidy_one(codr_spawner_t *spawner);

#endif /* CODR_SPAWNER_SLOT_H */
