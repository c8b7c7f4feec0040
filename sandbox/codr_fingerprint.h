/*
 * What a compiled program was made from, as one number: the key of the compile
 * cache.
 */

#ifndef CODR_FINGERPRINT_H
#define CODR_FINGERPRINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "codr_cache.h"
#include "codr_config.h"
#include "codr_source.h"

typedef struct {
    const void             *owner;      /* NULL: shared by all */
    size_t                  owner_len;
    uint64_t                toolchain;  /* stamp; see codr_toolchain.h */
    const codr_language_t  *language;
    const codr_source_t    *source;     /* sealed */
} codr_fingerprint_t;


/*
 * False when what comes out depends on more than this, so that it cannot be
 * kept: files that ask for the time or for what is outside of them, or that
 * are too large to look.
 */
bool codr_fingerprint(codr_cache_key_t *ret, const codr_fingerprint_t *of);

/* The key of precompiled headers: names as the configuration has them. */
void codr_fingerprint_headers(codr_cache_key_t *ret, uint64_t toolchain,
    const codr_language_t *language, const char *names);

/* Whether bytes hold a word that makes a compiler look elsewhere. */
bool codr_fingerprint_is_volatile(const void *bytes, size_t len);

#endif /* CODR_FINGERPRINT_H */
