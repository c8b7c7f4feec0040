/*
 * Names in one spelling, paths and patterns, constants of string literals.
 */

#include "tap.h"

#include "../../validators/codr_name.h"


static codr_budget_t budget = { .most = UINT64_MAX, .look = UINT64_MAX };


static const char *
fold(const char *text)
{
    static char name[CODR_NAME_SIZE];

    if (codr_name_fold(name, text, strlen(text), &budget) == 0) {
        return "(none)";
    }
    return name;
}


static void
names(void)
{
    tap_text(fold("eval"), "eval", "a name is itself");
    tap_text(fold("\\u0065val"), "eval", "an escape");
    tap_text(fold("\\u{65}v\\u{0061}l"), "eval", "escapes in braces");
    tap_text(fold("\\u{65"), "(none)", "half an escape");
    tap_text(fold("\xef\xbd\x85\xef\xbd\x96\xef\xbd\x81\xef\xbd\x8c"), "eval",
             "full width letters");
    tap_text(fold("\xf0\x9d\x93\xae\xf0\x9d\x94\xb3\xf0\x9d\x96\x86l"), "eval",
             "mathematical letters");
    tap_text(fold("r#type"), "type", "a raw identifier");
    tap_text(fold("std::process::Command"), "std.process.Command",
             "colons are dots");
    tap_text(fold("a :: b\n -> c"), "a.b.c", "blanks are nothing");
    tap_text(fold("Vec::<u8>::new"), "Vec.new", "generic arguments");
    tap_text(fold("\xff\xfe"), "\xc3\xbf\xc3\xbe", "bytes that are no UTF-8");
    tap_text(fold(""), "(none)", "nothing");
}


static void
lengths(void)
{
    char text[2 * CODR_NAME_SIZE], name[CODR_NAME_SIZE];

    memset(text, 'a', sizeof(text));
    tap_number(codr_name_fold(name, text, CODR_NAME_SIZE - 1, &budget),
               CODR_NAME_SIZE - 1, "a name that just fits");
    tap_number(codr_name_fold(name, text, CODR_NAME_SIZE, &budget), 0,
               "one that does not");

    budget.work = 0;
    memset(text + 1, ' ', sizeof(text) - 2);
    tap_number(codr_name_fold(name, text, sizeof(text), &budget), 2,
               "one with blanks");
    tap_number((long) budget.work,
               (long) (sizeof(text) - 2) * CODR_BUDGET_LETTER,
               "which count as work");
}


static const char *
unescape(const char *text)
{
    long        n;
    static char value[32];

    n = codr_name_unescape(value, sizeof(value) - 1, text, strlen(text));
    if (n < 0) {
        return "(none)";
    }

    value[n] = '\0';
    return value;
}


static void
literals(void)
{
    tap_text(unescape("eval"), "eval", "no escapes");
    tap_text(unescape("\\x65\\166\\u0061\\u{6c}"), "eval", "of all kinds");
    tap_text(unescape("e\\\nva\\\r\nl"), "eval", "joined lines");
    tap_text(unescape("\\n\\t\\\\\\\""), "\n\t\\\"", "characters");
    tap_text(unescape("\\xg"), "xg", "no digit");
    tap_text(unescape("0123456789012345678901234567890123"), "(none)",
             "too long");
}


static void
patterns(void)
{
    tap_ok(codr_name_matches("os.system", "os.system"), "the same");
    tap_ok(!codr_name_matches("os.systems", "os.system"), "a longer part");
    tap_ok(!codr_name_matches("os", "os.system"), "a shorter path");
    tap_ok(!codr_name_matches("os.system.x", "os.system"), "a longer path");
    tap_ok(codr_name_matches("os.execvp", "os.exec*"), "a run");
    tap_ok(!codr_name_matches("os.execvp.x", "os.exec*"), "of one part");
    tap_ok(codr_name_matches("a.b.c", "a.*"), "further parts");
    tap_ok(!codr_name_matches("a", "a.*"), "one at least");
    tap_ok(codr_name_matches("a.b.c", "*.b.c"), "one part");
    tap_ok(codr_name_matches("aXbYc", "a*b*c"), "two runs");
    tap_ok(!codr_name_matches("aXbY", "a*b*c"), "that end otherwise");
    tap_ok(codr_name_matches("?.__class__", "?.__class__"),
           "a question mark is one");
}


static void
joins(void)
{
    char text[8];

    tap_ok(codr_name_join(text, sizeof(text), "os", ".", "fork"),
           "three texts that just fit");
    tap_text(text, "os.fork", "are one");
    tap_ok(!codr_name_join(text, sizeof(text), "os", ".", "system"),
           "others do not");
    tap_text(text, "os.syst", "and are cut");
    tap_ok(codr_name_join(text, sizeof(text), "", "", ""), "nothing fits");
    tap_text(text, "", "and is empty");
}


int
main(void)
{
    names();
    lengths();
    joins();
    literals();
    patterns();
    return tap_done();
}
