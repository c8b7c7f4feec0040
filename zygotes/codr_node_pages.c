/*
 * Most of node's code runs once, at its start, and would be counted for the
 * zygote as long as that lives.  An init uses our own code and the C library:
 * V8's heaps in it, and node's code, only have to be taken apart at its end,
 * for which the job's client waits.
 */

#define _GNU_SOURCE

#include "codr_node_pages.h"

#include <limits.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define RANGES_MAX  1024
#define LARGE       (256 * 1024)    /* a page of V8's */

typedef struct {
    uintptr_t  start;
    size_t     size;
} range_t;

static size_t   nranges;
static range_t  ranges[RANGES_MAX];


/* What cannot be written, and was not, as relocations are, before it was made
   so. */
void
codr_node_pages_drop(void)
{
    bool      file = false;
    char      line[4096], mode[8] = "";
    FILE     *maps = fopen("/proc/self/smaps", "re");
    uintptr_t start = 0, end = 0, from, to;
    unsigned  inode, kb;

    while (maps && fgets(line, sizeof(line), maps)) {
        if (sscanf(line, "%lx-%lx %7s %*s %*s %u", &from, &to, mode, &inode)
            == 4)
        {
            start = from;
            end = to;
            file = inode != 0 && mode[0] == 'r' && mode[1] == '-'
                   && mode[3] == 'p';
        } else if (file && sscanf(line, "Anonymous: %u", &kb) == 1 && kb == 0) {
            (void) madvise((void *) start, end - start, MADV_DONTNEED);
        }
    }

    if (maps) {
        (void) fclose(maps);
    }
}


/* Neither a file's data, some of which the C library uses as its own, nor what
   follows it, nor where our thread's storage is. */
static bool
can_go(uintptr_t start, uintptr_t end, const char *mode, const char *path,
    const char *exe, bool after_data)
{
    if (path[0]) {
        return strcmp(path, exe) == 0 && mode[1] == '-';
    }

    return end - start >= LARGE && !after_data
           && !(start <= pthread_self() && pthread_self() < end);
}


void
codr_node_pages_plan(void)
{
    bool      data = false;
    char      line[2 * PATH_MAX], mode[8], path[PATH_MAX], exe[PATH_MAX];
    FILE     *maps = fopen("/proc/self/maps", "re");
    ssize_t   len = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
    uintptr_t start, end;

    exe[len > 0 ? len : 0] = '\0';

    while (maps && nranges < RANGES_MAX && fgets(line, sizeof(line), maps)) {
        path[0] = '\0';
        if (sscanf(line, "%lx-%lx %7s %*s %*s %*s %4095s", &start, &end, mode,
                   path) < 3)
        {
            continue;
        }
        if (can_go(start, end, mode, path, exe, data)) {
            ranges[nranges++] = (range_t) { start, end - start };
        }
        data = path[0] != '\0';
    }

    if (maps) {
        (void) fclose(maps);
    }
}


void
codr_node_pages_shed(void)
{
    size_t i;

    for (i = 0; i < nranges; i++) {
        (void) munmap((void *) ranges[i].start, ranges[i].size);
    }
}
