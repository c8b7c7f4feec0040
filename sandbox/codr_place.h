/*
 * Paths of the host and places in a sandbox, as a configuration names them.
 * Only their form is judged: whether they exist is found when a sandbox is
 * made.
 *
 * Pure: libc only, no allocation, no I/O.  Compiled by module/ and sandbox/,
 * so that both refuse the same.
 */

#ifndef CODR_PLACE_H
#define CODR_PLACE_H

#include <stdbool.h>
#include <stddef.h>

#define CODR_PLACE_MAX  1000    /* bytes of a path */

/* Absolute, without "..", and without the colon that separates paths on a
   command line. */
bool codr_place_valid(const char *path, size_t len);

/* Belongs to the sandbox itself: a bind there would be hidden by it, or
   replace it. */
bool codr_place_reserved(const char *path, size_t len);

#endif /* CODR_PLACE_H */
