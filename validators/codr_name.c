/*
 * Folds names to one spelling, so that a rule needs to name one.  Takes hostile
 * bytes.  Runs in the validator's children.
 */

#define _GNU_SOURCE

#include "codr_name.h"

#include <string.h>

#include "codr_util.h"

/*
 * Letters that normalisation (NFKC) turns into ASCII ones, as Python does to
 * identifiers.  A run of the alphabet begins at first; both is A-Z then a-z.
 */
static const struct {
    uint32_t  first;
    uint32_t  last;
    char      letter;
    bool      both;
} folds[] = {
    { 0xff21, 0xff3a, 'A', false },     /* full width */
    { 0xff41, 0xff5a, 'a', false },
    { 0xff10, 0xff19, '0', false },
    { 0xff3f, 0xff3f, '_', false },
    { 0xfe33, 0xfe34, '_', false },     /* vertical low lines */
    { 0xfe4d, 0xfe4f, '_', false },     /* dashed, centreline, wavy */
    { 0x24b6, 0x24cf, 'A', false },     /* circled */
    { 0x24d0, 0x24e9, 'a', false },
    { 0x1d7ce, 0x1d7d7, '0', false },   /* mathematical digits */
    { 0x1d7d8, 0x1d7e1, '0', false },
    { 0x1d7e2, 0x1d7eb, '0', false },
    { 0x1d7ec, 0x1d7f5, '0', false },
    { 0x1d7f6, 0x1d7ff, '0', false },
    { 0x1d400, 0x1d6a3, 'A', true },    /* mathematical alphabets */
};

/* Single characters: superscripts, subscripts, letter-like symbols. */
static const struct {
    uint32_t  from;
    char      to;
} singles[] = {
    { 0xaa, 'a' },   { 0xba, 'o' },   { 0x17f, 's' },  { 0x2b0, 'h' },
    { 0x2b2, 'j' },  { 0x2b3, 'r' },  { 0x2b7, 'w' },  { 0x2b8, 'y' },
    { 0x2e1, 'l' },  { 0x2e2, 's' },  { 0x2e3, 'x' },  { 0x1d2c, 'A' },
    { 0x1d2e, 'B' }, { 0x1d30, 'D' }, { 0x1d31, 'E' }, { 0x1d33, 'G' },
    { 0x1d34, 'H' }, { 0x1d35, 'I' }, { 0x1d36, 'J' }, { 0x1d37, 'K' },
    { 0x1d38, 'L' }, { 0x1d39, 'M' }, { 0x1d3a, 'N' }, { 0x1d3c, 'O' },
    { 0x1d3e, 'P' }, { 0x1d3f, 'R' }, { 0x1d40, 'T' }, { 0x1d41, 'U' },
    { 0x1d42, 'W' }, { 0x1d43, 'a' }, { 0x1d47, 'b' }, { 0x1d48, 'd' },
    { 0x1d49, 'e' }, { 0x1d4d, 'g' }, { 0x1d4f, 'k' }, { 0x1d50, 'm' },
    { 0x1d52, 'o' }, { 0x1d56, 'p' }, { 0x1d57, 't' }, { 0x1d58, 'u' },
    { 0x1d5b, 'v' }, { 0x1d62, 'i' }, { 0x1d63, 'r' }, { 0x1d64, 'u' },
    { 0x1d65, 'v' }, { 0x1d9c, 'c' }, { 0x1da0, 'f' }, { 0x1dbb, 'z' },
    { 0x2071, 'i' }, { 0x207f, 'n' }, { 0x2090, 'a' }, { 0x2091, 'e' },
    { 0x2092, 'o' }, { 0x2093, 'x' }, { 0x2095, 'h' }, { 0x2096, 'k' },
    { 0x2097, 'l' }, { 0x2098, 'm' }, { 0x2099, 'n' }, { 0x209a, 'p' },
    { 0x209b, 's' }, { 0x209c, 't' }, { 0x2102, 'C' }, { 0x210a, 'g' },
    { 0x210b, 'H' }, { 0x210c, 'H' }, { 0x210d, 'H' }, { 0x210e, 'h' },
    { 0x2110, 'I' }, { 0x2111, 'I' }, { 0x2112, 'L' }, { 0x2113, 'l' },
    { 0x2115, 'N' }, { 0x2119, 'P' }, { 0x211a, 'Q' }, { 0x211b, 'R' },
    { 0x211c, 'R' }, { 0x211d, 'R' }, { 0x2124, 'Z' }, { 0x2128, 'Z' },
    { 0x212a, 'K' }, { 0x212c, 'B' }, { 0x212d, 'C' }, { 0x212f, 'e' },
    { 0x2130, 'E' }, { 0x2131, 'F' }, { 0x2133, 'M' }, { 0x2134, 'o' },
    { 0x2139, 'i' }, { 0x2145, 'D' }, { 0x2146, 'd' }, { 0x2147, 'e' },
    { 0x2148, 'i' }, { 0x2149, 'j' }, { 0x2160, 'I' }, { 0x2164, 'V' },
    { 0x2169, 'X' }, { 0x216c, 'L' }, { 0x216d, 'C' }, { 0x216e, 'D' },
    { 0x216f, 'M' }, { 0x2170, 'i' }, { 0x2174, 'v' }, { 0x2179, 'x' },
    { 0x217c, 'l' }, { 0x217d, 'c' }, { 0x217e, 'd' }, { 0x217f, 'm' },
    { 0x2c7c, 'j' }, { 0x2c7d, 'V' },
};


