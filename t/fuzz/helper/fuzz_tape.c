/*
 * The tape of a job's output against a plain copy of it: each byte of the
 * input is a step, which writes, drops, or reads from anywhere.  Whatever was
 * dropped, what is read is what was written, stream by stream and in order.
 */

#include "../../../sandbox/codr_tape.h"
#include "../fuzz.h"

#define WRITTEN_MAX  (256 * 1024)
#define PLACES       4

static uint8_t  written[WRITTEN_MAX];
static uint8_t  stream_of[WRITTEN_MAX];


static void
write_some(codr_tape_t *tape, uint8_t how, size_t len)
{
    size_t  i, at = (size_t) tape->end;
    uint8_t stream = (how & 1) + 1;

    if (len > WRITTEN_MAX - at) {
        return;
    }

    for (i = 0; i < len; i++) {
        written[at + i] = (uint8_t) (at + i * 7 + how);
        stream_of[at + i] = stream;
    }

    must(codr_tape_add(tape, stream, written + at, len) == 0);
    must(tape->end == at + len);
}


static void
read_some(const codr_tape_t *tape, codr_place_t *place, size_t max)
{
    size_t         i, len;
    uint8_t        stream = 0;
    uint64_t       from;
    const uint8_t *data = NULL;

    from = place->offset < tape->begin ? tape->begin : place->offset;
    len = codr_tape_read(tape, place, max, &stream, &data);

    must(len <= max && (len > 0 || max == 0 || from >= tape->end));
    if (len == 0) {
        return;
    }

    must(place->offset == from + len && place->offset <= tape->end);
    for (i = 0; i < len; i++) {
        must(data[i] == written[from + i] && stream == stream_of[from + i]);
    }
}


/* What is held of the other stream is what was last written to it. */
static void
look_behind(const codr_tape_t *tape, uint64_t offset)
{
    uint8_t     stream;
    codr_held_t held = { .len = 0 };

    stream = codr_tape_held(tape, offset, &held);
    if (stream == 0) {
        return;
    }

    must(offset > 0 && offset <= tape->end);
    must(held.len <= CODR_TAPE_HELD && stream_of[offset - 1] != stream);

    while (held.len > 0) {
        must(offset > 0);
        if (stream_of[--offset] == stream) {
            must(held.data[--held.len] == written[offset]);
        }
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t       n;
    uint8_t      step;
    codr_tape_t  tape = { .memory = 0 };
    codr_place_t place[PLACES] = { { .offset = 0 } }, *one;

    while (size > 0) {
        step = fuzz_byte(&data, &size);
        n = fuzz_byte(&data, &size);
        one = &place[step % PLACES];

        switch (step >> 5) {

        case 0:
        case 1:
            write_some(&tape, step, n);
            break;

        case 2:
            write_some(&tape, step, n * 200);
            break;

        case 3:
            codr_tape_drop(&tape);
            break;

        case 4:
            *one = codr_tape_place(n * tape.end / 200);
            break;

        case 5:
            look_behind(&tape, n * tape.end / 200);
            break;

        default:
            read_some(&tape, one, n * 40);
        }

        must(tape.begin <= tape.end);
    }

    codr_tape_clear(&tape);
    must(tape.memory == 0 && tape.begin == tape.end);

    return 0;
}
