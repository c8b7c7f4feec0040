/*
 * Looks at the first lines of a source.  Runs in the broker, on anybody's
 * bytes.  Pure.  What it does not understand is the end of what it looks for:
 * a source that is taken for less than it is compiles a little slower.
 */

#define _GNU_SOURCE

#include "codr_includes.h"

#include <stdbool.h>
#include <string.h>

#include "codr_util.h"

#define INCLUDES_MAX    64

typedef struct {
    const char  *name;
    size_t       len;
} name_t;

typedef struct {
    const char  *pos;
    const char  *end;
} text_t;


static bool
skips(text_t *text, const char *what)
{
    size_t len = strlen(what);

    if ((size_t) (text->end - text->pos) < len
        || memcmp(text->pos, what, len) != 0)
    {
        return false;
    }

    text->pos += len;
    return true;
}


/* Up to and with the end; false when it does not come. */
static bool
skip_past(text_t *text, const char *end)
{
    const char *found = memmem(text->pos, (size_t) (text->end - text->pos),
                               end, strlen(end));

    if (found) {
        text->pos = found + strlen(end);
    }
    return found != NULL;
}


static void
skip_any(text_t *text, const char *bytes)
{
    while (text->pos < text->end && *text->pos != '\0'
           && strchr(bytes, *text->pos))
    {
        text->pos++;
    }
}


/* Blanks, lines and comments.  One that goes on behind a backslash is left
   to the compiler. */
static bool
skip_nothing(text_t *text)
{
    const char *from;

    for ( ;; ) {
        skip_any(text, " \t\r\n\f\v");
        from = text->pos;
        if (skips(text, "//")) {
            if (!skip_past(text, "\n")) {
                return false;
            }
        } else if (skips(text, "/*")) {
            if (!skip_past(text, "*/")) {
                return false;
            }
        } else {
            return true;
        }
        if (memchr(from, '\\', (size_t) (text->pos - from))) {
            return false;
        }
    }
}


/* "# include <name>" */
static bool
next_include(text_t *text, name_t *ret)
{
    const char *close;

    if (!skip_nothing(text) || !skips(text, "#")) {
        return false;
    }
    skip_any(text, " \t");
    if (!skips(text, "include")) {
        return false;
    }
    skip_any(text, " \t");
    if (!skips(text, "<")) {
        return false;
    }

    close = memchr(text->pos, '>', (size_t) (text->end - text->pos));
    if (close == NULL
        || memchr(text->pos, '\n', (size_t) (close - text->pos)))
    {
        return false;
    }

    *ret = (name_t) { text->pos, (size_t) (close - text->pos) };
    text->pos = close + 1;
    return true;
}


static bool
has(const name_t *names, size_t count, const char *name, size_t len)
{
    size_t i;

    for (i = 0; i < count; i++) {
        if (names[i].len == len && memcmp(names[i].name, name, len) == 0) {
            return true;
        }
    }

    return false;
}


static bool
has_all(const name_t *names, size_t count, const char *set)
{
    size_t len;

    for ( ; *set != '\0'; set += len + (set[len] == ' ')) {
        len = strcspn(set, " ");
        if (!has(names, count, set, len)) {
            return false;
        }
    }

    return true;
}


int
codr_includes_choose(const void *text, size_t len, const codr_list_t *sets)
{
    size_t i, count = 0;
    name_t names[INCLUDES_MAX];
    text_t rest = { text, (const char *) text + len };

    while (count < INCLUDES_MAX && next_include(&rest, &names[count])) {
        count++;
    }

    for (i = sets->count; i > 0; i--) {
        if (has_all(names, count, sets->item[i - 1])) {
            return (int) (i - 1);
        }
    }

    return -1;
}