static uint32_t
fold(uint32_t character)
{
    size_t   i;
    uint32_t at;

    if (character < 0x80) {
        return character;
    }

    for (i = 0; i < CODR_ARRAY_LEN(folds); i++) {
        if (character >= folds[i].first && character <= folds[i].last) {
            at = character - folds[i].first;
            if (folds[i].both) {
                at %= 52;
                return (uint32_t) (at < 26 ? 'A' + at : 'a' + at - 26);
            }
            return (uint32_t) folds[i].letter + at;
        }
    }

    for (i = 0; i < CODR_ARRAY_LEN(singles); i++) {
        if (singles[i].from == character) {
            return (uint32_t) singles[i].to;
        }
    }

    return character;
}


size_t
codr_name_put(char *text, size_t len, size_t size, uint32_t character)
{
    size_t  i, n;
    uint8_t byte[4];

    if (character < 0x80) {
        byte[0] = (uint8_t) character;
        n = 1;
    } else if (character < 0x800) {
        byte[0] = (uint8_t) (0xc0 | character >> 6);
        byte[1] = (uint8_t) (0x80 | (character & 0x3f));
        n = 2;
    } else if (character < 0x10000) {
        byte[0] = (uint8_t) (0xe0 | character >> 12);
        byte[1] = (uint8_t) (0x80 | (character >> 6 & 0x3f));
        byte[2] = (uint8_t) (0x80 | (character & 0x3f));
        n = 3;
    } else {
        byte[0] = (uint8_t) (0xf0 | (character >> 18 & 0x7));
        byte[1] = (uint8_t) (0x80 | (character >> 12 & 0x3f));
        byte[2] = (uint8_t) (0x80 | (character >> 6 & 0x3f));
        byte[3] = (uint8_t) (0x80 | (character & 0x3f));
        n = 4;
    }

    if (n > size - len) {
        return len;
    }

    for (i = 0; i < n; i++) {
        text[len + i] = (char) byte[i];
    }

    return len + n;
}


