/*
 * Compiler output: paths of the host do not show, source lines stay as they
 * are, and whatever the bytes are, the text is valid UTF-8.
 */

#include "tap.h"

#include "../../sandbox/codr_words.h"


static const char *
clean(const char *words)
{
    static char  text[256];

    (void) codr_words_clean(text, sizeof(text), words, strlen(words));
    return text;
}


static void
paths(void)
{
    char  text[32];

    tap_text(clean("/box/main.c:1:2: error"), "main.c:1:2: error", "the box");
    tap_text(clean("from /box/a/b.h:3:"), "from a/b.h:3:", "below the box");
    (void) codr_words_clean(text, sizeof(text), "in /box/secret", 8);
    tap_text(text, "in ", "the box at the end of what there is");
    tap_text(clean("/usr/include/c++/12/vector:1"), "vector:1", "a header");
    tap_text(clean("/usr/bin/ld: /tmp/ccX.o: in"), "ld: ccX.o: in",
             "tool and temporary file");
    tap_text(clean("a/b 1 / 2 // x"), "a/b 1 / 2 // x", "no paths");
    tap_text(clean("  3 | f(\"/etc/passwd\");\n    | /x/y\n/x/y"),
             "  3 | f(\"/etc/passwd\");\n    | /x/y\ny", "quoted source");
}


static void
bytes(void)
{
    char    text[8];
    size_t  len;

    tap_text(clean("\xc3\xa9 \xe2\x82\xac"), "\xc3\xa9 \xe2\x82\xac", "valid");
    tap_text(clean("a\xff\x62"), "a\xef\xbf\xbd\x62", "a stray byte");
    tap_text(clean("\xc0\xaf"), "\xef\xbf\xbd\xef\xbf\xbd", "overlong");
    tap_text(clean("\xed\xa0\x80"),
             "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd", "a surrogate");
    tap_text(clean("\xe2\x82"), "\xef\xbf\xbd\xef\xbf\xbd", "cut off");

    len = codr_words_clean(text, sizeof(text), "a\0b", 3);
    tap_ok(len == 5 && memcmp(text, "a\xef\xbf\xbd\x62", 6) == 0, "NUL");

    len = codr_words_clean(text, sizeof(text), "123456\xc3\xa9", 8);
    tap_number(len, 6, "no half character at the end");
    len = codr_words_clean(text, 1, "abc", 3);
    tap_ok(len == 0 && text[0] == '\0', "no room at all");
}


static void
full(void)
{
    tap_ok(codr_words_tell_full("gcc: internal compiler error: File size limit"
                                " exceeded signal terminated program as\n"),
           "gcc met SIGXFSZ");
    tap_ok(codr_words_tell_full("main.c: In function 'f':\n/usr/bin/ld: final"
                                " link failed: No space left on device"),
           "ld met ENOSPC");
    tap_ok(!codr_words_tell_full("main.c:1:2: error: #error No space left on"
                                 " device\n    1 | #error No space left on"
                                 " device\n"),
           "the source says so");
    tap_ok(!codr_words_tell_full("main.c:1: File size limit exceeded"),
           "the same without a column");
    tap_ok(!codr_words_tell_full(""), "nothing is said");
}


int
main(void)
{
    full();
    paths();
    bytes();

    return tap_done();
}
