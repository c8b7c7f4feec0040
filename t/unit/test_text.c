/*
 * Output as JSON text: every byte string becomes valid UTF-8, characters that
 * are whole stay as they are wherever they are cut, and JSON's own characters
 * are escaped.  The file is included: it belongs to nginx's modules, but needs
 * nothing of nginx.
 */

#include "tap.h"

#include "../../module/ngx_http_codr_text.c"

#include <stdlib.h>

#define FFFD  "\xef\xbf\xbd"


/* Escapes a copy of exactly its size into room of exactly the promised size,
   so that a sanitizer sees a byte beyond either. */
static char *
escape(const char *bytes, size_t len, int last, size_t *ret_used)
{
    size_t          n;
    char           *text;
    unsigned char  *src, *dst;

    src = malloc(len ? len : 1);
    dst = malloc(NGX_HTTP_CODR_TEXT_ESCAPED(len) + (len == 0));
    text = malloc(NGX_HTTP_CODR_TEXT_ESCAPED(len) + 1);
    if (src == NULL || dst == NULL || text == NULL) {
        abort();
    }

    memcpy(src, bytes, len);
    n = ngx_http_codr_text_escape(dst, src, len, last, ret_used);
    memcpy(text, dst, n);
    text[n] = '\0';
    free(src);
    free(dst);
    return text;
}


static void
becomes(const char *bytes, size_t len, const char *want, const char *name)
{
    char    *text;
    size_t   used;

    text = escape(bytes, len, 1, &used);
    tap_text(text, want, name);
    tap_ok(used == len, "all of it was used");
    free(text);
}


#define BECOMES(bytes, want, name)                                            \
    becomes(bytes, sizeof(bytes) - 1, want, name)


static void
json_characters_are_escaped(void)
{
    int   c;
    char  byte, want[8];

    BECOMES("", "", "nothing");
    BECOMES("plain text of more than eight bytes",
            "plain text of more than eight bytes", "plain text");
    BECOMES("a\"b\\c", "a\\\"b\\\\c", "quote and backslash");
    BECOMES("\r\n\t", "\\r\\n\\t", "line ends and tab");
    BECOMES("a\0b", "a\\u0000b", "a zero byte");
    BECOMES("\x1b[31m", "\\u001b[31m", "escape");
    BECOMES("\x7f", "\x7f", "delete stands for itself");

    for (c = 0; c < 0x20; c++) {
        byte = (char) c;
        (void) snprintf(want, sizeof(want), "\\u%04x", (unsigned) c);
        if (c != '\n' && c != '\r' && c != '\t') {
            becomes(&byte, 1, want, "a control character");
        }
    }
}


/* A special character at each place of a long text, so that it meets each
   byte of the eight that are looked at together, and their neighbours. */
static void
special_characters_are_found_everywhere(void)
{
    char         text[41], *got;
    size_t       at, used, i;
    bool         good = true;
    const char  *special = "\"\\\n\x01\x1f";

    for (; *special; special++) {
        for (at = 0; at < 40; at++) {
            for (i = 0; i < 40; i++) {
                text[i] = (char) (i % 2 ? '!' : ' ');
            }
            text[at] = *special;
            got = escape(text, 40, 1, &used);
            good = good && strlen(got) > 40 && memcmp(got, text, at) == 0
                   && got[at] == '\\' && used == 40;
            free(got);
        }
    }

    tap_ok(good, "a special character is found at every place");
}


static void
ill_formed_sequences_are_replaced(void)
{
    BECOMES("\x80", FFFD, "a continuation alone");
    BECOMES("\xbf\x80", FFFD FFFD, "two continuations");
    BECOMES("\xc0\xaf", FFFD FFFD, "overlong in two bytes");
    BECOMES("\xc1\xbf", FFFD FFFD, "overlong in two bytes, last");
    BECOMES("\xe0\x80\xaf", FFFD FFFD FFFD, "overlong in three bytes");
    BECOMES("\xe0\x9f\xbf", FFFD FFFD FFFD, "overlong in three, last");
    BECOMES("\xf0\x80\x80\xaf", FFFD FFFD FFFD FFFD, "overlong in four");
    BECOMES("\xf0\x8f\xbf\xbf", FFFD FFFD FFFD FFFD, "overlong in four, last");
    BECOMES("\xed\xa0\x80", FFFD FFFD FFFD, "the first surrogate");
    BECOMES("\xed\xbf\xbf", FFFD FFFD FFFD, "the last surrogate");
    BECOMES("\xf4\x90\x80\x80", FFFD FFFD FFFD FFFD, "above U+10FFFF");
    BECOMES("\xf5\x80\x80\x80", FFFD FFFD FFFD FFFD, "no such first byte");
    BECOMES("\xfe\xff", FFFD FFFD, "bytes that are never used");
    BECOMES("\xc3(", FFFD "(", "two bytes, the second is another's");
    BECOMES("\xe2\x82(", FFFD "(", "three bytes, the third is another's");
    BECOMES("\xf0\x9f\x98(", FFFD "(", "four bytes, the fourth is another's");
    BECOMES("\xf0\x9f\xc3\xa9", FFFD "\xc3\xa9", "the next one is whole");
    BECOMES("\xe2\x82", FFFD, "cut off at the end");
    BECOMES("a\xf0\x9f\x98", "a" FFFD, "cut off at the end, of four");
}


