/*
 * Which headers a C or C++ source begins with, before anything of its own.
 */

#ifndef CODR_INCLUDES_H
#define CODR_INCLUDES_H

#include <stddef.h>

#include "codr_list.h"

/*
 * The last of the sets (header names, a blank between them) of which every
 * header is included, in <>, before anything but comments: its number, or -1.
 * Any bytes will do.
 */
int codr_includes_choose(const void *text, size_t len,
    const codr_list_t *sets);

#endif /* CODR_INCLUDES_H */
