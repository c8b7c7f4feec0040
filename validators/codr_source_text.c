/*
 * What a compiler does before it looks at a token: drops a byte order mark,
 * joins spliced lines.  A parser that did not would see other tokens than the
 * compiler does.  Runs in the validator's children.
 */

#include "codr_source_text.h"

#include <string.h>


/* The length of a splice at pos: backslash, blanks, end of line (gcc takes
   the blanks, too); 0 when there is none. */
static uint32_t
splice_length(const char *pos, const char *end)
{
    const char *p = pos + 1;

    if (*pos != '\\') {
        return 0;
    }

    while (p < end && (*p == ' ' || *p == '\t')) {
        p++;
    }
    if (p < end && *p == '\r') {
        p++;
    }

    return p < end && *p == '\n' ? (uint32_t) (p + 1 - pos) : 0;
}


static uint32_t
count_splices(const char *source, const char *end)
{
    uint32_t    n = 0;
    const char *p = source;

    while (p < end && (p = memchr(p, '\\', (size_t) (end - p))) != NULL) {
        n += splice_length(p, end) > 0;
        p++;
    }

    return n;
}


/* Copies what is between the splices. */
static void
join(codr_text_t *text, char *copy, const char *source, const char *end)
{
    char       *to = copy;
    uint32_t    len, removed = text->cuts ? text->cut[0].removed : 0;
    const char *from = source;

    while (from < end) {
        len = splice_length(from, end);
        if (len == 0) {
            *to++ = *from++;
            continue;
        }
        from += len;
        removed += len;
        text->cut[text->cuts++] = (codr_cut_t) { (uint32_t) (to - copy),
                                                 removed };
    }

    text->text = copy;
    text->length = (uint32_t) (to - copy);
}


bool
codr_text_prepare(codr_text_t *ret, codr_arena_t *arena, const void *source,
    uint32_t length, bool splice)
{
    char       *copy;
    uint32_t    n, mark = 0;
    const char *start = source, *end = start + length;

    if (length >= 3 && memcmp(start, "\xef\xbb\xbf", 3) == 0) {
        mark = 3;
        start += 3;
    }

    n = splice ? count_splices(start, end) : 0;
    *ret = (codr_text_t) { .text = start, .length = length - mark };

    if (mark + n == 0) {
        return true;
    }

    ret->cut = codr_arena_alloc(arena, (n + 1) * sizeof(codr_cut_t));
    if (ret->cut == NULL) {
        return false;
    }
    ret->cut[ret->cuts++] = (codr_cut_t) { 0, mark };

    if (n > 0) {
        copy = codr_arena_alloc(arena, ret->length);
        if (copy == NULL) {
            return false;
        }
        join(ret, copy, start, end);
    }

    return true;
}


uint32_t
codr_text_origin(const codr_text_t *text, uint32_t at)
{
    uint32_t low = 0, high = text->cuts, middle;

    while (low < high) {
        middle = low + (high - low) / 2;
        if (text->cut[middle].at <= at) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }

    return low == 0 ? at : at + text->cut[low - 1].removed;
}
