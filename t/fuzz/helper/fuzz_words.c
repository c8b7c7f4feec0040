/*
 * What a compiler has said, of a source that may make it say anything, and
 * what that source begins with: the first byte is how much room there is for
 * the words.  What is shown is UTF-8 and fits, less room gives the beginning
 * of it, and what a source is taken to include stands in it.
 */

#define _GNU_SOURCE

#include "../../../sandbox/codr_includes.h"
#include "../../../sandbox/codr_words.h"
#include "../fuzz.h"
#include "utf8.h"

static char *const  set[] = {
    (char *) "stdio.h", (char *) "stdio.h stdlib.h", (char *) "vector", NULL
};


static char *
clean(const uint8_t *words, size_t len, size_t room)
{
    char   *text = malloc(room);
    size_t  n;

    must(text != NULL);
    n = codr_words_clean(text, room, (const char *) words, len);
    must(n < room && strlen(text) == n && is_utf8(text, n));
    return text;
}


static void
look_at_words(const uint8_t *words, size_t len, size_t room)
{
    char *all = clean(words, len, 3 * len + 1);
    char *some = clean(words, len, room);

    must(strncmp(all, some, strlen(some)) == 0);
    must(strlen(all) < room ? strlen(some) == strlen(all)
                            : strlen(some) + 4 >= room);
    must(!codr_words_tell_full(some) || strlen(some) > 20);

    /* without a path nothing is left out */
    if (memchr(words, '/', len) == NULL && memchr(words, 0, len) == NULL
        && is_utf8((const char *) words, len))
    {
        must(strlen(all) == len && memcmp(all, words, len) == 0);
    }

    free(some);
    free(all);
}


static void
look_at_source(const uint8_t *source, size_t len)
{
    codr_list_t sets = { .item = (char **) set, .count = 3 };
    int         chosen = codr_includes_choose(source, len, &sets);

    must(chosen >= -1 && chosen < 3);
    must(chosen != 2 || memmem(source, len, "<vector>", 8) != NULL);
    must(chosen != 1 || memmem(source, len, "<stdlib.h>", 10) != NULL);
    must(chosen != 0 || memmem(source, len, "<stdio.h>", 9) != NULL);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t   room = (size_t) fuzz_byte(&data, &size) + 1;
    uint8_t *bytes = fuzz_copy(data, size);

    look_at_words(bytes, size, room);
    look_at_source(bytes, size);
    free(bytes);

    return 0;
}
