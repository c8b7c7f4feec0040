/*
 * Memory of one check: taken piece by piece, given back all at once, and
 * never more than was agreed.
 */

#ifndef CODR_ARENA_H
#define CODR_ARENA_H

#include <stdbool.h>
#include <stddef.h>

typedef struct codr_arena_block_s codr_arena_block_t;

typedef struct {
    codr_arena_block_t  *blocks;
    char                *pos;
    size_t               left;
    size_t               budget;        /* bytes that may still be asked for */
    bool                 exhausted;     /* something was refused */
} codr_arena_t;


/* Where arenas get their memory from; without it, and where they are freed,
   from malloc(). */
void codr_arena_use(void *(*allocate)(size_t));

/* Of the same, outside of any arena. */
void *codr_arena_take(size_t size);

void codr_arena_init(codr_arena_t *arena, size_t budget);

/* Zeroed and aligned for any object, or NULL. */
void *codr_arena_alloc(codr_arena_t *arena, size_t size);

/* Likewise, but for what was there before. */
void *codr_arena_room(codr_arena_t *arena, size_t size);

/* A copy with a NUL, or NULL. */
char *codr_arena_copy(codr_arena_t *arena, const void *data, size_t len);

void codr_arena_free(codr_arena_t *arena);

#endif /* CODR_ARENA_H */
