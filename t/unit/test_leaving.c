/*
 * Sandboxes on their way out: a slot is free again when the spawner says so
 * and not before, no more of them than other slots are free, and an init that
 * stays is killed.
 */

#define _GNU_SOURCE

#include "tap.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../../sandbox/codr_io.h"
#include "../../sandbox/codr_leaving.h"
#include "../../sandbox/codr_util.h"

#define SLOTS   6       /* of which the first is the broker's */

static codr_loop_t   loop;
static codr_slots_t  slots;
static codr_link_t  *spawner;
static int           peer;      /* the spawner's end */


static void
changed(codr_link_t *link)
{
    (void) link;
}


/* What the loop does with an event of the link. */
static void
deliver(void)
{
    spawner->event.handler(&spawner->event, 1);
}


static void
say(codr_spawn_answer_t kind, uint32_t slot, uint64_t id)
{
    codr_spawn_reply_t reply = {
        .version = CODR_IPC_VERSION, .kind = kind, .id = id, .slot = slot,
        .slots = SLOTS,
    };

    if (codr_io_send_one(peer, &reply, sizeof(reply), NULL, 0) != 0) {
        abort();
    }
    deliver();
}


static void
open_link(void)
{
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == -1
        || fcntl(ends[1], F_SETFL, O_RDWR | O_NONBLOCK) == -1)
    {
        abort();
    }

    peer = ends[1];
    spawner = codr_link_open(&loop, &slots, ends[0], changed, NULL);
    say(CODR_SPAWNER_READY, 0, 0);
}


static void
close_link(void)
{
    codr_link_lose(spawner);
    codr_link_free(spawner);
    codr_close(&peer);
}


/* A sandbox that was in a slot is one on its way out. */
static bool
leave(uint32_t slot, uint64_t id)
{
    static codr_sandbox_t *const somebody = (codr_sandbox_t *) &loop;

    if (codr_link_attach(spawner, somebody, slot) != 0) {
        abort();
    }

    return codr_leaving_add(spawner, slot, id);
}


/* The id of a KILL that was asked for, or 0. */
static uint64_t
killed(void)
{
    codr_spawn_request_t request;

    return recv(peer, &request, sizeof(request), 0) == sizeof(request)
           && request.op == CODR_KILL ? request.id : 0;
}


static void
test_slots(void)
{
    uint32_t first, second, third;

    open_link();
    first = codr_slot_take(&slots);
    second = codr_slot_take(&slots);
    third = codr_slot_take(&slots);

    tap_ok(leave(first, 11), "one leaves");
    tap_ok(leave(second, 12), "another one");
    tap_number(slots.used, 3, "their slots are still theirs");
    tap_ok(!leave(third, 13), "a third one has to wait: two slots are free");
    spawner->sandbox[third] = NULL;

    say(CODR_SPAWNER_EXITED, first, 11);
    tap_number(slots.used, 2, "the spawner says that it is gone");
    tap_number(codr_slot_take(&slots), first, "and the next one gets it");
    tap_number(spawner->state, CODR_LINK_READY, "all is well");

    close_link();
    tap_number(slots.used, 2, "what leaves is gone with the spawner");
    codr_slot_release(&slots, first);
    codr_slot_release(&slots, third);
}


/* What no spawner says. */
static void
test_odd(codr_spawn_answer_t kind, uint64_t id, const char *name)
{
    uint32_t slot = codr_slot_take(&slots);

    open_link();
    if (!leave(slot, 21)) {
        abort();
    }

    say(kind, slot, id);
    tap_number(spawner->state, CODR_LINK_LOST, name);
    close_link();
    tap_number(slots.used, 0, "and nothing is held");
}


static void
test_stays(void)
{
    uint32_t slot = codr_slot_take(&slots);

    open_link();
    if (!leave(slot, 31)) {
        abort();
    }

    tap_ok(codr_timer_is_set(&spawner->sweep), "it is looked after");
    spawner->sweep.handler(&spawner->sweep);
    tap_number(killed(), 0, "it has some time");
    spawner->sweep.handler(&spawner->sweep);
    tap_number(killed(), 31, "and is killed then");
    spawner->sweep.handler(&spawner->sweep);
    tap_number(killed(), 0, "once");

    say(CODR_SPAWNER_EXITED, slot, 31);
    tap_number(spawner->leavers, 0, "and gone in the end");
    codr_timer_clear(&loop.timers, &spawner->sweep);
    spawner->sweep.handler(&spawner->sweep);
    tap_ok(!codr_timer_is_set(&spawner->sweep), "nobody is left to look for");
    close_link();
}


int
main(void)
{
    if (codr_loop_init(&loop) != 0) {
        abort();
    }

    test_slots();
    test_odd(CODR_SPAWNER_EXITED, 22, "the end of another one");
    test_odd(CODR_SPAWNER_SPAWNED, 21, "a beginning after the end");
    test_odd(CODR_SPAWNER_REFUSED, 21, "no beginning after the end");
    test_stays();

    codr_loop_free(&loop);
    codr_slots_free(&slots);
    return tap_done();
}
