/*
 * Pieces of output: which go at once, and which wait for others.
 */

#include "tap.h"

#include <string.h>

#include "../../sandbox/codr_batch.h"
#include "../../sandbox/codr_util.h"

#define LONG_US     (1000000ULL * CODR_BATCH_US)

static codr_timers_t timers;
static codr_batch_t  batch;
static char          passed[256];       /* "1:abc 2:de " */
static size_t        passed_len;
static bool          close_it;


static void
pass(codr_batch_t *from, uint8_t stream, uint8_t *data, size_t len)
{
    char *end = passed + strlen(passed);

    memset(data - CODR_BATCH_HEADROOM, 0, CODR_BATCH_HEADROOM);
    (void) snprintf(end, (size_t) (passed + sizeof(passed) - end),
                    "%d:%.*s ", stream, len < 32 ? (int) len : 3,
                    (const char *) data);
    passed_len = len;
    if (close_it) {
        codr_batch_close(from);
        memset(data, 'x', len);
    }
}


static void
begin(void)
{
    memset(passed, 0, sizeof(passed));
    close_it = false;
    codr_batch_init(&batch, &timers, pass, NULL);
}


static void
add(uint8_t stream, const char *text)
{
    size_t   size, len = strlen(text);
    uint8_t *room = codr_batch_room(&batch, stream, &size);

    if (size < len) {
        tap_ok(false, "there is room");
        return;
    }
    memcpy(room, text, len);
    codr_batch_add(&batch, len);
}


/* Nothing that was passed on lately lets the next piece wait, or all of them,
   after those few that do not: the test may be as slow as it likes. */
static void
last_was(bool lately)
{
    batch.passed_us = lately ? codr_now_us() + LONG_US : 1;
    batch.quick = CODR_BATCH_FEW;
}


static bool
tick(void)
{
    codr_timer_t *timer = codr_timers_due(&timers, codr_now_us() + LONG_US);

    if (timer) {
        timer->handler(timer);
    }
    return timer != NULL;
}


static void
lone_pieces(void)
{
    begin();
    add(1, "first");
    tap_text(passed, "1:first ", "the first goes at once");
    last_was(false);
    add(1, "second");
    tap_text(passed, "1:first 1:second ", "so does one long after it");
    tap_ok(batch.buffer == NULL, "without a buffer of its own");
    tap_ok(!tick(), "and without a timer");
    codr_batch_close(&batch);
}


static void
few_pieces(void)
{
    int i;

    begin();
    last_was(false);
    for (i = 0; i < CODR_BATCH_FEW; i++) {
        add(1, i == 0 ? "a" : "b");
        batch.passed_us = codr_now_us() + LONG_US;
    }
    tap_text(passed, "1:a 1:b 1:b 1:b 1:b 1:b 1:b 1:b ",
             "a few after a pause go one by one");
    tap_ok(batch.buffer == NULL, "and are no flood");
    add(1, "c");
    tap_ok(batch.len == 1, "more of them wait");
    last_was(true);
    batch.quick = 0;
    add(1, "d");
    tap_ok(batch.len == 2, "a flood goes on until its buffer is gone");
    codr_batch_close(&batch);
}


static void
floods(void)
{
    begin();
    last_was(true);
    add(1, "a");
    add(1, "bc");
    tap_text(passed, "", "pieces right after others wait");
    batch.since_us = codr_now_us() + LONG_US / 2;
    tap_ok(tick(), "a timer is set");
    tap_text(passed, "", "it does not matter that it comes too early");
    batch.since_us = 1;
    tap_ok(tick(), "and is set again");
    tap_text(passed, "1:abc ", "they go together");

    last_was(true);
    add(1, "d");
    add(2, "e");
    tap_text(passed, "1:abc 1:d ", "another stream passes them on");
    codr_batch_flush(&batch);
    tap_text(passed, "1:abc 1:d 2:e ", "so does a flush");
    codr_batch_flush(&batch);
    tap_text(passed, "1:abc 1:d 2:e ", "nothing waits any more");

    tap_ok(batch.buffer != NULL, "the buffer is kept for the next ones");
    batch.passed_us = 1;
    tap_ok(tick(), "a timer looks after it");
    tap_ok(batch.buffer == NULL, "and gives it back when none came");
    tap_ok(!tick(), "no timer is left");
    codr_batch_close(&batch);
}


static void
full_ones(void)
{
    size_t   size, rest;
    uint8_t *room;

    begin();
    last_was(true);
    add(1, "abc");
    room = codr_batch_room(&batch, 1, &rest);
    memset(room, 'd', rest);
    codr_batch_add(&batch, rest - 1);
    tap_text(passed, "", "all but one byte");
    room = codr_batch_room(&batch, 1, &size);
    tap_number(size, 1, "room for it");
    *room = 'e';
    codr_batch_add(&batch, 1);
    tap_number(passed_len, CODR_BATCH_MAX, "a full one does not wait");
    tap_text(passed, "1:abc ", "it begins as it did");
    codr_batch_close(&batch);
}


static void
urgent_ones(void)
{
    begin();
    last_was(true);
    add(1, "a");
    codr_batch_urge(&batch);
    tap_text(passed, "", "urging is about what comes");
    add(1, "b");
    tap_text(passed, "1:ab ", "which goes at once, with all before it");
    last_was(true);
    add(1, "c");
    tap_text(passed, "1:ab ", "once");
    codr_batch_close(&batch);
}


static void
paused_ones(void)
{
    begin();
    last_was(true);
    add(1, "a");
    batch.since_us = 1;
    codr_batch_pause(&batch, true);
    tap_ok(tick(), "time passes");
    tap_text(passed, "", "what is paused waits");
    codr_batch_pause(&batch, false);
    tap_text(passed, "", "it does not go within the call that ends that");
    tap_ok(tick(), "but soon");
    tap_text(passed, "1:a ", "it does");
    codr_batch_close(&batch);
}


static void
closed_ones(void)
{
    begin();
    last_was(true);
    add(1, "a");
    codr_batch_close(&batch);
    tap_text(passed, "", "what waits is forgotten");
    tap_ok(!tick(), "with its timer");
    codr_batch_close(&batch);

    begin();
    last_was(true);
    add(1, "abc");
    close_it = true;
    codr_batch_flush(&batch);
    tap_text(passed, "1:abc ", "closed by who gets it, who still has it");
    tap_ok(batch.buffer == NULL && !tick(), "nothing is left");
}


int
main(void)
{
    if (codr_timers_init(&timers) < 0) {
        return 1;
    }

    lone_pieces();
    few_pieces();
    floods();
    full_ones();
    urgent_ones();
    paused_ones();
    closed_ones();

    codr_timers_free(&timers);
    return tap_done();
}
