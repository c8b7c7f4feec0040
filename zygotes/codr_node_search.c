/*
 * What was never used is not looked at: to read a page of it makes one, and
 * each clone would have that, too.  Of a file that is not ours mincore() says
 * that all pages are used.  That is node's own data, 31 pages, of which it has
 * written to most; to read the others makes none, and they are as ever.
 */

#define _GNU_SOURCE

#include "codr_node_search.h"

#include <string.h>
#include <sys/mman.h>

#include "codr_maps.h"

#define PAGE        4096UL
#define PAGES       512         /* asked about at a time */


static void
search_area(const codr_mapping_t *area, codr_node_look_pt look)
{
    size_t        i, first, pages;
    char         *start = (char *) area->start, *end = (char *) area->end;
    unsigned char used[PAGES];

    for ( ; start < end; start += pages * PAGE) {
        pages = (size_t) (end - start) / PAGE;
        pages = pages < PAGES ? pages : PAGES;
        if (mincore(start, pages * PAGE, used) == -1) {
            return;
        }
        for (i = 0; i < pages; i++) {
            first = i;
            while (i < pages && (used[i] & 1)) {
                i++;
            }
            if (i > first) {
                look((uint64_t *) (void *) (start + first * PAGE),
                     (i - first) * PAGE / sizeof(uint64_t));
            }
        }
    }
}


void
codr_node_search(codr_node_area_t where, codr_node_look_pt look)
{
    bool           data = false;
    codr_maps_t    maps;
    codr_mapping_t area;

    codr_maps_open(&maps);

    while (codr_maps_next(&maps, &area)) {
        /* what has no name and follows a file's data is its rest */
        data = area.path[0] == '/' || (data && area.path[0] == '\0');
        if (strncmp(area.mode, "rw", 2) == 0
            && (where == CODR_NODE_DATA
                ? data || strcmp(area.path, "[heap]") == 0
                : !data && area.path[0] == '\0'))
        {
            search_area(&area, look);
        }
        data = data && area.path[0] != '\0';
    }

    codr_maps_close(&maps);
}


bool
codr_node_is_in(const void *at, const void *object, size_t size)
{
    return (uintptr_t) at - (uintptr_t) object < size;
}
