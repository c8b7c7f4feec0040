/*
 * The tape of a job's output.  A chunk holds records, one for each run of
 * bytes of a stream: four bytes of header (length and stream), then the bytes.
 * A program that changes streams with every byte costs five times what it
 * writes, and pays for it itself: memory is what is counted.
 */

#define _GNU_SOURCE

#include "codr_tape.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define RECORD      sizeof(uint32_t)
#define SMALLEST    1024
#define LARGEST     (128 * 1024 - 64)   /* below what malloc takes by mmap */

struct codr_chunk_s {
    codr_chunk_t  *next;
    uint64_t       begin;       /* offset of its first byte */
    uint32_t       size;
    uint32_t       used;
    uint32_t       last;        /* its last record */
    codr_held_t    held[2];     /* at its begin, by stream */
    uint8_t        data[];
};


static uint32_t
header_at(const codr_chunk_t *chunk, size_t record)
{
    uint32_t header;

    memcpy(&header, chunk->data + record, RECORD);
    return header;
}


static void
set_header(codr_chunk_t *chunk, size_t record, size_t len, uint8_t stream)
{
    uint32_t header = (uint32_t) len << 1 | (stream == 2);

    memcpy(chunk->data + record, &header, RECORD);
}


static uint8_t
stream_of(uint32_t header)
{
    return header & 1 ? 2 : 1;
}


/* Memory of the next chunk, when at least len bytes are to go into it. */
static size_t
next_size(const codr_tape_t *tape, size_t len)
{
    size_t size = sizeof(codr_chunk_t) + RECORD + len;
    size_t twice = 2 * tape->memory;

    if (size < twice) {
        size = twice;
    }
    if (size < SMALLEST) {
        size = SMALLEST;
    }

    return size > LARGEST ? LARGEST : size;
}


/* How many bytes of the stream fit into the last chunk. */
static size_t
room_for(const codr_tape_t *tape, uint8_t stream)
{
    size_t              left;
    const codr_chunk_t *chunk = tape->last;

    if (chunk == NULL) {
        return 0;
    }

    left = chunk->size - chunk->used;
    if (chunk->used > 0
        && stream_of(header_at(chunk, chunk->last)) == stream)
    {
        return left;
    }

    return left > RECORD ? left - RECORD : 0;
}


size_t
codr_tape_growth(const codr_tape_t *tape, size_t len)
{
    size_t left = room_for(tape, 1), other = room_for(tape, 2);
    size_t most = LARGEST - sizeof(codr_chunk_t) - RECORD;

    left = left < other ? left : other;
    if (len <= left) {
        return 0;
    }

    len -= left;
    return len <= most ? next_size(tape, len)
                       : (len / most + 1) * (size_t) LARGEST;
}


static int
add_chunk(codr_tape_t *tape, size_t len)
{
    size_t        size = next_size(tape, len);
    codr_chunk_t *chunk = malloc(size);

    if (chunk == NULL) {
        return -ENOMEM;
    }

    *chunk = (codr_chunk_t) {
        .begin = tape->end,
        .size = (uint32_t) (size - sizeof(codr_chunk_t)),
        .held = { tape->held[0], tape->held[1] },
    };

    if (tape->last) {
        tape->last->next = chunk;
    } else {
        tape->first = chunk;
        tape->begin = tape->end;
    }

    tape->last = chunk;
    tape->memory += size;
    return 0;
}


/* Bytes that fit. */
static void
put(codr_chunk_t *chunk, uint8_t stream, const uint8_t *data, size_t len)
{
    uint32_t header = chunk->used > 0 ? header_at(chunk, chunk->last) : 0;

    if (chunk->used > 0 && stream_of(header) == stream) {
        set_header(chunk, chunk->last, (header >> 1) + len, stream);
    } else {
        chunk->last = chunk->used;
        set_header(chunk, chunk->last, len, stream);
        chunk->used += (uint32_t) RECORD;
    }

    memcpy(chunk->data + chunk->used, data, len);
    chunk->used += (uint32_t) len;
}


static void
hold(codr_held_t *held, const uint8_t *data, size_t len)
{
    size_t keep;

    if (len >= CODR_TAPE_HELD) {
        held->len = CODR_TAPE_HELD;
        memcpy(held->data, data + len - CODR_TAPE_HELD, CODR_TAPE_HELD);
        return;
    }

    keep = CODR_TAPE_HELD - len;
    if (keep > held->len) {
        keep = held->len;
    }

    memmove(held->data, held->data + held->len - keep, keep);
    memcpy(held->data + keep, data, len);
    held->len = (uint8_t) (keep + len);
}


