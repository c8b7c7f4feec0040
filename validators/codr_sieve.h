/*
 * What a path certainly is not: most names of a program are in no list of any
 * rule, and need not be compared with its words.  Pure.
 */

#ifndef CODR_SIEVE_H
#define CODR_SIEVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CODR_SIEVE_WORDS    4

typedef struct {
    uint64_t  plain[CODR_SIEVE_WORDS];  /* by beginning and length */
    uint64_t  wild[CODR_SIEVE_WORDS];   /* by beginning */
    uint32_t  parts;                    /* fewest of those that begin with a
                                           '*'; 0: there are none */
} codr_sieve_t;


/* A word of the list; wild is one with a '*'. */
void codr_sieve_add(codr_sieve_t *sieve, const char *word, bool wild);

/* Whether it may be one of the words without, or with a '*'. */
bool codr_sieve_plain(const codr_sieve_t *sieve, const char *path, size_t len);
bool codr_sieve_wild(const codr_sieve_t *sieve, const char *path);

#endif /* CODR_SIEVE_H */
