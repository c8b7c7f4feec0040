/*
 * The compile cache.  It holds nothing but what init has sent of our own
 * compile sandboxes, and hands nothing out but copies.  Never looks at the
 * bytes.
 */

#define _GNU_SOURCE

#include "codr_cache.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "codr_io.h"
#include "codr_util.h"

#define PAGE            4096
#define OVERHEAD        512     /* of an entry, whatever is in it */

/* Copying is done between two events, and nobody should notice: what is larger
   has taken its time to compile as well. */
#define ONE_MAX         (8ULL * 1024 * 1024)


static bool
same(const codr_cache_key_t *a, const codr_cache_key_t *b)
{
    return memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}


/* Any bytes of a hash will do. */
static codr_cached_t **
bucket_of(codr_cache_t *cache, const codr_cache_key_t *key)
{
    uint32_t number;

    memcpy(&number, key->bytes, sizeof(number));
    return &cache->bucket[number % CODR_CACHE_BUCKETS];
}


static void
add_newest(codr_cache_t *cache, codr_cached_t *entry)
{
    entry->newer = NULL;
    entry->older = cache->newest;
    if (cache->newest) {
        cache->newest->newer = entry;
    } else {
        cache->oldest = entry;
    }
    cache->newest = entry;
}


static void
unlink_age(codr_cache_t *cache, codr_cached_t *entry)
{
    if (entry->newer) {
        entry->newer->older = entry->older;
    } else {
        cache->newest = entry->older;
    }
    if (entry->older) {
        entry->older->newer = entry->newer;
    } else {
        cache->oldest = entry->newer;
    }
}


static void
free_entry(codr_cached_t *entry)
{
    if (entry->bytes) {
        (void) munmap(entry->bytes, entry->size);
    }
    free(entry->words);
    free(entry);
}


static void
drop(codr_cache_t *cache, codr_cached_t *entry)
{
    codr_cached_t **place = bucket_of(cache, &entry->key);

    while (*place != entry) {
        place = &(*place)->chain;
    }
    *place = entry->chain;

    unlink_age(cache, entry);
    cache->used -= entry->cost;
    cache->count--;
    free_entry(entry);
}


void
codr_cache_shrink(codr_cache_t *cache, uint64_t bytes)
{
    while (cache->oldest && cache->used > bytes) {
        drop(cache, cache->oldest);
    }
}


static codr_cached_t *
find(codr_cache_t *cache, const codr_cache_key_t *key)
{
    codr_cached_t *entry = *bucket_of(cache, key);

    while (entry && !same(&entry->key, key)) {
        entry = entry->chain;
    }

    return entry;
}


const codr_cached_t *
codr_cache_find(codr_cache_t *cache, const codr_cache_key_t *key)
{
    codr_cached_t *entry = find(cache, key);

    if (entry) {
        unlink_age(cache, entry);
        add_newest(cache, entry);
    }

    return entry;
}


int
codr_cache_copy(const codr_cached_t *entry, codr_artefact_t *ret)
{
    int             result;
    codr_artefact_t copy = CODR_ARTEFACT_NONE;

    result = codr_artefact_begin(&copy, entry->size, entry->size);
    if (result == 0) {
        result = codr_artefact_add(&copy, entry->bytes, entry->size);
    }
    if (result < 0) {
        codr_artefact_free(&copy);
        return result;
    }

    *ret = copy;
    return 0;
}


/* The bytes of a memfd in pages of our own, which nothing can write. */
static int
load(codr_cached_t *entry, int memfd)
{
    int   result;
    char *bytes;

    bytes = mmap(NULL, entry->size, PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (bytes == MAP_FAILED) {
        return -errno;
    }
    entry->bytes = bytes;

    result = codr_io_read_at(memfd, bytes, entry->size, 0);
    if (result < 0) {
        return result;
    }

    return mprotect(bytes, entry->size, PROT_READ) == -1 ? -errno : 0;
}


static uint64_t
cost_of(uint64_t size, const char *words)
{
    return (size + PAGE - 1) / PAGE * PAGE + OVERHEAD
           + (words ? strlen(words) + 1 : 0);
}


static int
make_entry(codr_cached_t **ret, const codr_artefact_t *artefact,
    const char *words)
{
    int            result = 0;
    codr_cached_t *entry = calloc(1, sizeof(*entry));

    if (entry == NULL) {
        return -ENOMEM;
    }

    entry->size = artefact->size;
    entry->cost = cost_of(artefact->size, words);
    if (words) {
        entry->words = strdup(words);
        result = entry->words ? 0 : -ENOMEM;
    }
    if (result == 0) {
        result = load(entry, artefact->memfd);
    }
    if (result < 0) {
        free_entry(entry);
        return result;
    }

    *ret = entry;
    return 0;
}


int
codr_cache_put(codr_cache_t *cache, const codr_cache_key_t *key,
    const codr_artefact_t *artefact, const char *words)
{
    int             result;
    uint64_t        cost = cost_of(artefact->size, words);
    codr_cached_t  *entry, **place;

    if (!artefact->sealed || artefact->size == 0 || artefact->size > ONE_MAX
        || cost > cache->size)
    {
        return -EFBIG;
    }
    if (find(cache, key)) {
        return 0;               /* somebody did not wait, and was faster */
    }

    result = make_entry(&entry, artefact, words);
    if (result < 0) {
        return result;
    }

    codr_cache_shrink(cache, cache->size - cost);
    if (cache->count >= CODR_CACHE_ENTRIES) {
        drop(cache, cache->oldest);
    }

    entry->key = *key;
    place = bucket_of(cache, key);
    entry->chain = *place;
    *place = entry;
    add_newest(cache, entry);
    cache->used += cost;
    cache->count++;
    return 0;
}


/* Flights */


bool
codr_cache_is_underway(const codr_cache_t *cache,
    const codr_cache_key_t *key)
{
    size_t               i;
    const codr_flight_t *flight = cache->flights;

    while (flight && !same(&flight->key, key)) {
        flight = flight->next;
    }
    if (flight == NULL) {
        return false;
    }

    for (i = 0; i < CODR_CACHE_ALONE; i++) {
        if (same(&cache->alone[i], key)) {
            return false;
        }
    }

    return true;
}


void
codr_cache_take_off(codr_cache_t *cache, codr_flight_t *flight,
    const codr_cache_key_t *key)
{
    flight->key = *key;
    flight->underway = true;
    flight->prev = NULL;
    flight->next = cache->flights;
    if (flight->next) {
        flight->next->prev = flight;
    }
    cache->flights = flight;
}


static void
let_alone(codr_cache_t *cache, const codr_cache_key_t *key, bool failed)
{
    size_t i;

    for (i = 0; i < CODR_CACHE_ALONE; i++) {
        if (same(&cache->alone[i], key)) {
            if (!failed) {
                memset(&cache->alone[i], 0, sizeof(cache->alone[i]));
            }
            return;
        }
    }

    if (failed) {
        cache->alone[cache->alone_next] = *key;
        cache->alone_next = (cache->alone_next + 1) % CODR_CACHE_ALONE;
    }
}


void
codr_cache_land(codr_cache_t *cache, codr_flight_t *flight, bool failed)
{
    if (!flight->underway) {
        return;
    }
    flight->underway = false;

    if (flight->prev) {
        flight->prev->next = flight->next;
    } else {
        cache->flights = flight->next;
    }
    if (flight->next) {
        flight->next->prev = flight->prev;
    }

    let_alone(cache, &flight->key, failed);
}
