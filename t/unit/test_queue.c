/*
 * The queue: in turn by owner, in order within one, positions that say when
 * it will be somebody's turn, and a length that holds.
 */

#include "tap.h"

#include <errno.h>

#include "../../sandbox/codr_queue.h"

static codr_queue_t   queue;
static codr_waiter_t  waiter[8];


static bool
any(codr_waiter_t *one, void *context)
{
    (void) one;
    (void) context;
    return true;
}


static bool
not_that(codr_waiter_t *one, void *context)
{
    return one != context;
}


static int
add(size_t i, const char *owner)
{
    return codr_queue_add(&queue, &waiter[i], owner, strlen(owner), 6);
}


static codr_waiter_t *
take(void)
{
    return codr_queue_take(&queue, any, NULL);
}


/* Notes the order, as far as there is room for it. */
typedef struct {
    codr_waiter_t  *seen[8];
    size_t          count;
    size_t          room;
} order_t;


static bool
note(codr_waiter_t *one, void *context)
{
    order_t *order = context;

    order->seen[order->count++] = one;
    return order->count < order->room;
}


static order_t
visited(size_t room)
{
    order_t order = { .room = room };

    codr_queue_visit(&queue, note, &order);
    return order;
}


static void
turns(void)
{
    size_t   i;
    order_t  seen;
    static const size_t  order[] = { 0, 3, 5, 1, 4, 2 };

    /* a a a b b c: taken as a b c a b a */
    add(0, "a");
    add(1, "a");
    add(2, "a");
    add(3, "b");
    add(4, "b");
    add(5, "c");
    tap_number(add(6, "d"), -ENOSPC, "no more than the maximum");

    seen = visited(8);
    tap_number((long) seen.count, 6, "all are visited");
    tap_number((long) visited(2).count, 2, "until it is enough");

    for (i = 0; i < 6; i++) {
        tap_ok(seen.seen[i] == &waiter[order[i]], "in the order of turns");
    }
    for (i = 0; i < 6; i++) {
        tap_ok(take() == &waiter[order[i]], "which is kept");
    }

    tap_ok(take() == NULL && queue.count == 0, "empty");
    tap_number((long) visited(8).count, 0, "nobody to be visited");
}


static void
leaves(void)
{
    add(0, "a");
    add(1, "a");
    add(2, "b");
    codr_queue_remove(&queue, &waiter[0]);
    codr_queue_remove(&queue, &waiter[0]);
    tap_ok(visited(8).seen[0] == &waiter[1], "the next one has its turn");
    codr_queue_remove(&queue, &waiter[2]);
    tap_number(queue.count, 1, "one is left");
    tap_ok(take() == &waiter[1], "it is taken");
}


static void
skips(void)
{
    add(0, "a");
    add(1, "a");
    tap_ok(codr_queue_take(&queue, not_that, &waiter[0]) == &waiter[1],
           "what does not fit does not block its owner");
    tap_ok(codr_queue_take(&queue, not_that, &waiter[0]) == NULL,
           "nothing else fits");
    tap_ok(take() == &waiter[0], "it kept its place");
}


static void
drop(codr_waiter_t *one, void *context)
{
    (void) context;
    codr_queue_remove(&queue, one);
}


static void
empties(void)
{
    add(0, "a");
    add(1, "a");
    add(2, "b");
    codr_queue_each(&queue, drop, NULL);
    tap_ok(queue.count == 0 && queue.first == NULL,
           "every waiter may leave while all are visited");
}


int
main(void)
{
    turns();
    leaves();
    skips();
    empties();

    return tap_done();
}
