/*
 * The tape: what was written is read again from any offset, by stream and in
 * order, until it is dropped.
 */

#include "tap.h"

#include <stdlib.h>

#include "../../sandbox/codr_tape.h"

#define TOTAL   400000

static uint8_t  written[TOTAL];     /* all bytes */
static uint8_t  streams[TOTAL];     /* and whose each is */


/* Runs of random lengths, some of one byte, some of many. */
static void
write_all(codr_tape_t *tape)
{
    size_t   at, i, len;
    uint8_t  stream;

    for (at = 0; at < TOTAL; at += len) {
        len = rand() % 3 ? (size_t) (rand() % 4) + 1
                         : (size_t) (rand() % 30000) + 1;
        len = len < TOTAL - at ? len : TOTAL - at;
        stream = (uint8_t) (rand() % 2 + 1);

        for (i = 0; i < len; i++) {
            written[at + i] = (uint8_t) rand();
            streams[at + i] = stream;
        }
        if (codr_tape_add(tape, stream, written + at, len) < 0) {
            tap_ok(false, "memory for a tape");
            return;
        }
    }
}


/* Whether everything from the offset to the end is as it was written. */
static bool
reads_from(const codr_tape_t *tape, uint64_t offset, size_t max)
{
    size_t         i, len;
    uint8_t        stream;
    const uint8_t *data;
    codr_place_t   place = codr_tape_place(offset);

    while ((len = codr_tape_read(tape, &place, max, &stream, &data)) > 0) {
        for (i = 0; i < len; i++, offset++) {
            if (data[i] != written[offset] || stream != streams[offset]) {
                return false;
            }
        }
        if (place.offset != offset) {
            return false;
        }
    }

    return offset == tape->end;
}


static void
reads_what_was_written(void)
{
    int          i;
    bool         good = true;
    codr_tape_t  tape = { .memory = 0 };

    write_all(&tape);
    tap_ok(reads_from(&tape, 0, SIZE_MAX), "all of it from the begin");
    tap_ok(reads_from(&tape, 0, 7), "in small pieces");
    tap_ok(reads_from(&tape, TOTAL, 10), "nothing from the end on");

    for (i = 0; i < 500; i++) {
        good = good && reads_from(&tape, (uint64_t) (rand() % TOTAL), 5000);
    }
    tap_ok(good, "from anywhere");

    codr_tape_clear(&tape);
    tap_number((int) tape.memory, 0, "cleared, it takes no memory");
    tap_ok(tape.begin == TOTAL && tape.end == TOTAL, "offsets go on");
}


static void
drops_the_oldest(void)
{
    size_t         len;
    uint8_t        stream;
    const uint8_t *data;
    codr_tape_t    tape = { .memory = 0 };
    codr_place_t   place = codr_tape_place(0);

    write_all(&tape);
    len = codr_tape_read(&tape, &place, 1, &stream, &data);
    tap_number((int) len, 1, "a reader at the begin");

    codr_tape_drop(&tape);
    tap_ok(tape.begin > 0, "the oldest bytes go");
    tap_ok(reads_from(&tape, tape.begin, SIZE_MAX), "the others stay");

    len = codr_tape_read(&tape, &place, 1, &stream, &data);
    tap_ok(len == 1 && place.offset == tape.begin + 1
           && data[0] == written[tape.begin], "the reader goes on there");

    codr_tape_clear(&tape);
    tap_number((int) codr_tape_read(&tape, &place, 1, &stream, &data), 0,
               "cleared, there is nothing to read");
    tap_number(codr_tape_add(&tape, 1, (const uint8_t *) "ab", 2), 0,
               "it can be written again");
    len = codr_tape_read(&tape, &place, 9, &stream, &data);
    tap_ok(len == 2 && data[0] == 'a' && place.offset == TOTAL + 2,
           "and read");
    codr_tape_clear(&tape);
}


static void
follows_the_end(void)
{
    size_t         i, len;
    bool           good = true;
    uint8_t        stream;
    const uint8_t *data;
    codr_tape_t    tape = { .memory = 0 };
    codr_place_t   place = codr_tape_place(0);

    for (i = 0; i < 10000; i++) {
        (void) codr_tape_add(&tape, i % 3 ? 1 : 2,
                             (const uint8_t[]) { (uint8_t) i }, 1);
        len = codr_tape_read(&tape, &place, 9, &stream, &data);
        good = good && len == 1 && data[0] == (uint8_t) i
               && stream == (i % 3 ? 1 : 2);
    }

    tap_ok(good, "a reader at the end reads each byte as it comes");
    codr_tape_clear(&tape);
}


static void
counts_its_memory(void)
{
    size_t       i, len, before, most;
    bool         bounded = true;
    uint8_t      data[3000] = { 0 };
    codr_tape_t  tape = { .memory = 0 };

    for (i = 0; i < 2000; i++) {
        len = (size_t) (rand() % 3000) + 1;
        before = tape.memory;
        most = codr_tape_growth(&tape, len);
        (void) codr_tape_add(&tape, (uint8_t) (rand() % 2 + 1), data, len);
        bounded = bounded && tape.memory - before <= most;
    }

    tap_ok(bounded, "it grows by no more than it said");
    tap_ok(tape.memory < 2 * (tape.end - tape.begin), "and not by much");
    codr_tape_clear(&tape);
}


static void
knows_what_is_held(void)
{
    codr_held_t  held;
    codr_tape_t  tape = { .memory = 0 };

    (void) codr_tape_add(&tape, 1, (const uint8_t *) "a\xe2", 2);
    (void) codr_tape_add(&tape, 2, (const uint8_t *) "!", 1);
    (void) codr_tape_add(&tape, 1, (const uint8_t *) "\x82\xac", 2);

    tap_number(codr_tape_held(&tape, 0, &held), 0, "nothing at the begin");
    tap_number(codr_tape_held(&tape, 2, &held), 0,
               "nothing before the other stream's first byte");
    tap_ok(codr_tape_held(&tape, 3, &held) == 1 && held.len == 2
           && memcmp(held.data, "a\xe2", 2) == 0, "half a character");
    tap_ok(codr_tape_held(&tape, 5, &held) == 2 && held.len == 1
           && held.data[0] == '!', "the other stream's");
    tap_number(codr_tape_held(&tape, 6, &held), 0, "nothing beyond the end");
    codr_tape_clear(&tape);
}


int
main(void)
{
    srand(1);
    reads_what_was_written();
    drops_the_oldest();
    follows_the_end();
    counts_its_memory();
    knows_what_is_held();

    return tap_done();
}
