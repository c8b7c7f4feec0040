/*
 * The table of slots.  Runs in the broker; pure bookkeeping, the spawner is
 * the one that holds uids and namespaces.
 */

#include "codr_slot.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { FREE = 0, USED, FOREIGN };


int
codr_slots_resize(codr_slots_t *slots, size_t count)
{
    uint8_t *state;

    if (count > CODR_SLOTS_MAX) {
        return -EINVAL;
    }
    if (count <= slots->count) {
        return 0;
    }

    state = realloc(slots->state, count);
    if (state == NULL) {
        return -ENOMEM;
    }

    memset(state + slots->count, FREE, count - slots->count);
    slots->state = state;
    slots->count = count;
    return 0;
}


void
codr_slots_free(codr_slots_t *slots)
{
    free(slots->state);
    *slots = (codr_slots_t) { 0 };
}


static void
retry_foreign(codr_slots_t *slots)
{
    size_t i;

    for (i = 1; i < slots->count; i++) {
        if (slots->state[i] == FOREIGN) {
            slots->state[i] = FREE;
        }
    }

    slots->foreign = 0;
}


static uint32_t
take_free(codr_slots_t *slots)
{
    uint8_t *free_slot;

    if (slots->count < 2) {
        return 0;
    }

    free_slot = memchr(slots->state + 1, FREE, slots->count - 1);
    if (free_slot == NULL) {
        return 0;
    }

    *free_slot = USED;
    slots->used++;
    return (uint32_t) (free_slot - slots->state);
}


uint32_t
codr_slot_take(codr_slots_t *slots)
{
    uint32_t slot = take_free(slots);

    if (slot == 0 && slots->foreign > 0) {
        retry_foreign(slots);
        slot = take_free(slots);
    }

    return slot;
}


void
codr_slot_release(codr_slots_t *slots, uint32_t slot)
{
    if (slot < slots->count && slots->state[slot] == USED) {
        slots->state[slot] = FREE;
        slots->used--;
    }
}


void
codr_slot_foreign(codr_slots_t *slots, uint32_t slot)
{
    if (slot < slots->count && slots->state[slot] == USED) {
        slots->state[slot] = FOREIGN;
        slots->used--;
        slots->foreign++;
    }
}


size_t
codr_slots_free_count(const codr_slots_t *slots)
{
    return slots->count < 2 ? 0 : slots->count - 1 - slots->used;
}
