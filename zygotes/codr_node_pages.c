/*
 * Most of node's code runs once, at its start, and would be counted for the
 * zygote as long as that lives.  An init uses our own code and the C library:
 * V8's heaps in it, and node's code, only have to be taken apart at its end,
 * for which the job's client waits.
 */

#define _GNU_SOURCE

#include "codr_node_pages.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "codr_maps.h"
#include "codr_node_v8.h"

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
can_go(const char *node, const codr_mapping_t *area, bool after_data)
{
    if (area->path[0]) {
        return strcmp(area->path, node) == 0 && area->mode[1] == '-';
    }

    return area->end - area->start >= LARGE && !after_data
           && !(area->start <= pthread_self() && pthread_self() < area->end);
}


void
codr_node_pages_plan(void)
{
    bool           data = false;
    char           node[PATH_MAX];
    codr_maps_t    maps;
    codr_mapping_t area;

    codr_maps_file_at(codr_node_v8_code(), node);
    codr_maps_open(&maps);

    while (nranges < RANGES_MAX && codr_maps_next(&maps, &area)) {
        if (can_go(node, &area, data)) {
            ranges[nranges++] = (range_t) {
                area.start, area.end - area.start,
            };
        }
        data = area.path[0] != '\0';
    }

    codr_maps_close(&maps);
}


void
codr_node_pages_shed(void)
{
    size_t i;

    for (i = 0; i < nranges; i++) {
        (void) munmap((void *) ranges[i].start, ranges[i].size);
    }
}
