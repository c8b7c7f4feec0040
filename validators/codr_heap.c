/*
 * Blocks by their size: those of up to 1 KB in steps of 16 bytes, larger ones
 * in four steps to each power of two.  What is freed waits in a list for the
 * next of its size.  All memory goes with the process.
 */

#define _GNU_SOURCE

#include "codr_heap.h"

#include <errno.h>
#include <stdalign.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <tree_sitter/api.h>

#define READY       (384 * 1024)    /* before anybody asks: a source of 2 KB */
#define REGION      (128 * 1024)    /* at a time, then */
#define REGIONS     3               /* with READY: then in large pages */
#define LARGE       (2UL * 1024 * 1024)
#define STEP        16
#define SMALL       1024
#define QUARTERS    4               /* of a power of two */
#define LISTS       (SMALL / STEP + QUARTERS * 64)
#define SIZE_MOST   (1UL << 40)

typedef struct block_s block_t;

/* Before the memory that is given out. */
struct block_s {
    size_t    room;
    block_t  *next[];           /* while it is free: there */
};

#define HEADER  sizeof(block_t)

_Static_assert(STEP == alignof(max_align_t) && HEADER < STEP,
               "what is behind a header is aligned");

static struct {
    char     *pos;
    char     *ready;                /* pages up to here are there */
    char     *end;
    unsigned  regions;
    block_t  *unused[LISTS];
} heap;


/* The list of a size, header and all, and what its blocks have. */
static size_t
list_of(size_t size, size_t *ret_size)
{
    size_t   n, quarter;
    unsigned bits;

    if (size <= SMALL) {
        *ret_size = (size + STEP - 1) / STEP * STEP;
        return *ret_size / STEP - 1;
    }

    bits = 63 - (unsigned) __builtin_clzl(size - 1);
    quarter = (1UL << bits) / QUARTERS;
    n = (size - 1) / quarter;           /* QUARTERS, to one less than twice */
    *ret_size = (n + 1) * quarter;
    return SMALL / STEP + QUARTERS * (bits - 1) + n;
}


/* A source that needs much has its memory in large pages, where there are
   such: small ones are as much work as a tenth of the check. */
static int
add_region(size_t size)
{
    char *place;
    bool  large = heap.regions++ >= REGIONS;

    size = large ? (size + 2 * LARGE - 1) / LARGE * LARGE : size;
    place = mmap(NULL, size, PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (place == MAP_FAILED) {
        return -errno;
    }

    heap.end = place + size;
    if (large) {
        place += -(uintptr_t) place % LARGE;
        (void) madvise(place, (size_t) (heap.end - place), MADV_HUGEPAGE);
    }
    heap.ready = place;
    heap.pos = place + STEP - HEADER;   /* what is behind a header is aligned */
    return 0;
}


/* Many pages at once: one by one they take twice as long. */
static void
populate(size_t size)
{
    size_t left = (size_t) (heap.end - heap.ready);

    size = size > REGION ? size : REGION;
    size = size < left ? size : left;
    (void) madvise(heap.ready, size, MADV_POPULATE_WRITE);
    heap.ready += size;
}


static block_t *
cut(size_t size)
{
    block_t *block;

    if ((size_t) (heap.end - heap.pos) < size
        && add_region(size + STEP > REGION ? size + STEP : REGION) < 0)
    {
        _exit(EXIT_FAILURE);
    }

    block = (block_t *) (void *) heap.pos;
    heap.pos += size;
    if (heap.pos > heap.ready) {
        populate((size_t) (heap.pos - heap.ready));
    }
    block->room = size - HEADER;
    return block;
}


static block_t *
take(size_t size, bool *ret_used)
{
    size_t   n, whole;
    block_t *block;

    if (size > SIZE_MOST) {
        _exit(EXIT_FAILURE);
    }

    n = list_of(size + HEADER, &whole);
    block = heap.unused[n];
    *ret_used = block != NULL;
    if (block) {
        heap.unused[n] = block->next[0];
    } else {
        block = cut(whole);
    }

    return block;
}


void *
codr_heap_take(size_t size)
{
    bool used;

    return take(size, &used) + 1;
}


static void
release(void *place)
{
    size_t   n, whole;
    block_t *block;

    if (place) {
        block = (block_t *) place - 1;
        n = list_of(block->room + HEADER, &whole);
        block->next[0] = heap.unused[n];
        heap.unused[n] = block;
    }
}


static void *
allocate_zeroed(size_t count, size_t size)
{
    bool   used;
    size_t bytes;
    void  *place;

    if (__builtin_mul_overflow(count, size, &bytes)) {
        _exit(EXIT_FAILURE);
    }

    place = take(bytes, &used) + 1;
    return used ? memset(place, 0, bytes) : place;
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
    if (size <= block->room) {
        return place;
    }

    grown = codr_heap_take(size);
    memcpy(grown, place, block->room);
    release(place);
    return grown;
}


int
codr_heap_use(void)
{
    int result = add_region(READY);

    if (result == 0) {
        populate(READY);
        ts_set_allocator(codr_heap_take, allocate_zeroed, reallocate,
                         release);
    }

    return result;
}
