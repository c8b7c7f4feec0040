/*
 * The interpreter's code and constants, moved from the page cache into
 * anonymous memory of large pages, in the zygote.  Each clone would map some
 * hundred small pages of the file anew, fault by fault, and unmap them at its
 * end, which costs more than what most programs do; a large page comes with
 * the clone.  The bytes are the same at the same addresses, and nobody can
 * write to them.
 */

#define _GNU_SOURCE

#include "codr_python_text.h"

#include <link.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#define LARGE       (2UL * 1024 * 1024)
#define SMALL       4096UL
#define COLLAPSE    25              /* MADV_COLLAPSE, since 6.1 */

typedef struct {
    uintptr_t  start;
    uintptr_t  end;
} range_t;


static uintptr_t
round_up(uintptr_t address, uintptr_t to)
{
    return (address + to - 1) & ~(to - 1);
}


/* What cannot be written to, from the executable's first byte on, without a
   gap. */
static int
find_text(struct dl_phdr_info *info, size_t size, void *data)
{
    size_t            i;
    range_t          *text = data;
    uintptr_t         start;
    const ElfW(Phdr) *segment;

    (void) size;

    for (i = 0; i < info->dlpi_phnum; i++) {
        segment = &info->dlpi_phdr[i];
        if (segment->p_type != PT_LOAD) {
            continue;
        }
        start = (info->dlpi_addr + segment->p_vaddr) & ~(SMALL - 1);
        if ((segment->p_flags & PF_W)
            || (text->end != 0 && start != text->end))
        {
            break;
        }
        if (text->end == 0) {
            text->start = start;
        }
        text->end = round_up(info->dlpi_addr + segment->p_vaddr
                             + segment->p_filesz, SMALL);
    }

    return 1;                   /* the executable comes first */
}


/* A copy in large pages, or NULL: there are none now, or the kernel is
   an old one. */
static void *
copy_text(const range_t *text)
{
    char   *room, *copy;
    size_t  len = text->end - text->start;

    room = mmap(NULL, len + LARGE, PROT_READ | PROT_WRITE,
                MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (room == MAP_FAILED) {
        return NULL;
    }

    copy = (char *) round_up((uintptr_t) room, LARGE);
    if (copy > room) {
        (void) munmap(room, (size_t) (copy - room));
    }
    (void) munmap(copy + len, (size_t) (room + LARGE - copy));

    memcpy(copy, (const void *) text->start, len);

    if (madvise(copy, len, COLLAPSE) == -1
        || mprotect(copy, len, PROT_READ | PROT_EXEC) == -1)
    {
        (void) munmap(copy, len);
        return NULL;
    }

    return copy;
}


void
codr_python_text_enlarge(void)
{
    void    *copy;
    size_t   len;
    range_t  text = { 0, 0 };

    (void) dl_iterate_phdr(find_text, &text);
    text.start = round_up(text.start, LARGE);
    text.end &= ~(LARGE - 1);
    if (text.end <= text.start) {
        return;                 /* it lies elsewhere, or is small */
    }

    len = text.end - text.start;
    copy = copy_text(&text);
    if (copy
        && mremap(copy, len, len, MREMAP_MAYMOVE | MREMAP_FIXED,
                  (void *) text.start)
           == MAP_FAILED)
    {
        (void) munmap(copy, len);
    }
}
