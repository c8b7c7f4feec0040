/*
 * Which words may mean a path: never fewer than do, and hardly any others.
 */

#include "tap.h"

#include <stdlib.h>

#include "../../validators/codr_listing.h"
#include "../../validators/codr_name.h"

static const char *const words[] = {
    "eval", "os.system", "os.exec*", "os.*", "*.system", "*.os.fork*",
    "*.*.run", "exec*", "e*.x", "*", "*.*", "subprocess.*", "a.b.c.*",
    "*.a.*", "mmap.PROT_EXEC", "os.?", "open()", "*.open()",
};

static const char *const paths[] = {
    "eval", "evaluate", "os", "os.system", "x.system", "x.y.system",
    "os.execve", "os.exec", "x.os.forkpty", "a.b.run", "a.run", "execve",
    "ex.x", "e.x", "e.x.y", "subprocess", "subprocess.Popen",
    "subprocess.a.b", "a.b.c", "a.b.c.d", "a.b.c.d.e", "x.a.y", "x.a.y.z",
    "mmap.PROT_EXEC", "os.?", "?.system", "open()", "x.open()",
    "a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.run", "\xc3\xa4", ".", "a.", ".a",
};

#define COUNT(array)    (sizeof(array) / sizeof((array)[0]))


static codr_listed_t *
read_path(const char *text)
{
    size_t         len = strlen(text);
    codr_listed_t *path = malloc(sizeof(*path) + len + 1);

    if (path == NULL) {
        abort();
    }

    codr_listed_read(path, text, len);
    memcpy(path->text, text, len + 1);
    return path;
}


static uint64_t
find(const codr_listing_t *listing, const char *text)
{
    codr_listed_t *path = read_path(text);
    uint64_t       bits = codr_listing_find(listing, path);

    free(path);
    return bits;
}


static void
none_is_missed(void)
{
    size_t         p, w;
    unsigned       missed = 0, meant = 0;
    codr_listing_t listing = { .slots = 0 };

    for (w = 0; w < COUNT(words); w++) {
        tap_number(codr_listing_add(&listing, words[w], 1ULL << w), 0,
                   words[w]);
    }

    for (p = 0; p < COUNT(paths); p++) {
        for (w = 0; w < COUNT(words); w++) {
            if (codr_name_matches(paths[p], words[w])) {
                meant++;
                missed += (find(&listing, paths[p]) >> w & 1) == 0;
            }
        }
    }

    tap_ok(meant > 40, "words mean paths");
    tap_number(missed, 0, "and are found for all of them");
    codr_listing_free(&listing);
}


static void
few_are_found_in_vain(void)
{
    char           word[32];
    unsigned       i, vain = 0;
    codr_listing_t listing = { .slots = 0 };

    for (i = 0; i < 1000; i++) {
        (void) snprintf(word, sizeof(word), "word%u.part%u", i, i % 7);
        if (codr_listing_add(&listing, word, 1ULL << i % 64) < 0) {
            abort();
        }
    }
    tap_ok(find(&listing, "word17.part3") >> 17 & 1, "one of many words");

    for (i = 0; i < 1000; i++) {
        (void) snprintf(word, sizeof(word), "name%u.part%u", i, i % 7);
        vain += find(&listing, word) != 0;
    }
    tap_number(vain, 0, "names that are no words");
    codr_listing_free(&listing);
}


int
main(void)
{
    const codr_listing_t empty = { .slots = 0 };

    tap_number((long) find(&empty, "eval"), 0, "nothing is listed");
    none_is_missed();
    few_are_found_in_vain();
    return tap_done();
}
