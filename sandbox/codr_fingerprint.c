/*
 * Computes keys of the compile cache.  Runs in the broker; the sources are
 * anybody's, and nothing of them is more than bytes here.
 */

#define _GNU_SOURCE

#include "codr_fingerprint.h"

#include <ctype.h>
#include <sha2.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/types.h>

#include "codr_io.h"
#include "codr_util.h"

#define FORMAT          "codr artefact 1"   /* of what is hashed */
#define SOURCE_MAX      (256 * 1024)

/* Words that stand for something no key has: the time, and what a compiler
   reads besides its sources.  Who spells them otherwise gets an old answer to
   an equal question of his own. */
static const char *const volatile_words[] = {
    "__DATE__", "__TIME__", "__TIMESTAMP__",
    "incbin", "include_bytes", "include_str",
    "/proc/", "/dev/", "/sys/",
};

/* Rust: env!() and option_env!(), with blanks or without. */
static const char variable[] = "env";


static bool
has_macro(const char *text, size_t len)
{
    const char *end = text + len, *found;

    while ((found = memmem(text, (size_t) (end - text), variable,
                           sizeof(variable) - 1)) != NULL)
    {
        text = found + sizeof(variable) - 1;
        while (text < end && isspace((unsigned char) *text)) {
            text++;
        }
        if (text < end && *text == '!'
            && (text + 1 == end || text[1] != '='))
        {
            return true;
        }
    }

    return false;
}


bool
codr_fingerprint_is_volatile(const void *bytes, size_t len)
{
    size_t i;

    for (i = 0; i < CODR_ARRAY_LEN(volatile_words); i++) {
        if (memmem(bytes, len, volatile_words[i],
                   strlen(volatile_words[i])))
        {
            return true;
        }
    }

    return has_macro(bytes, len);
}


/* With their lengths, so that no two lists of strings look alike. */
static void
add(SHA2_CTX *hash, const void *bytes, size_t len)
{
    uint64_t size = len;

    SHA256Update(hash, (const uint8_t *) &size, sizeof(size));
    SHA256Update(hash, bytes, len);
}


static void
add_list(SHA2_CTX *hash, const codr_list_t *list)
{
    size_t i;

    add(hash, &list->count, sizeof(list->count));
    for (i = 0; i < list->count; i++) {
        add(hash, list->item[i], strlen(list->item[i]));
    }
}


static void
add_language(SHA2_CTX *hash, const codr_language_t *language)
{
    add_list(hash, &language->compile);
    add_list(hash, &language->sources);
    add_list(hash, &language->env);
    add(hash, language->source, strlen(language->source));
    add(hash, language->version_text, strlen(language->version_text));
}


/* Names, contents and their order. */
static bool
add_source(SHA2_CTX *hash, const codr_source_t *source)
{
    bool    usable;
    void   *map;
    ssize_t size = codr_io_sealed_size(source->memfd, SOURCE_MAX);

    if (size <= 0) {
        return false;
    }

    map = mmap(NULL, (size_t) size, PROT_READ, MAP_PRIVATE, source->memfd, 0);
    if (map == MAP_FAILED) {
        return false;
    }

    usable = !codr_fingerprint_is_volatile(map, (size_t) size);
    if (usable) {
        add(hash, map, (size_t) size);
    }

    (void) munmap(map, (size_t) size);
    return usable;
}


bool
codr_fingerprint(codr_cache_key_t *ret, const codr_fingerprint_t *of)
{
    SHA2_CTX hash;

    _Static_assert(sizeof(ret->bytes) == SHA256_DIGEST_LENGTH, "SHA-256");

    SHA256Init(&hash);
    add(&hash, FORMAT, sizeof(FORMAT));
    add(&hash, of->owner ? "owner" : "", of->owner ? 5 : 0);
    add(&hash, of->owner ? of->owner : "", of->owner ? of->owner_len : 0);
    add(&hash, &of->toolchain, sizeof(of->toolchain));
    add_language(&hash, of->language);

    if (!add_source(&hash, of->source)) {
        return false;
    }

    SHA256Final(ret->bytes, &hash);
    return true;
}


void
codr_fingerprint_headers(codr_cache_key_t *ret, uint64_t toolchain,
    const codr_language_t *language, const char *names)
{
    SHA2_CTX hash;

    SHA256Init(&hash);
    add(&hash, "codr headers 1", sizeof("codr headers 1"));
    add(&hash, &toolchain, sizeof(toolchain));
    add_language(&hash, language);
    add(&hash, names, strlen(names));
    SHA256Final(ret->bytes, &hash);
}
