
/*
 * Bytes of programs as JSON text: UTF-8 is repaired and JSON's special
 * characters are escaped in one pass, as this is done to every byte of every
 * program's output.  Pure: it must never look beyond what it was given, and
 * never write more than NGX_HTTP_CODR_TEXT_ESCAPED().  Runs in workers.
 */

#include "ngx_http_codr_text.h"

#include <stdint.h>
#include <string.h>


typedef enum {
    text_good = 0,                             /* a whole character */
    text_bad,                                  /* can never become one */
    text_cut                                   /* more bytes may make one */
} text_kind_t;


#define TEXT_ONES  UINT64_C(0x0101010101010101)
#define TEXT_HIGH  UINT64_C(0x8080808080808080)


static size_t text_plain(const unsigned char *p, const unsigned char *end);
static size_t text_char(const unsigned char *p, const unsigned char *end,
    text_kind_t *kind);
static unsigned char *text_special(unsigned char *dst, unsigned char c);
static const unsigned char *text_quote(const unsigned char *p,
    const unsigned char *end);


size_t
ngx_http_codr_text_escape(unsigned char *dst, const unsigned char *src,
    size_t len, int last, size_t *ret_used)
{
    size_t                n;
    text_kind_t           kind;
    unsigned char        *d;
    const unsigned char  *p, *end;

    d = dst;
    p = src;
    end = src + len;

    while (p < end) {

        n = text_plain(p, end);
        memcpy(d, p, n);
        d += n;
        p += n;

        if (p == end) {
            break;
        }

        if (*p < 0x80) {
            d = text_special(d, *p++);
            continue;
        }

        n = text_char(p, end, &kind);

        if (kind == text_good) {
            memcpy(d, p, n);
            d += n;

        } else if (kind == text_cut && !last) {
            break;

        } else {
            memcpy(d, "\xef\xbf\xbd", 3);
            d += 3;
        }

        p += n;
    }

    *ret_used = (size_t) (p - src);

    return (size_t) (d - dst);
}


/* How many of the bytes stand for themselves in a JSON string. */

static size_t
text_plain(const unsigned char *p, const unsigned char *end)
{
    uint64_t              x, quote, slash;
    const unsigned char  *start;

    start = p;

    /*
     * Eight at a time: a byte that is beyond ASCII, below a space, a quote or
     * a backslash sets its high bit in one of the four terms.  A borrow may
     * set that of an innocent neighbour, which only ends the fast part.
     */

    while (end - p >= 8) {
        memcpy(&x, p, 8);
        quote = x ^ (TEXT_ONES * '"');
        slash = x ^ (TEXT_ONES * '\\');

        if ((x | (x - TEXT_ONES * 0x20) | (quote - TEXT_ONES)
             | (slash - TEXT_ONES)) & TEXT_HIGH)
        {
            break;
        }

        p += 8;
    }

    while (p < end && *p >= 0x20 && *p < 0x80 && *p != '"' && *p != '\\') {
        p++;
    }

    return (size_t) (p - start);
}


/*
 * Classifies what begins at p with a byte of 0x80 or more, and returns its
 * length: of the character, or of the part that is replaced as one.
 */

static size_t
text_char(const unsigned char *p, const unsigned char *end, text_kind_t *kind)
{
    size_t         i, n;
    unsigned char  low, high;

    low = 0x80;
    high = 0xbf;

    if (*p >= 0xc2 && *p <= 0xdf) {
        n = 2;

    } else if (*p >= 0xe0 && *p <= 0xef) {
        n = 3;
        low = (*p == 0xe0) ? 0xa0 : 0x80;      /* no overlong forms */
        high = (*p == 0xed) ? 0x9f : 0xbf;     /* no surrogates */

    } else if (*p >= 0xf0 && *p <= 0xf4) {
        n = 4;
        low = (*p == 0xf0) ? 0x90 : 0x80;
        high = (*p == 0xf4) ? 0x8f : 0xbf;     /* nothing above U+10FFFF */

    } else {
        *kind = text_bad;
        return 1;
    }

    for (i = 1; i < n; i++) {

        if (p + i == end) {
            *kind = text_cut;
            return i;
        }

        if (p[i] < low || p[i] > high) {
            *kind = text_bad;
            return i;
        }

        low = 0x80;
        high = 0xbf;
    }

    *kind = text_good;

    return n;
}


int
ngx_http_codr_text_valid(const unsigned char *p, size_t len)
{
    uint64_t              x;
    text_kind_t           kind;
    const unsigned char  *end;

    end = p + len;

    while (p < end) {

        if (end - p >= 8) {
            memcpy(&x, p, 8);

            if ((x & TEXT_HIGH) == 0) {
                p += 8;
                continue;
            }
        }

        if (*p < 0x80) {
            p++;
            continue;
        }

        p += text_char(p, end, &kind);

        if (kind != text_good) {
            return -1;
        }
    }

    return 0;
}


