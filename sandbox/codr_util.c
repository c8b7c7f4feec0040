/*
 * Helpers without side effects beyond the descriptor or clock they name.
 * Used by every role; never logs.
 */

#define _GNU_SOURCE

#include "codr_util.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>


void
codr_close(int *fd)
{
    int saved = errno;

    if (*fd >= 0) {
        (void) close(*fd);      /* Linux closes it whatever it returns */
        *fd = -1;
    }

    errno = saved;
}


void
codr_free_pointer(void *pointer)
{
    free(*(void **) pointer);
}


int
codr_steal_fd(int *fd)
{
    int stolen = *fd;

    *fd = -1;
    return stolen;
}


uint64_t
codr_now_us(void)
{
    struct timespec now;

    if (clock_gettime(CLOCK_MONOTONIC, &now) != 0) {
        abort();                /* cannot fail with this clock */
    }

    return (uint64_t) now.tv_sec * 1000000 + (uint64_t) now.tv_nsec / 1000;
}


uint64_t
codr_rusage_cpu_us(const struct rusage *usage)
{
    return (uint64_t) (usage->ru_utime.tv_sec + usage->ru_stime.tv_sec)
           * 1000000
           + (uint64_t) (usage->ru_utime.tv_usec + usage->ru_stime.tv_usec);
}


bool
codr_add_size(size_t a, size_t b, size_t *ret)
{
    size_t sum;

    if (__builtin_add_overflow(a, b, &sum)) {
        return false;
    }

    *ret = sum;
    return true;
}


void
codr_random_hex(char *text, size_t count)
{
    static const char digits[] = "0123456789abcdef";
    size_t            i;
    unsigned char     bytes[64];

    if (count > sizeof(bytes) || getrandom(bytes, count, 0) != (ssize_t) count)
    {
        abort();                /* an id that can be guessed is no id */
    }

    for (i = 0; i < count; i++) {
        *text++ = digits[bytes[i] >> 4];
        *text++ = digits[bytes[i] & 15];
    }

    *text = '\0';
}


int
codr_beside(char *ret, size_t size, const char *name)
{
    char    path[PATH_MAX], *slash;
    ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);

    if (n == -1) {
        return -errno;
    }

    path[n] = '\0';
    slash = strrchr(path, '/');
    if (slash == NULL
        || snprintf(ret, size, "%.*s/%s", (int) (slash - path), path, name)
           >= (int) size)
    {
        return -ENAMETOOLONG;
    }

    return 0;
}
