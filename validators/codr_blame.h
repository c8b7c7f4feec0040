/*
 * Where a syntax error is, for people.
 */

#ifndef CODR_BLAME_H
#define CODR_BLAME_H

#include <stdint.h>

#include "codr_check.h"

/* The range to show for a node: of an error the part that is wrong, of any
   other node all of it. */
void codr_blame(const codr_check_t *check, uint32_t node, uint32_t *ret_start,
    uint32_t *ret_end);

#endif /* CODR_BLAME_H */
