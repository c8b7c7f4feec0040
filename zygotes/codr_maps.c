/*
 * Reads them line by line: what is looked for may be what is looked with, so
 * nothing is kept in the C heap but one buffer.
 */

#define _GNU_SOURCE

#include "codr_maps.h"

#include <string.h>
#include <unistd.h>


void
codr_maps_open(codr_maps_t *maps)
{
    ssize_t len = readlink("/proc/self/exe", maps->exe, sizeof(maps->exe) - 1);

    maps->exe[len > 0 ? len : 0] = '\0';
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


bool
codr_maps_is_program(const codr_maps_t *maps, const codr_mapping_t *mapping)
{
    return maps->exe[0] && strcmp(mapping->path, maps->exe) == 0;
}


void
codr_maps_close(codr_maps_t *maps)
{
    if (maps->file) {
        (void) fclose(maps->file);
        maps->file = NULL;
    }
}
