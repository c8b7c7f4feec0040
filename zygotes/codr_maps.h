/*
 * The mappings of this process, as /proc/self/maps has them (proc(5)).
 */

#ifndef CODR_MAPS_H
#define CODR_MAPS_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

typedef struct {
    uintptr_t  start;
    uintptr_t  end;
    char       mode[5];         /* as "rw-p" */
    char       path[PATH_MAX];  /* or "[heap]", or "" */
} codr_mapping_t;

typedef struct {
    FILE  *file;                /* NULL: nothing can be said */
} codr_maps_t;

void codr_maps_open(codr_maps_t *maps);

/* false: that was all. */
bool codr_maps_next(const codr_maps_t *maps, codr_mapping_t *ret);

void codr_maps_close(codr_maps_t *maps);

/* The path, of up to PATH_MAX bytes, of the file that is mapped there, or
   "". */
void codr_maps_file_at(uintptr_t place, char *ret_path);

#endif /* CODR_MAPS_H */
