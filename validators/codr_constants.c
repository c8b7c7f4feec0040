/*
 * Pages of a file are not given to a child when it is made: it asks for them
 * as it touches them.  Those of other memory are, and large ones cost one
 * entry each and few of the processor's.  So the tables of a parser that is
 * used move: they are copied to where large pages are, and the copy takes the
 * place of the original.  Those of others stay in the file, and in nobody's
 * memory.
 */

#define _GNU_SOURCE

#include "codr_constants.h"

#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#include "codr_sanitized.h"

#define LARGE       (2UL * 1024 * 1024)
#define PAGE        4096UL


/* Memory that lies to large pages as that place does, or MAP_FAILED. */
static void *
make_room(uintptr_t place, size_t size)
{
    char      *room;
    uintptr_t  skip;

    room = mmap(NULL, size + LARGE, PROT_READ | PROT_WRITE,
                MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (room == MAP_FAILED) {
        return room;
    }

    skip = (place - (uintptr_t) room) % LARGE;
    if (skip > 0) {
        (void) munmap(room, skip);
    }
    if (skip < LARGE) {
        (void) munmap(room + skip + size, LARGE - skip);
    }

    (void) madvise(room + skip, size, MADV_HUGEPAGE);
    return room + skip;
}


static void
move(uintptr_t place, size_t size)
{
    void *room = make_room(place, size);

    if (room == MAP_FAILED) {
        return;
    }

    memcpy(room, (const void *) place, size);
    if (mprotect(room, size, PROT_READ) == -1
        || mremap(room, size, size, MREMAP_MAYMOVE | MREMAP_FIXED,
                  (void *) place) == MAP_FAILED)
    {
        (void) munmap(room, size);
    }
}


/* The pages that have any of it; what else they have is constant, too. */
static size_t
pages_of(const codr_grammar_t *grammar, uintptr_t *ret_start)
{
    uintptr_t start = (uintptr_t) grammar->tables & ~(PAGE - 1);

    *ret_start = start;
    return ((uintptr_t) grammar->tables_end - start + PAGE - 1) & ~(PAGE - 1);
}


void
codr_constants_keep(const codr_grammar_t *grammar)
{
    size_t    size;
    uintptr_t start;

    if (!CODR_SANITIZED) {
        size = pages_of(grammar, &start);
        move(start, size);
    }
}


void
codr_constants_drop(void)
{
    size_t                i, size;
    uintptr_t             start;
    const codr_grammar_t *grammar;

    for (i = 0; (grammar = codr_grammar_at(i)) != NULL; i++) {
        size = pages_of(grammar, &start);
        (void) madvise((void *) start, size, MADV_DONTNEED);
    }
}
