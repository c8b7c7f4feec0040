/*
 * The memory of the zygote's objects, put together in large pages: what is one
 * page there is one entry to copy for each clone, and where a clone has
 * written to it (only that part is copied) what is left is still one piece to
 * the kernel.  The interpreter's arenas and the C library's heap are laid out
 * for it when the zygote starts.
 */

#define _GNU_SOURCE
#define PY_SSIZE_T_CLEAN

#include <Python.h>

#include "codr_python_heap.h"

#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#define LARGE       (2UL * 1024 * 1024)
#define ROOM        (8 * LARGE)     /* for arenas; more lie elsewhere */
#define COLLAPSE    25              /* MADV_COLLAPSE, since 6.1 */

static char                   *room;    /* or NULL */
static size_t                  used;
static char                   *heap;
static PyObjectArenaAllocator  usual;


static uintptr_t
round_up(uintptr_t address)
{
    return (address + LARGE - 1) & ~(LARGE - 1);
}


static void *
take_arena(void *context, size_t size)
{
    char *arena = room + used;

    (void) context;

    if (size > ROOM - used) {
        return usual.alloc(usual.ctx, size);
    }

    used += size;
    return arena;
}


/* As the usual one does it, whose they may be. */
static void
free_arena(void *context, void *arena, size_t size)
{
    (void) context;
    (void) munmap(arena, size);
}


static void
make_room(void)
{
    void                   *memory;
    PyObjectArenaAllocator  ours = { NULL, take_arena, free_arena };

    memory = mmap(NULL, ROOM + LARGE, PROT_READ | PROT_WRITE,
                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) {
        return;
    }

    room = (char *) round_up((uintptr_t) memory);
    PyObject_GetArenaAllocator(&usual);
    PyObject_SetArenaAllocator(&ours);
}


void
codr_python_heap_begin(void)
{
    uintptr_t now = (uintptr_t) sbrk(0);

    make_room();

    if (sbrk((intptr_t) (round_up(now) - now)) != (void *) -1) {
        heap = (char *) round_up(now);
    }
}


void
codr_python_heap_enlarge(void)
{
    uintptr_t now = (uintptr_t) sbrk(0);

    if (room && used > 0) {
        (void) madvise(room, round_up(used), COLLAPSE);
    }

    /* the C library takes what follows for somebody else's */
    if (heap && now > (uintptr_t) heap
        && sbrk((intptr_t) (round_up(now) - now)) != (void *) -1)
    {
        (void) madvise(heap, round_up(now) - (uintptr_t) heap, COLLAPSE);
    }
}