int
codr_tape_add(codr_tape_t *tape, uint8_t stream, const uint8_t *data,
    size_t len)
{
    size_t n;

    while (len > 0) {
        n = room_for(tape, stream);

        if (n == 0) {
            if (add_chunk(tape, len) < 0) {
                codr_tape_clear(tape);
                hold(&tape->held[stream - 1], data, len);
                tape->begin = tape->end += len;
                return -ENOMEM;
            }
            continue;
        }

        n = n < len ? n : len;
        put(tape->last, stream, data, n);
        hold(&tape->held[stream - 1], data, n);
        tape->end += n;
        data += n;
        len -= n;
    }

    return 0;
}


void
codr_tape_drop(codr_tape_t *tape)
{
    codr_chunk_t *chunk = tape->first;

    if (chunk == NULL) {
        return;
    }

    tape->first = chunk->next;
    tape->memory -= sizeof(codr_chunk_t) + chunk->size;

    if (tape->first) {
        tape->begin = tape->first->begin;
    } else {
        tape->last = NULL;
        tape->begin = tape->end;
    }

    free(chunk);
}


void
codr_tape_clear(codr_tape_t *tape)
{
    while (tape->first) {
        codr_tape_drop(tape);
    }
}


codr_place_t
codr_tape_place(uint64_t offset)
{
    return (codr_place_t) { .offset = offset };
}


/* The chunk and the record that have the byte at the place, or those behind
   which it will come. */
static void
find(const codr_tape_t *tape, codr_place_t *place)
{
    size_t        record = 0, len;
    uint64_t      at;
    codr_chunk_t *chunk = tape->first;

    while (chunk->next && chunk->next->begin <= place->offset) {
        chunk = chunk->next;
    }

    for (at = chunk->begin; record < chunk->used; at += len) {
        len = header_at(chunk, record) >> 1;
        if (place->offset < at + len || record == chunk->last) {
            break;
        }
        record += RECORD + len;
    }

    place->chunk = chunk;
    place->chunk_begin = chunk->begin;
    place->record = record;
    place->done = (size_t) (place->offset - at);
}


static bool
is_found(const codr_tape_t *tape, const codr_place_t *place)
{
    return place->chunk && place->chunk_begin >= tape->begin
           && tape->first != NULL;
}


/* Onto the next record when this one is read; false when there is none. */
static bool
advance(codr_place_t *place)
{
    size_t        len;
    codr_chunk_t *chunk = place->chunk;

    len = chunk->used > 0 ? header_at(chunk, place->record) >> 1 : 0;

    if (place->done < len) {
        return true;
    }

    if (place->record != chunk->last) {
        place->record += RECORD + len;
    } else if (chunk->next) {
        place->chunk = chunk->next;
        place->chunk_begin = chunk->next->begin;
        place->record = 0;
    } else {
        return false;
    }

    place->done = 0;
    return true;
}


size_t
codr_tape_read(const codr_tape_t *tape, codr_place_t *place, size_t max,
    uint8_t *ret_stream, const uint8_t **ret_data)
{
    size_t   len;
    uint32_t header;

    if (place->offset < tape->begin) {
        *place = codr_tape_place(tape->begin);
    }
    if (place->offset >= tape->end) {
        return 0;
    }
    if (!is_found(tape, place)) {
        find(tape, place);
    }
    if (!advance(place)) {
        return 0;
    }

    header = header_at(place->chunk, place->record);
    len = (header >> 1) - place->done;
    len = len < max ? len : max;

    *ret_stream = stream_of(header);
    *ret_data = place->chunk->data + place->record + RECORD + place->done;
    place->done += len;
    place->offset += len;
    return len;
}


uint8_t
codr_tape_held(const codr_tape_t *tape, uint64_t offset, codr_held_t *ret)
{
    size_t              record, len, n;
    uint8_t             stream = 1;
    uint64_t            left;
    codr_held_t         held[2];
    const codr_chunk_t *chunk = tape->first;

    if (offset <= tape->begin || offset > tape->end) {
        return 0;
    }

    /* the one that has the byte before it */
    while (chunk->next && chunk->next->begin < offset) {
        chunk = chunk->next;
    }

    left = offset - chunk->begin;
    held[0] = chunk->held[0];
    held[1] = chunk->held[1];

    for (record = 0; left > 0; record += RECORD + len) {
        len = header_at(chunk, record) >> 1;
        n = left < len ? (size_t) left : len;
        stream = stream_of(header_at(chunk, record));
        hold(&held[stream - 1], chunk->data + record + RECORD, n);
        left -= n;
    }

    stream = 3 - stream;
    *ret = held[stream - 1];
    return ret->len > 0 ? stream : 0;
}
