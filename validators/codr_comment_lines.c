/*
 * Drops most lines of long comments, before the source is parsed: a scanner
 * that wants to know how far the next statement is indented reads the rest of
 * the comment at each of its lines, which takes seconds for a few thousand.
 * Runs in the validator's children.
 *
 * What looks like such a line may be in a string, and then somebody may want
 * us to overlook what is behind its end, or in its expressions: a line that
 * could end a string of several lines, or belong to the line before it, stays,
 * and where strings have expressions, one that could be a part of these.
 */

#include "codr_comment_lines.h"

#include <string.h>

#define KEPT    4               /* lines of a comment */

typedef struct {
    const char  *pos;
    const char  *end;
    char         mark;
    bool         fields;        /* some string may have expressions */
    uint32_t     run;           /* lines of this comment so far */
    bool         joined;        /* to the line before it */
} lines_t;


static bool
is_prefix(char c)
{
    return c == 'f' || c == 'F' || c == 't' || c == 'T';
}


/* Whether a string of several lines has expressions: f""", rf""", and so on.
   Where such a string really begins nobody needs to know. */
static bool
has_fields(const codr_text_t *text)
{
    uint32_t    i;
    const char *p = text->text;

    for (i = 1; i + 2 < text->length; i++) {
        if ((p[i] == '"' || p[i] == '\'') && p[i + 1] == p[i]
            && p[i + 2] == p[i]
            && (is_prefix(p[i - 1]) || (i > 1 && is_prefix(p[i - 2]))))
        {
            return true;
        }
    }

    return false;
}


/* It ends no string of several lines, and is no part of an expression in one;
   the ends of lines are what they look like. */
static bool
is_plain(const char *p, const char *end, bool fields)
{
    unsigned quotes = 0;
    char     last = '\0';

    for ( /* void */ ; p < end; p++) {
        switch (*p) {

        case '{':
        case '}':
            if (fields) {
                return false;
            }
            break;

        case '\0':
            return false;

        case '\r':
            if (p + 1 < end) {
                return false;
            }
            break;

        case '"':
        case '\'':
            quotes = *p == last ? quotes + 1 : 1;
            if (quotes == 3) {
                return false;
            }
            break;
        }
        last = *p;
    }

    return true;
}


static bool
ends_in_backslash(const char *start, const char *end)
{
    if (end > start && end[-1] == '\r') {
        end--;
    }

    return end > start && end[-1] == '\\';
}


/* Moves on by a line; true when that one goes. */
static bool
next_goes(lines_t *lines)
{
    bool        goes = false;
    const char *p, *start = lines->pos;
    const char *end = memchr(start, '\n', (size_t) (lines->end - start));

    if (end == NULL) {
        lines->pos = lines->end;        /* the last one stays */
        return false;
    }
    lines->pos = end + 1;

    for (p = start; p < end && (*p == ' ' || *p == '\t' || *p == '\r'); p++) {
        /* void */
    }
    if (p < end && *p == lines->mark) {
        goes = ++lines->run > KEPT && !lines->joined
               && is_plain(start, end, lines->fields);
    } else if (p < end) {
        lines->run = 0;
    }

    lines->joined = ends_in_backslash(start, end);
    return goes;
}


static uint32_t
count(lines_t lines)
{
    uint32_t n = 0;

    while (lines.pos < lines.end) {
        n += next_goes(&lines);
    }

    return n;
}


bool
codr_comment_lines_drop(codr_text_t *text, codr_arena_t *arena, char mark)
{
    char       *copy, *to;
    bool        gone = false;
    lines_t     lines = {
        .pos = text->text, .end = text->text + text->length, .mark = mark,
        .fields = has_fields(text),
    };
    uint32_t    n = count(lines), removed = 0;
    codr_cut_t *cut;
    const char *start;

    if (n == 0) {
        return true;
    }

    copy = to = codr_arena_alloc(arena, text->length);
    cut = codr_arena_alloc(arena, (text->cuts + n) * sizeof(*cut));
    if (copy == NULL || cut == NULL) {
        return false;
    }
    if (text->cuts > 0) {               /* a byte order mark's */
        memcpy(cut, text->cut, text->cuts * sizeof(*cut));
        removed = cut[text->cuts - 1].removed;
    }
    text->cut = cut;

    while (lines.pos < lines.end) {
        start = lines.pos;
        if (next_goes(&lines)) {
            removed += (uint32_t) (lines.pos - start);
            text->cuts += !gone;
            cut[text->cuts - 1] = (codr_cut_t) { (uint32_t) (to - copy),
                                                 removed };
            gone = true;
            continue;
        }
        gone = false;
        memcpy(to, start, (size_t) (lines.pos - start));
        to += lines.pos - start;
    }

    text->text = copy;
    text->length = (uint32_t) (to - copy);
    return true;
}
