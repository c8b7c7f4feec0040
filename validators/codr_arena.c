/*
 * A bump allocator with a budget.  Runs in the validator's children, where
 * what is analysed is hostile and all memory goes with the process.
 */

#include "codr_arena.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK       (32 * 1024)
#define ALIGNMENT   alignof(max_align_t)

struct codr_arena_block_s {
    codr_arena_block_t  *next;
    max_align_t          data[];
};

#define ROOM    (BLOCK - sizeof(codr_arena_block_t))


static void *(*take)(size_t) = malloc;


void
codr_arena_use(void *(*allocate)(size_t))
{
    take = allocate;
}


void *
codr_arena_take(size_t size)
{
    return take(size);
}


void
codr_arena_init(codr_arena_t *arena, size_t budget)
{
    *arena = (codr_arena_t) { .budget = budget };
}


static bool
add_block(codr_arena_t *arena, size_t size)
{
    size_t              room = size > ROOM ? size : ROOM;
    codr_arena_block_t *block;

    if (room > arena->budget) {
        arena->exhausted = true;
        return false;
    }

    block = take(sizeof(*block) + room);
    if (block == NULL) {
        arena->exhausted = true;
        return false;
    }

    block->next = arena->blocks;
    arena->blocks = block;
    arena->budget -= room;
    arena->pos = (char *) block->data;
    arena->left = room;
    return true;
}


void *
codr_arena_room(codr_arena_t *arena, size_t size)
{
    void *place;

    if (size > arena->budget + arena->left) {
        arena->exhausted = true;
        return NULL;
    }

    size = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    if (size > arena->left && !add_block(arena, size)) {
        return NULL;
    }

    place = arena->pos;
    arena->pos += size;
    arena->left -= size;
    return place;
}


void *
codr_arena_alloc(codr_arena_t *arena, size_t size)
{
    void *place = codr_arena_room(arena, size);

    return place ? memset(place, 0, size) : NULL;
}


char *
codr_arena_copy(codr_arena_t *arena, const void *data, size_t len)
{
    char *copy = codr_arena_room(arena, len + 1);

    if (copy) {
        memcpy(copy, data, len);
        copy[len] = '\0';
    }

    return copy;
}


void
codr_arena_free(codr_arena_t *arena)
{
    codr_arena_block_t *block;

    while ((block = arena->blocks) != NULL) {
        arena->blocks = block->next;
        free(block);
    }

    codr_arena_init(arena, 0);
}
