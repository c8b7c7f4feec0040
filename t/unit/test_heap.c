/*
 * The parsers' memory: what is given out is apart, aligned, keeps what was
 * written to it, and is given out again.
 */

#define _GNU_SOURCE

#include "tap.h"

#include <stdalign.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../validators/codr_heap.h"

#define BLOCKS  300
#define ROUNDS  20000
#define LARGEST 5000

static void *(*allocate)(size_t);
static void *(*allocate_zeroed)(size_t, size_t);
static void *(*reallocate)(void *, size_t);
static void  (*release)(void *);

static struct {
    uint8_t  *place;
    size_t    size;
    uint8_t   mark;
} block[BLOCKS];


/* Instead of tree-sitter's. */
void ts_set_allocator(void *(*new_malloc)(size_t),
    void *(*new_calloc)(size_t, size_t), void *(*new_realloc)(void *, size_t),
    void (*new_free)(void *));

void
ts_set_allocator(void *(*new_malloc)(size_t),
    void *(*new_calloc)(size_t, size_t), void *(*new_realloc)(void *, size_t),
    void (*new_free)(void *))
{
    allocate = new_malloc;
    allocate_zeroed = new_calloc;
    reallocate = new_realloc;
    release = new_free;
}


static bool
is_whole(size_t i, size_t size)
{
    size_t k;

    for (k = 0; k < size; k++) {
        if (block[i].place[k] != block[i].mark) {
            return false;
        }
    }

    return (uintptr_t) block[i].place % alignof(max_align_t) == 0;
}


static void
mark(size_t i, size_t size, uint8_t with)
{
    block[i].size = size;
    block[i].mark = with;
    memset(block[i].place, with, size);
}


static bool
shuffle(void)
{
    bool     whole = true;
    size_t   i, size, kept;
    unsigned n;

    srandom(1);
    for (n = 0; n < ROUNDS; n++) {
        i = (size_t) random() % BLOCKS;
        size = (size_t) random() % (n % 50 == 0 ? 40 * LARGEST : LARGEST / 10);
        kept = size < block[i].size ? size : block[i].size;
        whole = whole && is_whole(i, block[i].size);

        if (n % 3 == 0) {
            release(block[i].place);
            block[i].place = allocate(size);
        } else {
            block[i].place = reallocate(block[i].place, size);
            whole = whole && is_whole(i, kept);
        }
        mark(i, size, (uint8_t) random());
    }

    return whole;
}


int
main(void)
{
    int      status;
    void    *first, *second;
    pid_t    pid;
    size_t   i;
    uint8_t *zeroed;

    tap_number(codr_heap_use(), 0, "it is used");

    for (i = 0; i < BLOCKS; i++) {
        block[i].place = allocate(i);
        mark(i, i, (uint8_t) i);
    }
    tap_ok(shuffle(), "blocks keep what is in them");

    first = allocate(100);
    release(first);
    second = allocate(97);
    tap_ok(first == second, "what is free is used again");

    memset(second, 1, 97);
    release(second);
    zeroed = allocate_zeroed(97, 1);
    for (i = 0; i < 97 && zeroed[i] == 0; i++) {
        /* void */
    }
    tap_number((long) i, 97, "zeroed also then");
    release(NULL);
    tap_ok(reallocate(NULL, 10) != NULL, "nothing grows to something");

    (void) fflush(stdout);
    pid = fork();
    if (pid == 0) {
        (void) allocate_zeroed(SIZE_MAX / 2, 3);
        _exit(0);
    }
    tap_ok(waitpid(pid, &status, 0) == pid && WIFEXITED(status)
           && WEXITSTATUS(status) != 0, "too much ends the process");

    return tap_done();
}