/* The character at *at, which moves on; a bad byte stands for itself. */
static uint32_t
next_character(const char *text, size_t len, size_t *at)
{
    size_t   i, n;
    uint8_t  first = (uint8_t) text[(*at)++];
    uint32_t character;

    if (first < 0xc2 || first > 0xf4) {
        return first;
    }

    n = first < 0xe0 ? 1 : first < 0xf0 ? 2 : 3;
    character = first & (0x3fU >> n);
    if (n > len - *at) {
        return first;
    }

    for (i = 0; i < n; i++) {
        if (((uint8_t) text[*at + i] & 0xc0) != 0x80) {
            return first;
        }
        character = character << 6 | ((uint8_t) text[*at + i] & 0x3f);
    }

    *at += n;
    return character;
}


static int
digit(char c, int base)
{
    int value;

    if (c >= '0' && c <= '9') {
        value = c - '0';
    } else if (c >= 'a' && c <= 'f') {
        value = c - 'a' + 10;
    } else if (c >= 'A' && c <= 'F') {
        value = c - 'A' + 10;
    } else {
        return -1;
    }

    return value < base ? value : -1;
}


/* Up to max digits at *at; false when there is none. */
static bool
number(const char *text, size_t len, size_t *at, int base, int max,
    uint32_t *ret)
{
    int value, n = 0;

    *ret = 0;
    while (n < max && *at < len && (value = digit(text[*at], base)) >= 0) {
        *ret = *ret * (uint32_t) base + (uint32_t) value;
        (*at)++;
        n++;
    }

    return n > 0;
}


/* What follows "\u": four digits, or any in braces. */
static bool
unicode(const char *text, size_t len, size_t *at, uint32_t *ret)
{
    size_t pos = *at;
    bool   found;

    if (pos < len && text[pos] == '{') {
        pos++;
        found = number(text, len, &pos, 16, 6, ret) && pos < len
                && text[pos++] == '}';
    } else {
        found = number(text, len, &pos, 16, 4, ret);
    }

    if (found) {
        *at = pos;
    }
    return found;
}


static bool
is_plain(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
           || (c >= '0' && c <= '9') || c == '_';
}


/* How much of it is what nearly all of every name is, and stays as it is. */
static size_t
count_plain(const char *text, size_t len)
{
    size_t n = 0;

    while (n < len && is_plain(text[n])) {
        n++;
    }

    /* Rust's raw identifiers */
    return n > 0 && n < len && text[n] == '#' && text[n - 1] == 'r' ? n - 1
                                                                    : n;
}


static size_t
fold_all(char ret[CODR_NAME_SIZE], const char *text, size_t len,
    uint32_t *ret_steps)
{
    size_t   at = 0, next, to = 0, before, plain;
    int      angle = 0;
    uint32_t character;

    while (at < len) {
        plain = angle > 0 ? 0 : count_plain(text + at, len - at);
        if (plain > CODR_NAME_SIZE - 1 - to) {
            return 0;
        }
        memcpy(ret + to, text + at, plain);
        to += plain;
        at += plain;
        if (at == len) {
            break;
        }
        (*ret_steps)++;

        if (len - at > 2 && text[at] == 'r' && text[at + 1] == '#'
            && (to == 0 || ret[to - 1] == '.'))
        {
            at += 2;                            /* Rust's raw identifiers */
            continue;
        }
        if (len - at > 1 && ((text[at] == ':' && text[at + 1] == ':')
                             || (text[at] == '-' && text[at + 1] == '>')))
        {
            at += 2;
            character = '.';
        } else if (len - at > 2 && text[at] == '\\' && text[at + 1] == 'u') {
            next = at + 2;
            if (!unicode(text, len, &next, &character)) {
                return 0;
            }
            at = next;
        } else {
            character = next_character(text, len, &at);
        }

        if (character == '<' || character == '>') {
            angle += character == '<' ? 1 : -1;
            continue;
        }
        if (angle > 0 || character == ' ' || character == '\t'
            || character == '\n' || character == '\r' || character == 0xad)
        {
            continue;
        }
        /* a generic's "::<...>" has left a dot */
        if (character == '.' && to > 0 && ret[to - 1] == '.') {
            continue;
        }

        before = to;
        to = codr_name_put(ret, to, CODR_NAME_SIZE - 1, fold(character));
        if (to == before) {
            return 0;
        }
    }

    while (to > 0 && ret[to - 1] == '.') {
        to--;
    }
    ret[to] = '\0';
    return to;
}


