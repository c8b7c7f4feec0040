/*
 * A source as the parser gets it, and the way back to its bytes.
 */

#ifndef CODR_SOURCE_TEXT_H
#define CODR_SOURCE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "codr_arena.h"

typedef struct {
    uint32_t  at;               /* in the text */
    uint32_t  removed;          /* bytes up to there */
} codr_cut_t;

typedef struct {
    const char  *text;
    uint32_t     length;
    codr_cut_t  *cut;
    uint32_t     cuts;
} codr_text_t;


/* A byte order mark goes; with splice, lines that end in a backslash are
   joined to the next.  False without memory. */
bool codr_text_prepare(codr_text_t *ret, codr_arena_t *arena,
    const void *source, uint32_t length, bool splice);

/* Where a byte of the text is in the source. */
uint32_t codr_text_origin(const codr_text_t *text, uint32_t at);

#endif /* CODR_SOURCE_TEXT_H */
