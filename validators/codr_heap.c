/*
 * Blocks by their size: those of up to 1 KB in steps of 16 bytes, larger ones
 * in powers of two.  What is freed waits in a list for the next of its size.
 * All memory goes with the process.
 */

#define _GNU_SOURCE

#include "codr_heap.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <tree_sitter/api.h>

#define READY       (256 * 1024)    /* before anybody asks: a source of 1 KB */
#define REGION      (128 * 1024)    /* at a time, then */
#define STEP        16
#define SMALL       1024
#define LISTS       (SMALL / STEP + 64)
#define SIZE_MOST   (1UL << 40)

typedef union block_u block_t;

/* Before the memory that is given out, whose alignment it keeps. */
union block_u {
    struct {
        size_t    room;
        block_t  *next;             /* while it is free */
    } is;
    max_align_t   align;
};

static struct {
    char     *pos;
    char     *end;
    block_t  *unused[LISTS];
} heap;


/* The list of a size, and the room of its blocks. */
static size_t
list_of(size_t size, size_t *ret_room)
{
    unsigned bits;

    if (size <= SMALL) {
        *ret_room = size == 0 ? STEP : (size + STEP - 1) / STEP * STEP;
        return *ret_room / STEP - 1;
    }

    bits = 64 - (unsigned) __builtin_clzl(size - 1);
    *ret_room = 1UL << bits;
    return SMALL / STEP + bits;
}


/* Its pages at once: one by one they take twice as long. */
static int
add_region(size_t size)
{
    void *place = mmap(NULL, size, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

    if (place == MAP_FAILED) {
        return -errno;
    }

    heap.pos = place;
    heap.end = heap.pos + size;
    return 0;
}


static block_t *
cut(size_t room)
{
    size_t   size = sizeof(block_t) + room;
    block_t *block;

    if ((size_t) (heap.end - heap.pos) < size
        && add_region(size > REGION ? size : REGION) < 0)
    {
        _exit(EXIT_FAILURE);
    }

    block = (block_t *) (void *) heap.pos;
    heap.pos += size;
    block->is.room = room;
    return block;
}


void *
codr_heap_take(size_t size)
{
    size_t   n, room;
    block_t *block;

    if (size > SIZE_MOST) {
        _exit(EXIT_FAILURE);
    }

    n = list_of(size, &room);
    block = heap.unused[n];
    if (block) {
        heap.unused[n] = block->is.next;
    } else {
        block = cut(room);
    }

    return block + 1;
}


static void
release(void *place)
{
    size_t   n, room;
    block_t *block;

    if (place) {
        block = (block_t *) place - 1;
        n = list_of(block->is.room, &room);
        block->is.next = heap.unused[n];
        heap.unused[n] = block;
    }
}


static void *
allocate_zeroed(size_t count, size_t size)
{
    size_t bytes;

    if (__builtin_mul_overflow(count, size, &bytes)) {
        _exit(EXIT_FAILURE);
    }

    return memset(codr_heap_take(bytes), 0, bytes);
}


static void *
reallocate(void *place, size_t size)
{
    void    *grown;
    block_t *block;

    if (place == NULL) {
        return codr_heap_take(size);
    }

    block = (block_t *) place - 1;
    if (size <= block->is.room) {
        return place;
    }

    grown = codr_heap_take(size);
    memcpy(grown, place, block->is.room);
    release(place);
    return grown;
}


int
codr_heap_use(void)
{
    int result = add_region(READY);

    if (result == 0) {
        ts_set_allocator(codr_heap_take, allocate_zeroed, reallocate,
                         release);
    }

    return result;
}
