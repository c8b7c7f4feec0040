/*
 * What a program has written, as it came: bytes of two streams in the order
 * of their arrival, which can be read again from any offset that is kept.
 *
 * Pure but for malloc.  Bytes are kept in chunks; dropping the oldest chunk
 * is how a tape gives memory back.
 */

#ifndef CODR_TAPE_H
#define CODR_TAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CODR_TAPE_HELD  3       /* bytes of a character that is cut */

typedef struct codr_chunk_s codr_chunk_t;

/* The last bytes of a stream. */
typedef struct {
    uint8_t  len;
    uint8_t  data[CODR_TAPE_HELD];
} codr_held_t;

/* Zeroed is empty. */
typedef struct {
    codr_chunk_t  *first;
    codr_chunk_t  *last;
    uint64_t       begin;       /* offset of the first byte that is kept */
    uint64_t       end;         /* of the next one to come */
    size_t         memory;      /* bytes of its chunks */
    codr_held_t    held[2];     /* at the end, by stream */
} codr_tape_t;

/* A place on a tape; valid until the tape drops what is there, which
   codr_tape_read() notices. */
typedef struct {
    uint64_t       offset;      /* of the next byte to read */
    codr_chunk_t  *chunk;       /* NULL: to be looked for */
    uint64_t       chunk_begin;
    size_t         record;      /* in the chunk */
    size_t         done;        /* bytes of the record */
} codr_place_t;


/* How many bytes of memory adding so many bytes takes at most. */
size_t codr_tape_growth(const codr_tape_t *tape, size_t len);

/* Adds bytes of stream 1 or 2.  0, or -ENOMEM: then they are not kept, and
   nothing that was written before them is. */
int codr_tape_add(codr_tape_t *tape, uint8_t stream, const uint8_t *data,
    size_t len);

/* Drops the oldest chunk; accepts an empty tape. */
void codr_tape_drop(codr_tape_t *tape);

/* Drops everything that is kept; offsets go on. */
void codr_tape_clear(codr_tape_t *tape);

/* A place at this offset, which may be beyond the end. */
codr_place_t codr_tape_place(uint64_t offset);

/*
 * Bytes of one stream from the place on, at most max: their number, 0 at the
 * end.  Moves the place behind them, and first to the begin of the tape when
 * what was there is kept no more.
 */
size_t codr_tape_read(const codr_tape_t *tape, codr_place_t *place,
    size_t max, uint8_t *ret_stream, const uint8_t **ret_data);

/*
 * The last bytes before an offset of the stream which the byte before it is
 * not of: what a reader that was here may still hold of a character.  Their
 * stream, or 0: there are none.
 */
uint8_t codr_tape_held(const codr_tape_t *tape, uint64_t offset,
    codr_held_t *ret);

#endif /* CODR_TAPE_H */
