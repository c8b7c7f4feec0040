/*
 * Which predicates of a file name a path, found at once for all of them: most
 * names of a program are in no list of any rule.  An answer may have too many
 * bits, and never too few.
 */

#ifndef CODR_LISTING_H
#define CODR_LISTING_H

#include <stddef.h>
#include <stdint.h>

#define CODR_LISTING_SEEN   64          /* words of bits */
#define CODR_LISTING_FIRST  64
#define CODR_LISTING_PARTS  16

/* A path, and what it is looked for by. */
typedef struct {
    uint32_t  whole;
    uint32_t  head;             /* its first part; 0: it has one only */
    uint32_t  tail;             /* its last part; likewise */
    uint16_t  parts;
    uint16_t  length;
    char      text[];
} codr_listed_t;

typedef struct {
    uint64_t  bits;             /* 0: it is empty */
    uint32_t  key;
} codr_listing_slot_t;

typedef struct {
    uint64_t              seen[CODR_LISTING_SEEN];      /* keys there are */
    uint64_t              first[CODR_LISTING_FIRST];    /* by a character */
    uint64_t              parts[CODR_LISTING_PARTS];    /* by their number */
    codr_listing_slot_t  *slot;
    uint32_t              slots;
    uint32_t              used;
} codr_listing_t;


/* 0, or negative errno. */
int codr_listing_add(codr_listing_t *listing, const char *word, uint64_t bit);

/* The bits of all words that may mean the path. */
uint64_t codr_listing_find(const codr_listing_t *listing,
    const codr_listed_t *path);

void codr_listing_free(codr_listing_t *listing);

/* Everything but the text, whose memory is the caller's. */
void codr_listed_read(codr_listed_t *path, const char *text, size_t len);

/* The path that begins with this text. */
const codr_listed_t *codr_listed_of(const char *text);

#endif /* CODR_LISTING_H */
