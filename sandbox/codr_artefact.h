/*
 * A compiled program on its way from the sandbox that made it to the one that
 * runs it: a memfd that is sealed once it is complete.  Nothing else crosses.
 */

#ifndef CODR_ARTEFACT_H
#define CODR_ARTEFACT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    int       memfd;            /* -1: none announced */
    uint64_t  size;
    uint64_t  received;
    bool      sealed;
} codr_artefact_t;

#define CODR_ARTEFACT_NONE  ((codr_artefact_t) { .memfd = -1 })


/* Announces size bytes, at most max.  0, or negative errno. */
int codr_artefact_begin(codr_artefact_t *artefact, uint64_t size,
    uint64_t max);

/* The next bytes; the last ones seal it.  0, or negative errno. */
int codr_artefact_add(codr_artefact_t *artefact, const void *data,
    size_t len);

/* Accepts CODR_ARTEFACT_NONE. */
void codr_artefact_free(codr_artefact_t *artefact);

#endif /* CODR_ARTEFACT_H */
