/*
 * Pages of a file are not given to a child when it is made: it asks for them
 * as it touches them.  Those of other memory are, and large ones cost one
 * entry each and few of the processor's.  So the constants move: they are
 * copied to where large pages are, and the copy takes the place of the
 * original.
 */

#define _GNU_SOURCE

#include "codr_constants.h"

#include <link.h>
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


/* Of the program itself, which is the first; no code, nothing that is ever
   written. */
static int
take_program(struct dl_phdr_info *info, size_t size, void *data)
{
    size_t            i;
    uintptr_t         first, end;
    const ElfW(Phdr) *header;

    (void) size;
    (void) data;

    for (i = 0; i < info->dlpi_phnum; i++) {
        header = &info->dlpi_phdr[i];
        if (header->p_type != PT_LOAD || header->p_flags != PF_R
            || header->p_memsz < LARGE)
        {
            continue;
        }
        first = (info->dlpi_addr + header->p_vaddr) & ~(PAGE - 1);
        end = info->dlpi_addr + header->p_vaddr + header->p_memsz;
        move(first, (end - first + PAGE - 1) & ~(PAGE - 1));
    }

    return 1;
}


void
codr_constants_keep(void)
{
    if (!CODR_SANITIZED) {
        (void) dl_iterate_phdr(take_program, NULL);
    }
}
