/*
 * Slots: which of the host uids (and with them network namespaces and pooled
 * cgroups) are in use.  Slot 0 is the broker's own uid and never given out.
 */

#ifndef CODR_SLOT_H
#define CODR_SLOT_H

#include <stddef.h>
#include <stdint.h>

#define CODR_SLOTS_MAX  65536

typedef struct {
    uint8_t  *state;
    size_t    count;
    size_t    used;
    size_t    foreign;          /* held by another instance */
} codr_slots_t;


/* Grows the table to count slots; fewer than it has changes nothing.
   0, -EINVAL, or -ENOMEM. */
int codr_slots_resize(codr_slots_t *slots, size_t count);
void codr_slots_free(codr_slots_t *slots);

/*
 * The lowest free slot, or 0: there is none.  Low ones first, because what
 * the spawner makes for a slot on demand is kept.
 */
uint32_t codr_slot_take(codr_slots_t *slots);

void codr_slot_release(codr_slots_t *slots, uint32_t slot);

/* A slot that was taken turned out to be another instance's: it is tried
   again only when no other one is left. */
void codr_slot_foreign(codr_slots_t *slots, uint32_t slot);

/* How many can be taken now at most. */
size_t codr_slots_free_count(const codr_slots_t *slots);

#endif /* CODR_SLOT_H */