static unsigned char *
text_special(unsigned char *dst, unsigned char c)
{
    static const char  hex[] = "0123456789abcdef";

    *dst++ = '\\';

    switch (c) {
    case '\n':
        *dst++ = 'n';
        break;
    case '\r':
        *dst++ = 'r';
        break;
    case '\t':
        *dst++ = 't';
        break;
    case '"':
    case '\\':
        *dst++ = c;
        break;
    default:
        *dst++ = 'u';
        *dst++ = '0';
        *dst++ = '0';
        *dst++ = (unsigned char) hex[c >> 4];
        *dst++ = (unsigned char) hex[c & 0xf];
    }

    return dst;
}


int
ngx_http_codr_text_bounded(const unsigned char *p, size_t len, size_t depth,
    size_t values)
{
    int                   string;
    size_t                open, count;
    const unsigned char  *end;

    string = 0;
    open = 0;
    count = 1;

    for (end = p + len; p < end; p++) {

        if (string) {
            if (*p == '"') {
                string = 0;

            } else if (*p == '\\' && p + 1 < end) {
                p++;
            }

            continue;
        }

        switch (*p) {

        case '"':
            string = 1;
            break;

        case '[':
        case '{':
            open++;
            count++;
            break;

        case ']':
        case '}':
            open -= (open > 0);
            break;

        case ',':
        case ':':
            count++;
            break;
        }

        if (open > depth || count > values) {
            return -1;
        }
    }

    return 0;
}


/* Whether a string with escapes is "type": only \u00XX stands for a letter. */

static int
text_is_type(const unsigned char *p, const unsigned char *end)
{
    int            n;
    unsigned int   c;
    const char    *name;

    for (name = "type"; *name; name++) {

        if (p == end) {
            return 0;
        }

        c = *p++;

        if (c == '\\') {
            if (end - p < 5 || memcmp(p, "u00", 3) != 0) {
                return 0;
            }

            for (c = 0, n = 3; n < 5; n++) {
                c = 16 * c + (unsigned int) (p[n] <= '9' ? p[n] - '0'
                                                         : (p[n] | 32) - 'a'
                                                           + 10);
            }

            p += 5;
        }

        if (c != (unsigned char) *name) {
            return 0;
        }
    }

    return p == end;
}


int
ngx_http_codr_text_type(const unsigned char *p, size_t len,
    const unsigned char **ret, size_t *ret_len)
{
    int                   key, value, other, result;
    size_t                depth;
    const unsigned char  *end, *start;

    key = 0;                                   /* "type" has just been read */
    value = 0;                                 /* and a colon behind it */
    other = 0;                                 /* or that, spelled with
                                                  escapes */
    depth = 0;
    result = -1;

    for (end = p + len; p < end; p++) {

        if (depth == 0 && *p != '{') {

            if (*p != ' ' && *p != '\t' && *p != '\n' && *p != '\r') {
                return -1;
            }

            continue;
        }

        switch (*p) {

        case '"':
            start = p + 1;
            p = text_quote(start, end);

            if (p == NULL) {
                return -1;
            }

            if (depth > 1) {
                break;
            }

            if (value) {
                *ret = start;
                *ret_len = (size_t) (p - start);
                result = 0;
            }

            key = (p - start == 4 && memcmp(start, "type", 4) == 0);
            other = !key && text_is_type(start, p);
            value = 0;
            break;

        case ':':
            value = (depth == 1 && key);

            if (depth == 1 && other) {
                result = -1;
            }

            break;

        case '[':
        case '{':
            key = 0;
            other = 0;
            value = 0;
            depth++;
            break;

        case ']':
        case '}':
            depth--;
            break;

        case ',':
            key = 0;
            other = 0;
            value = 0;
            break;
        }
    }

    return (depth == 0) ? result : -1;
}


/* The quote that ends the string whose inside begins at p, or NULL. */

static const unsigned char *
text_quote(const unsigned char *p, const unsigned char *end)
{
    while (p < end && *p != '"') {
        p += (*p == '\\') ? 2 : 1;
    }

    return (p < end) ? p : NULL;
}


size_t
ngx_http_codr_text_compact(unsigned char *dst, const unsigned char *p,
    size_t len)
{
    unsigned char        *d;
    const unsigned char  *end, *start;

    d = dst;
    end = p + len;

    while (p < end) {
        start = p;

        if (*p == '"') {
            p = text_quote(p + 1, end);
            p = p ? p + 1 : end;

        } else if (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r') {
            start = ++p;

        } else {
            p++;
        }

        memcpy(d, start, (size_t) (p - start));
        d += p - start;
    }

    return (size_t) (d - dst);
}
