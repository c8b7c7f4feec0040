/*
 * What the host has beside the layers, for an operator who asks: installed
 * files, limits, settings that make codr slower, smaller or less safe.
 */

#ifndef CODR_HOST_H
#define CODR_HOST_H

#include <stdbool.h>
#include <stddef.h>

#define CODR_HOST_MAX   16

typedef struct {
    const char  *name;
    bool         good;
    const char  *meaning;       /* what it is for */
    const char  *advice;        /* how to get it */
    char         found[128];    /* no quotes, no control characters */
} codr_host_item_t;


/* Looks at everything; the number of items.  Changes nothing. */
size_t codr_host_look(codr_host_item_t ret[CODR_HOST_MAX]);

#endif /* CODR_HOST_H */
