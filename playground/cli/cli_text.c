/* Bytes of standard input as the UTF-8 that messages are made of. */

#include <stdint.h>
#include <string.h>

#include "cli_text.h"


/*
 * The length of the character at the start of the text; 0: it is none;
 * -1: it may become one with more bytes.
 */
static int
character(const unsigned char *at, size_t len)
{
    unsigned char c = at[0], low = 0x80, high = 0xbf;
    int           size;

    if (c < 0x80) {
        return 1;
    }
    if (c < 0xc2 || c > 0xf4) {
        return 0;
    }
    size = c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;

    /* No overlong forms, no surrogates, nothing above U+10FFFF. */
    low = c == 0xe0 ? 0xa0 : c == 0xf0 ? 0x90 : low;
    high = c == 0xed ? 0x9f : c == 0xf4 ? 0x8f : high;
    for (int i = 1; i < size; i++) {
        if ((size_t) i >= len) {
            return -1;
        }
        if (at[i] < low || at[i] > high) {
            return 0;
        }
        low = 0x80;
        high = 0xbf;
    }
    return size;
}


size_t
cli_text_whole(const char *text, size_t len)
{
    for (size_t back = 1; back <= 3 && back <= len; back++) {
        const unsigned char *at =
            (const unsigned char *) text + len - back;

        if (*at >= 0xc0) {
            return character(at, back) == -1 ? len - back : len;
        }
    }
    return len;
}


size_t
cli_text_clean(const char *text, size_t len, char *out)
{
    size_t used = 0;

    for (size_t i = 0; i < len; ) {
        int size = character((const unsigned char *) text + i, len - i);

        if (size > 0) {
            memcpy(out + used, text + i, (size_t) size);
            used += (size_t) size;
            i += (size_t) size;
        } else {
            memcpy(out + used, "\xef\xbf\xbd", 3);
            used += 3;
            i++;
        }
    }
    return used;
}
