/*
 * Positions and texts of findings.  Pure.  Used by the broker, which alone
 * has messages and source together, and by --lint.
 *
 * Lines end with LF, CR LF or CR, as editors have it.  A byte order mark is no
 * column, a byte that is no UTF-8 is a character.
 */

#include "codr_diagnostic.h"

#include <stdbool.h>
#include <string.h>

#define BEFORE      80          /* bytes of a long line before the range */
#define NAME_BYTES  60          /* bytes of the text a message repeats */


/* Bytes of the character at pos: more than one only if it is whole. */
static size_t
character(const char *pos, const char *end)
{
    size_t  i, n;
    uint8_t first = (uint8_t) *pos;

    n = first >= 0xf0 && first <= 0xf4 ? 4 : first >= 0xe0 && first < 0xf0 ? 3
        : first >= 0xc2 && first < 0xe0 ? 2 : 1;
    if (n > (size_t) (end - pos)) {
        return 1;
    }

    for (i = 1; i < n; i++) {
        if (((uint8_t) pos[i] & 0xc0) != 0x80) {
            return 1;
        }
    }

    /* overlong, a surrogate, beyond the last: JSON could not carry them */
    if ((first == 0xe0 && (uint8_t) pos[1] < 0xa0)
        || (first == 0xed && (uint8_t) pos[1] > 0x9f)
        || (first == 0xf0 && (uint8_t) pos[1] < 0x90)
        || (first == 0xf4 && (uint8_t) pos[1] > 0x8f))
    {
        return 1;
    }

    return n;
}


/* The length of an end of line at pos, or 0. */
static size_t
line_end(const char *pos, const char *end)
{
    if (*pos == '\n') {
        return 1;
    }
    if (*pos == '\r') {
        return end - pos > 1 && pos[1] == '\n' ? 2 : 1;
    }

    return 0;
}


static const char *
skip_mark(const codr_range_t *range)
{
    return range->length >= 3
           && memcmp(range->source, "\xef\xbb\xbf", 3) == 0
           ? range->source + 3 : range->source;
}


codr_position_t
codr_diagnostic_position(const codr_range_t *range)
{
    size_t       n;
    uint32_t     line = 1, column = 1;
    const char  *pos = skip_mark(range);
    const char  *end = range->source + range->length;
    const char  *first = range->source + range->start;
    const char  *last = range->source + range->end;
    codr_position_t place = { 1, 1, 1, 1 };

    for ( ;; ) {
        if (pos <= first) {
            place.line = line;
            place.column = column;
        }
        if (pos <= last) {
            place.end_line = line;
            place.end_column = column;
        }
        if (pos >= last || pos >= end) {
            return place;
        }

        n = line_end(pos, end);
        if (n > 0) {
            line++;
            column = 1;
        } else {
            n = character(pos, end);
            column++;
        }
        pos += n;
    }
}


/* A copy that is UTF-8 and one line: what is not becomes U+FFFD, a blank. */
static size_t
copy(char *ret, size_t size, const char *from, const char *end)
{
    size_t  n, len = 0;
    bool    bad;
    uint8_t byte;

    for ( /* void */ ; from < end; from += n) {
        n = character(from, end);
        byte = (uint8_t) *from;
        bad = n == 1 && byte >= 0x80;
        if (len + (bad ? 3 : n) >= size) {
            break;
        }
        if (bad) {
            memcpy(ret + len, "\xef\xbf\xbd", 3);
            len += 3;
        } else if (byte < 0x20 || byte == 0x7f) {
            ret[len++] = byte == '\t' ? '\t' : ' ';
        } else {
            memcpy(ret + len, from, n);
            len += n;
        }
    }

    ret[len] = '\0';
    return len;
}


void
codr_diagnostic_snippet(char ret[CODR_DIAGNOSTIC_SNIPPET],
    const codr_range_t *range)
{
    const char *first = range->source + range->start;
    const char *from = first, *to = first;
    const char *end = range->source + range->length;
    const char *start = skip_mark(range);

    while (from > start && from[-1] != '\n' && from[-1] != '\r') {
        from--;
    }
    while (to < end && *to != '\n' && *to != '\r') {
        to++;
    }

    while (from < first && (*from == ' ' || *from == '\t')) {
        from++;
    }
    while (to > first && (to[-1] == ' ' || to[-1] == '\t')) {
        to--;
    }

    if (to - from >= CODR_DIAGNOSTIC_SNIPPET && first - from > BEFORE) {
        from = first - BEFORE;
        while (from < first && ((uint8_t) *from & 0xc0) == 0x80) {
            from++;
        }
    }

    (void) copy(ret, CODR_DIAGNOSTIC_SNIPPET, from, to);
}


void
codr_diagnostic_message(char ret[CODR_DIAGNOSTIC_MESSAGE],
    const char *message, const codr_range_t *range)
{
    size_t      len, n;
    const char *hole = strstr(message, "%s");
    const char *first = range->source + range->start;
    const char *last = range->source + range->end;
    const char *end;

    if (hole == NULL) {
        (void) copy(ret, CODR_DIAGNOSTIC_MESSAGE, message,
                    message + strlen(message));
        return;
    }

    len = copy(ret, CODR_DIAGNOSTIC_MESSAGE, message, hole);

    for (end = first; end < last && *end != '\n' && *end != '\r'; end++) {
        if (end - first == NAME_BYTES) {
            break;
        }
    }
    n = CODR_DIAGNOSTIC_MESSAGE - len;
    len += copy(ret + len, n, first, end);

    n = CODR_DIAGNOSTIC_MESSAGE - len;
    (void) copy(ret + len, n, hole + 2, hole + strlen(hole));
}
