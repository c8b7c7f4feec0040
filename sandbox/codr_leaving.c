/*
 * Sandboxes on their way out.  Runs in the broker.
 *
 * An init that has reported the end of its job leaves by itself, and is reaped
 * within a millisecond.  One that does not is none of ours any more: it is
 * killed at the second sweep that finds it, with whatever it may have kept.
 */

#define _GNU_SOURCE

#include "codr_leaving.h"

#include <errno.h>

#include "codr_log.h"
#include "codr_util.h"

#define SWEEP_US    500000

/* An id is never as large: seen by a sweep, and killed by one. */
#define SEEN        (1ULL << 62)
#define KILLED      (1ULL << 63)


static void
sweep_slot(codr_link_t *link, uint32_t slot)
{
    uint64_t *leaver = &link->leaving[slot];

    if (*leaver & KILLED) {
        return;
    }

    if (!(*leaver & SEEN)) {
        *leaver |= SEEN;
        return;
    }

    /* a full socket is tried again */
    if (codr_link_kill(link, *leaver & ~SEEN) == 0) {
        codr_log(CODR_LEVEL_ERROR, 0, "the init in slot %u does not leave",
                 (unsigned) slot);
        *leaver |= KILLED;
    }
}


static void
sweep(codr_timer_t *timer)
{
    uint32_t     slot;
    size_t       left;
    codr_link_t *link = timer->data;

    left = link->leavers;
    for (slot = 0; left > 0 && slot < link->size; slot++) {
        if (link->leaving[slot]) {
            sweep_slot(link, slot);
            left--;
        }
    }

    if (link->leavers > 0) {
        (void) codr_timer_set(&link->loop->timers, timer,
                              codr_now_us() + SWEEP_US);
    }
}


/* No timer is cleared, so that most sandboxes set none. */
static bool
is_swept(codr_link_t *link)
{
    if (codr_timer_is_set(&link->sweep)) {
        return true;
    }

    link->sweep.handler = sweep;
    link->sweep.data = link;
    return codr_timer_set(&link->loop->timers, &link->sweep,
                          codr_now_us() + SWEEP_US) == 0;
}


bool
codr_leaving_add(codr_link_t *link, uint32_t slot, uint64_t id)
{
    size_t free_slots = codr_slots_free_count(link->slots);

    if (link->state == CODR_LINK_LOST || link->leaving[slot] != 0
        || free_slots <= link->slots->foreign + link->leavers
        || !is_swept(link))
    {
        return false;
    }

    link->sandbox[slot] = NULL;
    link->leaving[slot] = id;
    link->leavers++;
    return true;
}


static void
remove_leaver(codr_link_t *link, uint32_t slot)
{
    link->leaving[slot] = 0;
    link->leavers--;
    codr_slot_release(link->slots, slot);
}


int
codr_leaving_reply(codr_link_t *link, const codr_spawn_reply_t *reply)
{
    uint64_t id = link->leaving[reply->slot] & ~(SEEN | KILLED);

    if (reply->kind != CODR_SPAWNER_EXITED || id == 0 || id != reply->id) {
        return -EPROTO;
    }

    remove_leaver(link, reply->slot);
    codr_link_detach(link, reply->slot);
    return 0;
}


void
codr_leaving_end(codr_link_t *link)
{
    uint32_t slot;

    codr_timer_clear(&link->loop->timers, &link->sweep);

    for (slot = 0; link->leavers > 0 && slot < link->size; slot++) {
        if (link->leaving[slot]) {
            remove_leaver(link, slot);
        }
    }
}
