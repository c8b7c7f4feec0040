/*
 * Timers: due in the order of their deadlines, whatever is set, moved and
 * cleared in between.
 */

#define _GNU_SOURCE

#include "tap.h"

#include <stdlib.h>
#include <sys/timerfd.h>

#include "../../sandbox/codr_slot.h"
#include "../../sandbox/codr_timer.h"
#include "../../sandbox/codr_util.h"

#define COUNT   500
#define SECOND  1000000ULL


static void
timers(void)
{
    bool            ordered = true;
    size_t          i, due = 0;
    uint64_t        last = 0;
    codr_timer_t   *timer;
    codr_timers_t   heap;
    static codr_timer_t  timer_of[COUNT];

    tap_number(codr_timers_init(&heap), 0, "a heap");
    srandom(1);

    for (i = 0; i < COUNT; i++) {
        codr_timer_set(&heap, &timer_of[i], 1 + (uint64_t) random() % 1000);
    }
    for (i = 0; i < COUNT; i += 3) {
        codr_timer_set(&heap, &timer_of[i], 1 + (uint64_t) random() % 1000);
    }
    for (i = 1; i < COUNT; i += 3) {
        codr_timer_clear(&heap, &timer_of[i]);
        codr_timer_clear(&heap, &timer_of[i]);
    }

    tap_ok(codr_timers_due(&heap, 0) == NULL, "none is due yet");
    while ((timer = codr_timers_due(&heap, 1000)) != NULL) {
        ordered = ordered && timer->at_us >= last
                  && !codr_timer_is_set(timer);
        last = timer->at_us;
        due++;
    }

    tap_ok(ordered, "in order");
    tap_number(due, COUNT - (COUNT + 1) / 3, "all that were not cleared");
    codr_timers_free(&heap);
}


/* Microseconds until the heap wakes somebody; 0: it does not. */
static uint64_t
armed(codr_timers_t *heap)
{
    struct itimerspec left = { 0 };

    codr_timers_arm(heap);
    (void) timerfd_gettime(heap->fd, &left);

    return (uint64_t) left.it_value.tv_sec * SECOND
           + (uint64_t) left.it_value.tv_nsec / 1000;
}


/* To wake too early is allowed, too late is not. */
static void
wakes(void)
{
    uint64_t       now = codr_now_us();
    codr_timer_t   one = { 0 }, other = { 0 };
    codr_timers_t  heap;

    tap_number(codr_timers_init(&heap), 0, "another heap");
    tap_number(armed(&heap), 0, "without timers it does not wake");

    codr_timer_set(&heap, &one, now + 9000 * SECOND);
    tap_ok(armed(&heap) > 8000 * SECOND, "nor long before the first one");

    codr_timer_set(&heap, &other, now + 5000 * SECOND);
    tap_ok(armed(&heap) <= 5000 * SECOND, "an earlier one wakes in time");
    codr_timer_set(&heap, &other, now + 7000 * SECOND);
    tap_ok(armed(&heap) <= 7000 * SECOND, "so does one that is put off");
    codr_timer_set(&heap, &other, now + 3000 * SECOND);
    tap_ok(armed(&heap) <= 3000 * SECOND, "and then moved ahead");

    codr_timer_clear(&heap, &other);
    codr_timer_clear(&heap, &one);
    (void) armed(&heap);
    codr_timer_set(&heap, &one, now + 1000 * SECOND);
    tap_ok(armed(&heap) - 1 < 1000 * SECOND, "or set after all were cleared");
    codr_timers_free(&heap);
}


static void
slots(void)
{
    codr_slots_t  table = { NULL, 0, 0, 0 };

    tap_number(codr_slot_take(&table), 0, "no slot in an empty table");
    tap_number(codr_slots_resize(&table, 4), 0, "four");
    tap_number(codr_slot_take(&table), 1, "never the broker's");
    tap_number(codr_slot_take(&table), 2, "the next");
    codr_slot_release(&table, 1);
    tap_number(codr_slot_take(&table), 1, "the lowest");
    codr_slot_foreign(&table, 1);
    tap_number(codr_slot_take(&table), 3, "not another instance's");
    tap_number(codr_slot_take(&table), 1, "but when no other is left");
    tap_number(codr_slot_take(&table), 0, "all taken");
    tap_number(codr_slots_resize(&table, CODR_SLOTS_MAX + 1) < 0, 1,
               "a maximum");
    codr_slot_release(&table, 99);
    tap_number(codr_slots_free_count(&table), 0, "nothing came back");
    codr_slots_free(&table);
}


int
main(void)
{
    timers();
    wakes();
    slots();

    return tap_done();
}
