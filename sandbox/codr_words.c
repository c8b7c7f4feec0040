/*
 * Cleans what compilers say.  Runs in the broker, on bytes a hostile source
 * may have chosen.  Pure.
 */

#include "codr_words.h"

#include <stdint.h>
#include <string.h>

#define BOX     "/box/"


typedef struct {
    const char  *pos;
    const char  *end;
    char        *out;
    char        *limit;
    bool         quoted;        /* inside a line that shows source code */
} cleaner_t;


static bool
put(cleaner_t *cleaner, const char *bytes, size_t len)
{
    if ((size_t) (cleaner->limit - cleaner->out) < len) {
        return false;
    }

    memcpy(cleaner->out, bytes, len);
    cleaner->out += len;
    return true;
}


/* The length of the UTF-8 character at p, 0 when there is none. */
static size_t
character(const uint8_t *p, size_t left)
{
    size_t  i, len;
    uint8_t min = 0x80, max = 0xbf;

    if (p[0] < 0x80) {
        return p[0] != 0;
    }
    if (p[0] < 0xc2 || p[0] > 0xf4) {
        return 0;
    }

    len = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
    if (left < len) {
        return 0;
    }

    /* no overlong forms, no surrogates, nothing beyond U+10FFFF */
    if (p[0] == 0xe0) {
        min = 0xa0;
    } else if (p[0] == 0xed) {
        max = 0x9f;
    } else if (p[0] == 0xf0) {
        min = 0x90;
    } else if (p[0] == 0xf4) {
        max = 0x8f;
    }

    for (i = 1; i < len; i++) {
        if (p[i] < min || p[i] > max) {
            return 0;
        }
        min = 0x80;
        max = 0xbf;
    }

    return len;
}


/* "   12 | code" and "      | ^~~": the user's own text, left as it is. */
static bool
shows_source(const char *line, const char *end)
{
    while (line < end && *line == ' ') {
        line++;
    }
    while (line < end && *line >= '0' && *line <= '9') {
        line++;
    }
    while (line < end && *line == ' ') {
        line++;
    }

    return line < end && *line == '|';
}


static bool
path_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
           || (c >= '0' && c <= '9') || (c != '\0' && strchr("/._+-@", c));
}


/* Skips an absolute path up to the part that is shown. */
static void
skip_path(cleaner_t *cleaner)
{
    const char *p, *shown = cleaner->pos + 1;

    if ((size_t) (cleaner->end - cleaner->pos) >= strlen(BOX)
        && memcmp(cleaner->pos, BOX, strlen(BOX)) == 0)
    {
        cleaner->pos += strlen(BOX);
        return;
    }

    for (p = cleaner->pos; p < cleaner->end && path_byte(*p); p++) {
        if (*p == '/' && p + 1 < cleaner->end && path_byte(p[1])) {
            shown = p + 1;
        }
    }

    /* a lone slash, a comment's, a division */
    cleaner->pos = shown - cleaner->pos > 1 ? shown : cleaner->pos;
}


static bool
begins_path(const cleaner_t *cleaner, const char *start)
{
    const char *p = cleaner->pos;

    return *p == '/' && !cleaner->quoted
           && (p == start || (!path_byte(p[-1]) && p[-1] != '*'));
}


size_t
codr_words_clean(char *text, size_t size, const char *words, size_t len)
{
    size_t    n;
    bool      fits = true;
    cleaner_t cleaner = { words, words + len, text, text + size - 1, false };

    while (fits && cleaner.pos < cleaner.end) {
        if (cleaner.pos == words || cleaner.pos[-1] == '\n') {
            cleaner.quoted = shows_source(cleaner.pos, cleaner.end);
        }
        if (begins_path(&cleaner, words)) {
            skip_path(&cleaner);
            if (cleaner.pos == cleaner.end) {
                break;                  /* it was the box, and nothing more */
            }
        }

        n = character((const uint8_t *) cleaner.pos,
                      (size_t) (cleaner.end - cleaner.pos));
        if (n == 0) {
            fits = put(&cleaner, "\xef\xbf\xbd", 3);
            cleaner.pos++;
        } else {
            fits = put(&cleaner, cleaner.pos, n);
            cleaner.pos += n;
        }
    }

    *cleaner.out = '\0';
    return (size_t) (cleaner.out - text);
}


/* "main.c:3:5: error" and "main.c:3: error". */
static bool
names_place(const char *line, const char *end)
{
    const char *colon = memchr(line, ':', (size_t) (end - line));

    return colon && colon + 1 < end && colon[1] >= '0' && colon[1] <= '9';
}


static bool
contains(const char *line, const char *end, const char *phrase)
{
    const char *found = strstr(line, phrase);

    return found && found < end;
}


bool
codr_words_tell_full(const char *text)
{
    const char *line, *end;

    for (line = text; *line; line = end + (*end == '\n')) {
        end = line + strcspn(line, "\n");
        if (!shows_source(line, end) && !names_place(line, end)
            && (contains(line, end, "File size limit exceeded")
                || contains(line, end, "No space left on device")))
        {
            return true;
        }
    }

    return false;
}
