/*
 * The compile cache: what is found again, what leaves first, who waits for
 * whom; and what makes a key.
 */

#define _GNU_SOURCE

#include "tap.h"

#include <errno.h>
#include <unistd.h>

#include "../../sandbox/codr_cache.h"
#include "../../sandbox/codr_fingerprint.h"

static codr_cache_t cache;


static codr_cache_key_t
key_of(char c)
{
    codr_cache_key_t key;

    memset(key.bytes, c, sizeof(key.bytes));
    return key;
}


static codr_artefact_t
artefact_of(char c, size_t size)
{
    static char     bytes[64 * 1024];
    codr_artefact_t artefact = CODR_ARTEFACT_NONE;

    memset(bytes, c, size);
    tap_number(codr_artefact_begin(&artefact, size, sizeof(bytes)), 0,
               "begin");
    tap_number(codr_artefact_add(&artefact, bytes, size), 0, "and complete");
    return artefact;
}


static int
put(char c, size_t size, const char *words)
{
    int              result;
    codr_cache_key_t key = key_of(c);
    codr_artefact_t  artefact = artefact_of(c, size);

    result = codr_cache_put(&cache, &key, &artefact, words);
    codr_artefact_free(&artefact);
    return result;
}


static const codr_cached_t *
get(char c)
{
    codr_cache_key_t key = key_of(c);

    return codr_cache_find(&cache, &key);
}


static void
keeps(void)
{
    char            bytes[6];
    codr_artefact_t copy, half = CODR_ARTEFACT_NONE;
    codr_cache_key_t key = key_of('z');

    cache.size = 3 * (8192 + 1024);

    tap_number(put('a', 5000, "words"), 0, "one is kept");
    tap_text(get('a')->words, "words", "with its words");
    tap_number(codr_cache_copy(get('a'), &copy), 0, "a copy");
    tap_number((long) copy.size, 5000, "of its size");
    tap_ok(copy.sealed && pread(copy.memfd, bytes, 6, 4994) == 6
           && memcmp(bytes, "aaaaaa", 6) == 0, "and bytes, sealed");
    tap_ok(write(copy.memfd, "x", 1) == -1 && errno == EPERM,
           "which nobody can write");
    codr_artefact_free(&copy);

    (void) codr_artefact_begin(&half, 10, 10);
    tap_ok(codr_cache_put(&cache, &key, &half, NULL) < 0,
           "half an artefact is none");
    codr_artefact_free(&half);
    tap_ok(put('y', 60000, NULL) < 0 && get('y') == NULL,
           "one that is too large is not kept");
}


static void
leaves(void)
{
    (void) put('b', 5000, NULL);
    (void) put('c', 5000, NULL);
    tap_ok(get('a') != NULL && cache.count == 3, "three fit");
    (void) put('d', 5000, NULL);
    tap_ok(get('b') == NULL, "the one that was used longest ago left");
    tap_ok(get('a') && get('c') && get('d'), "and no other");
    (void) put('d', 5000, NULL);
    tap_number((long) cache.count, 3, "one twice is one");

    codr_cache_shrink(&cache, 0);
    tap_ok(cache.used == 0 && cache.count == 0 && get('a') == NULL,
           "nothing is left");
}


static bool
waits(char c)
{
    codr_cache_key_t key = key_of(c);

    return codr_cache_is_underway(&cache, &key);
}


static void
flies(void)
{
    codr_flight_t    one = { 0 }, two = { 0 }, three = { 0 };
    codr_cache_key_t e = key_of('e'), f = key_of('f');

    codr_cache_land(&cache, &one, true);
    tap_ok(!waits('e'), "nobody compiles");

    codr_cache_take_off(&cache, &one, &e);
    codr_cache_take_off(&cache, &two, &f);
    codr_cache_take_off(&cache, &three, &f);
    tap_ok(waits('e') && waits('f'), "somebody does");
    codr_cache_land(&cache, &two, false);
    tap_ok(waits('f'), "one of two is back");
    codr_cache_land(&cache, &three, true);
    codr_cache_land(&cache, &one, false);
    tap_ok(!waits('e') && !waits('f'), "all are");

    codr_cache_take_off(&cache, &one, &f);
    tap_ok(!waits('f'), "nobody waits for what has failed");
    codr_cache_land(&cache, &one, false);
    codr_cache_take_off(&cache, &one, &f);
    tap_ok(waits('f'), "until it has not");
    codr_cache_land(&cache, &one, false);
}


static bool
fingerprint(codr_cache_key_t *ret, const char *owner, uint64_t toolchain,
    const char *name, const char *text)
{
    bool                made;
    codr_list_t         none = { NULL, 0 };
    codr_limits_t       limits;
    codr_source_t       source = CODR_SOURCE_EMPTY;
    codr_language_t     language = { .source = (char *) (uintptr_t) "main.c",
                                     .env = none };
    codr_fingerprint_t  of = { owner, owner ? strlen(owner) : 0, toolchain,
                               &language, &source };

    memset(&limits, 0x7f, sizeof(limits));
    (void) codr_source_open(&source);
    (void) codr_source_file(&source, &language, &limits, name, strlen(name),
                            strlen(text));
    (void) codr_source_data(&source, text, strlen(text));
    (void) codr_source_seal(&source);
    made = codr_fingerprint(ret, &of);
    codr_source_free(&source);
    return made;
}


static void
fingerprints(void)
{
    size_t           i, k;
    codr_cache_key_t key[7], again;

    tap_ok(fingerprint(&key[0], "ann", 1, "main.c", "int x;")
           && fingerprint(&key[1], "bob", 1, "main.c", "int x;")
           && fingerprint(&key[2], NULL, 1, "main.c", "int x;")
           && fingerprint(&key[3], "", 1, "main.c", "int x;")
           && fingerprint(&key[4], "ann", 2, "main.c", "int x;")
           && fingerprint(&key[5], "ann", 1, "main2.c", "int x;")
           && fingerprint(&key[6], "ann", 1, "main.c", "int y;"), "keys");
    for (i = 0; i < 7; i++) {
        for (k = 0; k < i; k++) {
            tap_ok(memcmp(&key[i], &key[k], sizeof(key[0])) != 0,
                   "two keys differ");
        }
    }
    (void) fingerprint(&again, "ann", 1, "main.c", "int x;");
    tap_ok(memcmp(&key[0], &again, sizeof(again)) == 0, "and the same is one");

    tap_ok(!fingerprint(&again, "ann", 1, "main.c", "a __TIMESTAMP__ b"),
           "a time has no key");
    tap_ok(codr_fingerprint_is_volatile("env\n !", 6), "env !");
    tap_ok(codr_fingerprint_is_volatile("xenv!(", 6), "option_env!");
    tap_ok(!codr_fingerprint_is_volatile("env != 1", 8), "env != 1");
    tap_ok(!codr_fingerprint_is_volatile("env", 3), "env at the end");
    tap_ok(!codr_fingerprint_is_volatile("__DATE_", 7), "less than a word");
}


int
main(void)
{
    keeps();
    leaves();
    flies();
    fingerprints();
    return tap_done();
}