size_t
codr_name_fold(char ret[CODR_NAME_SIZE], const char *text, size_t len,
    codr_budget_t *budget)
{
    size_t   n;
    uint32_t steps = 0;

    n = fold_all(ret, text, len, &steps);
    (void) codr_budget_spend(budget, (uint64_t) steps * CODR_BUDGET_LETTER);
    return n;
}


bool
codr_name_join(char *ret, size_t size, const char *first,
    const char *between, const char *last)
{
    size_t      i, len, left = size - 1;
    const char *text[] = { first, between, last };

    for (i = 0; i < CODR_ARRAY_LEN(text); i++) {
        len = strnlen(text[i], left + 1);
        memcpy(ret, text[i], len > left ? left : len);
        if (len > left) {
            ret[left] = '\0';
            return false;
        }
        ret += len;
        left -= len;
    }

    *ret = '\0';
    return true;
}


/* A character behind a backslash; false: there is none (a joined line). */
static bool
escape(const char *text, size_t len, size_t *at, uint32_t *ret)
{
    char c = text[(*at)++];

    static const char simple[] = "nrtbfvae0";
    static const char meant[] = "\n\r\t\b\f\v\a\033";
    const char       *found;

    switch (c) {

    case '\r':
        *at += *at < len && text[*at] == '\n';
        return false;

    case '\n':
        return false;

    case 'x':
        return number(text, len, at, 16, 2, ret) || (*ret = 'x') != 0;

    case 'u':
        return unicode(text, len, at, ret) || (*ret = 'u') != 0;

    case 'U':
        return number(text, len, at, 16, 8, ret) || (*ret = 'U') != 0;

    default:
        break;
    }

    if (c >= '0' && c <= '7') {
        (*at)--;
        return number(text, len, at, 8, 3, ret);
    }

    found = strchr(simple, c);
    *ret = found && *found != '0' ? (uint32_t) (uint8_t) meant[found - simple]
                                  : (uint8_t) c;
    return true;
}


long
codr_name_unescape(char *ret, size_t size, const char *text, size_t len)
{
    size_t   at = 0, to = 0, before;
    uint32_t character;

    while (at < len) {
        if (text[at] == '\\' && len - at > 1) {
            at++;
            if (!escape(text, len, &at, &character)) {
                continue;
            }
        } else {
            character = next_character(text, len, &at);
        }

        before = to;
        to = codr_name_put(ret, to, size, character & 0x1fffff);
        if (to == before) {
            return -1;
        }
    }

    return (long) to;
}


/* Within one part: '*' is any run of characters. */
static bool
part_matches(const char *part, const char *part_end, const char *pattern,
    const char *pattern_end)
{
    const char *star = NULL, *again = NULL;

    while (part < part_end) {
        if (pattern < pattern_end && *pattern == '*') {
            star = pattern++;
            again = part;
        } else if (pattern < pattern_end && *pattern == *part) {
            pattern++;
            part++;
        } else if (star) {
            pattern = star + 1;
            part = ++again;
        } else {
            return false;
        }
    }

    while (pattern < pattern_end && *pattern == '*') {
        pattern++;
    }

    return pattern == pattern_end;
}


bool
codr_name_matches(const char *path, const char *pattern)
{
    const char *path_end, *pattern_end;

    for ( ;; ) {
        path_end = strchrnul(path, '.');
        pattern_end = strchrnul(pattern, '.');

        if (strcmp(pattern, "*") == 0) {
            return *path != '\0';
        }
        if (!part_matches(path, path_end, pattern, pattern_end)) {
            return false;
        }
        if (*path_end == '\0' || *pattern_end == '\0') {
            return *path_end == *pattern_end;
        }

        path = path_end + 1;
        pattern = pattern_end + 1;
    }
}
