/*
 * Bits of what the words of a list begin with.  Runs in the validator's
 * children on hostile paths.
 */

#include "codr_sieve.h"

#include <string.h>

#define BITS    (64 * CODR_SIEVE_WORDS)


static unsigned
hash(const char *path, size_t len)
{
    const uint8_t *p = (const uint8_t *) path;

    return (p[0] + 7U * p[len / 2] + 31U * p[len - 1] + (unsigned) len) % BITS;
}


static void
set(uint64_t *bits, unsigned n)
{
    bits[n / 64] |= 1ULL << n % 64;
}


static bool
is_set(const uint64_t *bits, unsigned n)
{
    return bits[n / 64] >> n % 64 & 1;
}


static uint32_t
count_parts(const char *path)
{
    uint32_t n = 1;

    while ((path = strchr(path, '.')) != NULL) {
        path++;
        n++;
    }

    return n;
}


void
codr_sieve_add(codr_sieve_t *sieve, const char *word, bool wild)
{
    uint32_t parts;

    if (word[0] == '\0') {
        return;
    }

    if (!wild) {
        set(sieve->plain, hash(word, strlen(word)));
    } else if (word[0] != '*') {
        set(sieve->wild, (uint8_t) word[0]);
    } else {
        parts = count_parts(word);
        if (sieve->parts == 0 || parts < sieve->parts) {
            sieve->parts = parts;
        }
    }
}


bool
codr_sieve_plain(const codr_sieve_t *sieve, const char *path, size_t len)
{
    return len > 0 && is_set(sieve->plain, hash(path, len));
}


bool
codr_sieve_wild(const codr_sieve_t *sieve, const char *path)
{
    return is_set(sieve->wild, (uint8_t) path[0])
           || (sieve->parts > 0 && count_parts(path) >= sieve->parts);
}