static void
well_formed_limits_are_kept(void)
{
    static const char *const  kept[] = {
        "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80",
        "\xef\xbf\xbf", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf", FFFD,
    };

    size_t  i;

    for (i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
        becomes(kept[i], strlen(kept[i]), kept[i], "first or last of a length");
    }
}


/* Whatever the two parts, they give together what the whole gives. */
static void
splits_make_no_difference(void)
{
    static const char  text[] =
        "h\xc3\xa9llo \xe2\x82\xac \xf0\x9f\x98\x80 "
        "\"\xe4\xb8\xad\xe6\x96\x87\" \xff \xe2\x82 "
        "\xf0\x9f\x98 \xed\xa0\x80\n\xce\xb1\xce\xb2\xce\xb3 end";

    char    joined[sizeof(text) * 12], rest[sizeof(text)];
    char   *whole, *first, *second;
    size_t  at, used, len = sizeof(text) - 1;
    bool    good = true;

    whole = escape(text, len, 1, &used);

    for (at = 0; at <= len; at++) {
        first = escape(text, at, 0, &used);
        good = good && used <= at && at - used <= 3;
        memcpy(rest, text + used, len - used);
        second = escape(rest, len - used, 1, &used);
        (void) snprintf(joined, sizeof(joined), "%s%s", first, second);
        good = good && strcmp(joined, whole) == 0;
        free(first);
        free(second);
    }

    tap_ok(good, "a text may be cut anywhere");
    free(whole);
}


static void
byte_by_byte_is_the_same(void)
{
    unsigned char  in[4], out[NGX_HTTP_CODR_TEXT_ESCAPED(4)];
    char           text[64];
    char          *whole;
    size_t         i, n, len, used, done;
    unsigned       seed = 1;
    int            round;
    bool           good = true;
    char           bytes[8];

    for (round = 0; round < 20000; round++) {
        for (i = 0; i < sizeof(bytes); i++) {
            seed = seed * 1103515245u + 12345u;
            bytes[i] = (char) (0x80 | (seed >> 16));
        }

        whole = escape(bytes, sizeof(bytes), 1, &used);
        len = 0;
        done = 0;

        for (i = 0; i < sizeof(bytes); i++) {
            in[len++] = (unsigned char) bytes[i];
            n = ngx_http_codr_text_escape(out, in, len,
                                          i + 1 == sizeof(bytes), &used);
            memcpy(text + done, out, n);
            done += n;
            len -= used;
            memmove(in, in + used, len);
            good = good && len <= 3;
        }

        text[done] = '\0';
        good = good && len == 0 && strcmp(text, whole) == 0;
        free(whole);
    }

    tap_ok(good, "bytes that come one by one give the same text");
}


static int
bounded(const char *text, size_t depth, size_t values)
{
    return ngx_http_codr_text_bounded((const unsigned char *) text,
                                      strlen(text), depth, values);
}


static void
json_is_bounded(void)
{
    tap_number(bounded("", 0, 1), 0, "nothing");
    tap_number(bounded("[[]]", 2, 9), 0, "as deep as may be");
    tap_number(bounded("[[[]]]", 2, 9), -1, "too deep");
    tap_number(bounded("[][][]", 1, 9), 0, "beside is not inside");
    tap_number(bounded("]]][", 1, 9), 0, "more closed than opened");
    tap_number(bounded("{\"a\":[1,2]}", 2, 5), 0, "as many values as may be");
    tap_number(bounded("{\"a\":[1,2]}", 2, 4), -1, "too many values");
    tap_number(bounded("\"[[[,,,\"", 0, 1), 0, "not in strings");
    tap_number(bounded("\"\\\"[[[,,,\"", 0, 1), 0, "nor after \\\"");
    tap_number(bounded("\"\\\\\"[", 0, 9), -1, "a string ends after \\\\");
    tap_number(bounded("\"\\", 0, 1), 0, "cut off in an escape");
}


int
main(void)
{
    json_characters_are_escaped();
    special_characters_are_found_everywhere();
    ill_formed_sequences_are_replaced();
    well_formed_limits_are_kept();
    splits_make_no_difference();
    byte_by_byte_is_the_same();
    json_is_bounded();

    return tap_done();
}
