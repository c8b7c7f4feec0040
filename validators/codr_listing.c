/*
 * Words by what a path must have to match them: all of it, its first part, its
 * last part; else its first character, or the number of its parts.  Filled
 * before any source is seen, asked in the validator's children.
 */

#include "codr_listing.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS_FIRST     64
#define SEED            2166136261U
#define PRIME           16777619U
#define HEAD            0x9e3779b9U     /* keys of parts are others */
#define TAIL            0x85ebca6bU
#define SPREAD          2654435761U


static uint32_t
key_of(const char *text, size_t len)
{
    size_t   i;
    uint32_t key = SEED;

    for (i = 0; i < len; i++) {
        key = (key ^ (uint8_t) text[i]) * PRIME;
    }

    return key;
}


void
codr_listed_read(codr_listed_t *path, const char *text, size_t len)
{
    size_t   i;
    uint32_t whole = SEED, tail = SEED;

    path->head = 0;
    path->parts = 1;
    path->length = (uint16_t) len;

    for (i = 0; i < len; i++) {
        if (text[i] == '.') {
            if (path->parts++ == 1) {
                path->head = whole ^ HEAD;
            }
            tail = SEED;
        } else {
            tail = (tail ^ (uint8_t) text[i]) * PRIME;
        }
        whole = (whole ^ (uint8_t) text[i]) * PRIME;
    }

    path->whole = whole;
    path->tail = path->parts > 1 ? tail ^ TAIL : 0;
}


const codr_listed_t *
codr_listed_of(const char *text)
{
    return (const codr_listed_t *) (const void *)
           (text - offsetof(codr_listed_t, text));
}


static uint32_t
place_of(uint32_t key)
{
    return key * SPREAD;
}


static void
put(codr_listing_t *listing, uint32_t key, uint64_t bit)
{
    uint32_t at, place = place_of(key);

    for (at = place & (listing->slots - 1);
         listing->slot[at].bits != 0 && listing->slot[at].key != key;
         at = (at + 1) & (listing->slots - 1))
    {
        /* void */
    }

    listing->used += listing->slot[at].bits == 0;
    listing->slot[at].key = key;
    listing->slot[at].bits |= bit;
    listing->seen[place >> 26] |= 1ULL << (place >> 20 & 63);
}


/* So that at least every other slot is empty. */
static int
grow(codr_listing_t *listing)
{
    uint32_t       i;
    codr_listing_t old = *listing;

    if (listing->used < listing->slots / 2) {
        return 0;
    }

    listing->slots = old.slots ? 2 * old.slots : SLOTS_FIRST;
    listing->slot = calloc(listing->slots, sizeof(*listing->slot));
    if (listing->slot == NULL) {
        *listing = old;
        return -ENOMEM;
    }

    listing->used = 0;
    for (i = 0; i < old.slots; i++) {
        if (old.slot[i].bits != 0) {
            put(listing, old.slot[i].key, old.slot[i].bits);
        }
    }

    free(old.slot);
    return 0;
}


/* Words that begin with '*': the number of parts, or at least that many. */
static void
put_parts(codr_listing_t *listing, const char *word, uint64_t bit)
{
    bool        more;
    unsigned    n = 1;
    const char *dot, *last = word;

    while ((dot = strchr(last, '.')) != NULL) {
        last = dot + 1;
        n++;
    }

    more = strcmp(last, "*") == 0;
    if (n >= CODR_LISTING_PARTS) {
        n = CODR_LISTING_PARTS - 1;
    }
    do {
        listing->parts[n++] |= bit;
    } while (more && n < CODR_LISTING_PARTS);
}


int
codr_listing_add(codr_listing_t *listing, const char *word, uint64_t bit)
{
    int         result = grow(listing);
    const char *star = strchr(word, '*'), *dot = strchr(word, '.');
    const char *last = strrchr(word, '.');

    if (result < 0) {
        return result;
    }

    if (star == NULL) {
        put(listing, key_of(word, strlen(word)), bit);
    } else if (dot && star > dot) {
        put(listing, key_of(word, (size_t) (dot - word)) ^ HEAD, bit);
    } else if (last && strchr(last, '*') == NULL) {
        put(listing, key_of(last + 1, strlen(last + 1)) ^ TAIL, bit);
    } else if (star > word) {
        listing->first[(uint8_t) *word % CODR_LISTING_FIRST] |= bit;
    } else {
        put_parts(listing, word, bit);
    }

    return 0;
}


static uint64_t
find(const codr_listing_t *listing, uint32_t key)
{
    uint32_t at, place = place_of(key);

    if ((listing->seen[place >> 26] >> (place >> 20 & 63) & 1) == 0) {
        return 0;
    }

    for (at = place & (listing->slots - 1); listing->slot[at].bits != 0;
         at = (at + 1) & (listing->slots - 1))
    {
        if (listing->slot[at].key == key) {
            return listing->slot[at].bits;
        }
    }

    return 0;
}


uint64_t
codr_listing_find(const codr_listing_t *listing, const codr_listed_t *path)
{
    unsigned parts = path->parts < CODR_LISTING_PARTS
                     ? path->parts : CODR_LISTING_PARTS - 1;
    uint64_t bits = listing->first[(uint8_t) path->text[0]
                                   % CODR_LISTING_FIRST]
                    | listing->parts[parts] | find(listing, path->whole);

    if (path->parts > 1) {
        bits |= find(listing, path->head) | find(listing, path->tail);
    }

    return bits;
}


void
codr_listing_free(codr_listing_t *listing)
{
    free(listing->slot);
    *listing = (codr_listing_t) { .slot = NULL };
}
