/*
 * Linked into nginx, the helper and the validator of a sanitizer build, where
 * it stands between them and malloc(): a test (t/long/memory.t) writes into
 * codr_failing of a running process, and so many allocations later one fails,
 * or several in a row.
 */

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *p, size_t size);
int   __real_posix_memalign(void **ret, size_t alignment, size_t size);

void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *p, size_t size);
int   __wrap_posix_memalign(void **ret, size_t alignment, size_t size);

/* left: until the next failure, 0: there is none; row: that fail then. */
volatile struct {
    long    left;
    long    row;
} codr_failing;


static bool
fails(void)
{
    if (codr_failing.left == 0 || --codr_failing.left > 0) {
        return false;
    }
    if (--codr_failing.row > 0) {
        codr_failing.left = 1;
    }

    errno = ENOMEM;
    return true;
}


void *
__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}


void *
__wrap_calloc(size_t count, size_t size)
{
    return fails() ? NULL : __real_calloc(count, size);
}


void *
__wrap_realloc(void *p, size_t size)
{
    return fails() ? NULL : __real_realloc(p, size);
}


int
__wrap_posix_memalign(void **ret, size_t alignment, size_t size)
{
    return fails() ? ENOMEM : __real_posix_memalign(ret, alignment, size);
}
