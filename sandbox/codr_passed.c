/*
 * Remembers what has passed.  Runs in the broker; the sources are anybody's,
 * and nothing of them is more than bytes here.
 */

#define _GNU_SOURCE

#include "codr_passed.h"

#include <sha2.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/types.h>

#include "codr_io.h"


void
codr_passed_clear(codr_passed_t *passed)
{
    memset(passed->used, 0, sizeof(passed->used));
}


/* Lengths come first, so that no two requests look alike. */
static bool
add_sources(SHA2_CTX *hash, const codr_review_request_t *request,
    const uint8_t *image, size_t size)
{
    uint32_t                    i;
    const codr_review_source_t *source;

    for (i = 0; i < request->sources; i++) {
        source = &request->source[i];
        if (source->offset > size || source->length > size - source->offset) {
            return false;
        }
        SHA256Update(hash, (const uint8_t *) &source->length,
                     sizeof(source->length));
        SHA256Update(hash, image + source->offset, source->length);
    }

    return true;
}


static bool
hash_all(codr_passed_key_t *ret, const codr_review_request_t *request,
    const uint8_t *image, size_t size)
{
    bool           whole;
    SHA2_CTX       hash;
    const uint32_t about[] = {
        request->language, request->level, request->nodes, request->sources,
    };

    SHA256Init(&hash);
    SHA256Update(&hash, (const uint8_t *) about, sizeof(about));
    whole = add_sources(&hash, request, image, size);
    SHA256Final(ret->bytes, &hash);
    return whole;
}


bool
codr_passed_key(codr_passed_key_t *ret, const codr_review_request_t *request,
    int memfd)
{
    bool     whole;
    void    *image;
    ssize_t  size;

    if (request->bytes > 0) {
        return hash_all(ret, request, request->data, request->bytes);
    }

    size = codr_io_sealed_size(memfd, CODR_PASSED_IMAGE);
    if (size <= 0) {
        return false;
    }

    image = mmap(NULL, (size_t) size, PROT_READ, MAP_PRIVATE, memfd, 0);
    if (image == MAP_FAILED) {
        return false;
    }

    whole = hash_all(ret, request, image, (size_t) size);
    (void) munmap(image, (size_t) size);
    return whole;
}


static size_t
place_of(const codr_passed_key_t *key)
{
    return (key->bytes[0] + 256u * key->bytes[1]) % CODR_PASSED_MOST;
}


bool
codr_passed_has(const codr_passed_t *passed, const codr_passed_key_t *key)
{
    size_t place = place_of(key);

    return passed->used[place]
           && memcmp(&passed->key[place], key, sizeof(*key)) == 0;
}


void
codr_passed_add(codr_passed_t *passed, const codr_passed_key_t *key)
{
    size_t place = place_of(key);

    passed->key[place] = *key;
    passed->used[place] = true;
}
