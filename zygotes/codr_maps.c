/*
 * Reads them line by line: what is looked for may be what is looked with, so
 * nothing is kept in the C heap but one buffer.
 */

#define _GNU_SOURCE

#include "codr_maps.h"

#include <string.h>


void
codr_maps_open(codr_maps_t *maps)
{
    maps->file = fopen("/proc/self/maps", "re");
}


bool
codr_maps_next(const codr_maps_t *maps, codr_mapping_t *ret)
{
    char line[2 * PATH_MAX];

    while (maps->file && fgets(line, sizeof(line), maps->file)) {
        ret->path[0] = '\0';
        if (sscanf(line, "%lx-%lx %4s %*s %*s %*s %4095s", &ret->start,
                   &ret->end, ret->mode, ret->path) >= 3)
        {
            return true;
        }
    }

    return false;
}


void
codr_maps_file_at(uintptr_t place, char *ret_path)
{
    codr_maps_t    maps;
    codr_mapping_t area;

    ret_path[0] = '\0';
    codr_maps_open(&maps);

    while (codr_maps_next(&maps, &area)) {
        if (area.start <= place && place < area.end && area.path[0] == '/') {
            (void) memcpy(ret_path, area.path, sizeof(area.path));
        }
    }

    codr_maps_close(&maps);
}


void
codr_maps_close(codr_maps_t *maps)
{
    if (maps->file) {
        (void) fclose(maps->file);
        maps->file = NULL;
    }
}
