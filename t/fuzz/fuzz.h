/*
 * What every fuzz target is made of.  A target is one function that is given
 * bytes; it ends the process when something that always holds does not.
 * libFuzzer calls it with what it thinks of, t/fuzz/replay.c with what was
 * worth keeping.
 */

#ifndef FUZZ_H
#define FUZZ_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define must(true_thing)                                                      \
    do {                                                                      \
        if (!(true_thing)) {                                                  \
            (void) fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, \
                           #true_thing);                                      \
            abort();                                                          \
        }                                                                     \
    } while (0)


/* A copy of exactly its size, so that a sanitizer sees a byte beyond it. */
static inline void *
fuzz_copy(const void *data, size_t size)
{
    void *copy = calloc(1, size ? size : 1);

    must(copy != NULL);
    if (size > 0) {
        memcpy(copy, data, size);
    }

    return copy;
}

/* The next byte of a plan that may be over. */
static inline uint8_t
fuzz_byte(const uint8_t **data, size_t *size)
{
    if (*size == 0) {
        return 0;
    }

    (*size)--;
    return *(*data)++;
}

#endif /* FUZZ_H */
