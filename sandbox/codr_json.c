/*
 * Prints a text as JSON.  The text may be anything: the name of a file is.
 */

#include "codr_json.h"

#include <stddef.h>
#include <stdint.h>


/* The length of the character that begins here, or 0: it is none. */
static size_t
character_length(const uint8_t *p)
{
    size_t   i, len;
    uint32_t code;

    if (p[0] < 0x80) {
        return 1;
    }
    if (p[0] < 0xc2 || p[0] > 0xf4) {
        return 0;
    }

    len = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
    code = p[0] & (0x7fU >> len);
    for (i = 1; i < len; i++) {
        if ((p[i] & 0xc0) != 0x80) {
            return 0;                   /* the NUL at the end, too */
        }
        code = code << 6 | (p[i] & 0x3f);
    }

    return (len == 3 && (code < 0x800 || (code >= 0xd800 && code < 0xe000)))
           || (len == 4 && (code < 0x10000 || code > 0x10ffff)) ? 0 : len;
}


void
codr_json_put(FILE *file, const char *text)
{
    size_t         len;
    const uint8_t *p = (const uint8_t *) text;

    (void) fputc('"', file);

    for ( /* void */ ; *p != '\0'; p += len ? len : 1) {
        len = character_length(p);
        if (len == 0) {
            (void) fputs("\xef\xbf\xbd", file);
        } else if (*p == '"' || *p == '\\') {
            (void) fprintf(file, "\\%c", *p);
        } else if (*p < 0x20) {
            (void) fprintf(file, "\\u%04x", *p);
        } else {
            (void) fwrite(p, 1, len, file);
        }
    }

    (void) fputc('"', file);
}
