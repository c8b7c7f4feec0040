/*
 * A second opinion on what UTF-8 is: by decoding, where codr goes by ranges.
 */

#ifndef UTF8_H
#define UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>


static inline bool
is_utf8(const char *text, size_t len)
{
    size_t         n;
    uint32_t       code;
    const uint8_t *p = (const uint8_t *) text, *end = p + len;

    for ( ; p < end; p += n) {
        n = p[0] < 0x80 ? 1 : p[0] < 0xc0 ? 0 : p[0] < 0xe0 ? 2
            : p[0] < 0xf0 ? 3 : p[0] < 0xf8 ? 4 : 0;
        if (n == 0 || (size_t) (end - p) < n) {
            return false;
        }

        code = n == 1 ? p[0] : p[0] & (0xffU >> (n + 1));
        for (size_t i = 1; i < n; i++) {
            if ((p[i] & 0xc0) != 0x80) {
                return false;
            }
            code = code << 6 | (p[i] & 0x3f);
        }

        if ((n == 2 && code < 0x80) || (n == 3 && code < 0x800)
            || (n == 4 && code < 0x10000) || code > 0x10ffff
            || (code >= 0xd800 && code < 0xe000))
        {
            return false;
        }
    }

    return true;
}

#endif /* UTF8_H */
