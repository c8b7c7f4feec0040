/*
 * codr-sandboxd --check: what this host lets the sandbox enforce.
 */

#ifndef CODR_CHECK_H
#define CODR_CHECK_H

#include <stdbool.h>

/*
 * Probes every layer in children of its own and prints one line a layer (or
 * one JSON object) to stdout.  Returns the exit status: 0, or 1 when a
 * required layer is missing.
 */
int codr_check(bool json);

#endif /* CODR_CHECK_H */
