/*
 * The spawner's slots.  What a sandbox leaves in one is taken away when nobody
 * asks for anything, or when the slot is asked for again.
 */

#define _GNU_SOURCE

#include "codr_spawner_slot.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>

#include "codr_uid.h"

#define LEAVE_MS    100     /* for an init that nobody knows */

/* Slots below this keep a blank: a box costs the kernel some 10 KB. */
#define SLOTS_KEPT  64


static uint32_t
number_of(const codr_spawner_t *spawner, const codr_spawner_slot_t *slot)
{
    return (uint32_t) (slot - spawner->slots);
}


uid_t
codr_spawner_slot_uid(const codr_spawner_t *spawner,
    const codr_spawner_slot_t *slot)
{
    return spawner->first_uid + (spawner->user_ns ? 1
                                                  : number_of(spawner, slot));
}


/* Slots are taken from the first on: what was never used is never touched, so
   that a clone copies, and a search reads, no more than is needed. */
codr_spawner_slot_t *
codr_spawner_slot_use(codr_spawner_t *spawner, uint32_t number)
{
    codr_spawner_slot_t *slot;

    for ( ; spawner->used <= number; spawner->used++) {
        slot = &spawner->slots[spawner->used];
        slot->net.fd = -1;
        slot->blank = (codr_blank_t) CODR_BLANK_NONE;
        slot->mounts = -1;
        slot->cgroup.number = spawner->used;
        slot->cgroup.dir = -1;
        slot->cgroup.oom = -1;
    }

    return &spawner->slots[number];
}


int
codr_spawner_slot_lease(const codr_spawner_t *spawner,
    codr_spawner_slot_t *slot)
{
    int rc = 0;

    if (!slot->leased && spawner->uids >= 0) {
        rc = codr_uid_lease(spawner->uids,
                            codr_spawner_slot_uid(spawner, slot));
        slot->leased = rc == 0;
    }

    return rc;
}


void
codr_spawner_slot_leave(codr_spawner_t *spawner, codr_spawner_slot_t *slot)
{
    slot->id = 0;
    slot->pid = 0;
    slot->untidy = true;
    spawner->untidy++;
}


void
codr_spawner_slot_tidy(codr_spawner_t *spawner, codr_spawner_slot_t *slot)
{
    if (slot->untidy) {
        slot->untidy = false;
        spawner->untidy--;
        codr_cgroup_clean(&spawner->cgroup, &slot->cgroup);
        if (slot->networked) {
            slot->networked = false;
            codr_ns_check_net(&slot->net);
        }
    }
}


int
codr_spawner_slot_blank(const codr_spawner_t *spawner,
    codr_spawner_slot_t *slot, uint64_t disk, uint64_t inodes)
{
    uid_t      uid = codr_spawner_slot_uid(spawner, slot);
    codr_box_t box = {
        .uid = uid,
        .gid = uid,
        .disk = disk,
        .inodes = inodes,
    };

    return codr_blank_make(&spawner->blanks, &box, &slot->blank);
}


void
codr_spawner_slot_tidy_one(codr_spawner_t *spawner)
{
    uint32_t             i;
    codr_spawner_slot_t *slot;

    for (i = 1; i < spawner->used && !spawner->slots[i].untidy; i++) {
        continue;
    }
    if (i == spawner->used) {
        return;
    }

    slot = &spawner->slots[i];
    codr_spawner_slot_tidy(spawner, slot);

    if (i < SLOTS_KEPT && slot->blank.disk > 0 && slot->blank.mounts < 0) {
        (void) codr_spawner_slot_blank(spawner, slot, slot->blank.disk,
                                       slot->blank.inodes);
    }
}


/* The init that a silent zygote has cloned without saying so leaves when the
   broker gives it up, which it has when it asks for the slot again. */
int
codr_spawner_slot_prepare(const codr_spawner_t *spawner,
    codr_spawner_slot_t *slot, const codr_spawn_request_t *request,
    uint32_t *ret_step)
{
    int rc, tries = slot->given_up ? LEAVE_MS : 0;

    for ( ;; ) {
        rc = codr_cgroup_prepare(&spawner->cgroup, &slot->cgroup, request->id,
                                 request->memory, request->processes,
                                 ret_step);
        if (rc != -EBUSY || tries-- == 0) {
            slot->given_up = slot->given_up && rc != 0;
            return rc;
        }
        (void) poll(NULL, 0, 1);
    }
}
