/*
 * Compiled programs, found by what they were made from.  Runs in the broker.
 *
 * An entry is a copy of an artefact in memory that only the broker has, and
 * that it cannot write itself once it is made.  Whoever runs one gets a sealed
 * memfd of its own, so two jobs share neither bytes nor an inode.
 *
 * While one job compiles something, others that want the same can wait for it:
 * it is a flight, under the same key.
 */

#ifndef CODR_CACHE_H
#define CODR_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "codr_artefact.h"

#define CODR_CACHE_BUCKETS      4096
#define CODR_CACHE_ENTRIES      16384
#define CODR_CACHE_ALONE        16

typedef struct {
    uint8_t  bytes[32];         /* SHA-256 */
} codr_cache_key_t;

typedef struct codr_cached_s codr_cached_t;

struct codr_cached_s {
    codr_cache_key_t   key;
    codr_cached_t     *chain;           /* of the bucket */
    codr_cached_t     *newer;
    codr_cached_t     *older;
    void              *bytes;           /* a read-only mapping */
    uint64_t           size;
    uint64_t           cost;            /* of all of it, in bytes */
    char              *words;           /* the compiler's; NULL: none */
};

/* Belongs to the job that compiles. */
typedef struct codr_flight_s codr_flight_t;

struct codr_flight_s {
    codr_flight_t     *prev;
    codr_flight_t     *next;
    bool               underway;
    codr_cache_key_t   key;
};

typedef struct {
    uint64_t           size;            /* bytes it may have; 0: off */
    uint64_t           used;
    size_t             count;
    uint64_t           hits;            /* since the broker's start */
    uint64_t           misses;
    codr_cached_t     *bucket[CODR_CACHE_BUCKETS];
    codr_cached_t     *newest;
    codr_cached_t     *oldest;
    codr_flight_t     *flights;
    codr_cache_key_t   alone[CODR_CACHE_ALONE];     /* a ring */
    size_t             alone_next;
} codr_cache_t;


/* Drops what has been used longest ago until at most bytes are in use. */
void codr_cache_shrink(codr_cache_t *cache, uint64_t bytes);

/* The entry, which counts as used now, or NULL. */
const codr_cached_t *codr_cache_find(codr_cache_t *cache,
    const codr_cache_key_t *key);

/* A sealed memfd with the bytes of an entry.  0, or negative errno. */
int codr_cache_copy(const codr_cached_t *entry, codr_artefact_t *ret);

/*
 * Keeps a copy of a sealed artefact and of the compiler's words (or NULL)
 * where there is room.  0, or negative errno: it is not kept, and nothing is
 * lost.
 */
int codr_cache_put(codr_cache_t *cache, const codr_cache_key_t *key,
    const codr_artefact_t *artefact, const char *words);

/* Whether somebody compiles just this, and waiting may help. */
bool codr_cache_is_underway(const codr_cache_t *cache,
    const codr_cache_key_t *key);

/* One more compiles it. */
void codr_cache_take_off(codr_cache_t *cache, codr_flight_t *flight,
    const codr_cache_key_t *key);

/*
 * It has ended; accepts a flight that is not underway.  Failed: whoever wants
 * the same does not wait for others, as they would all fail one by one.
 */
void codr_cache_land(codr_cache_t *cache, codr_flight_t *flight,
    bool failed);

#endif /* CODR_CACHE_H */
