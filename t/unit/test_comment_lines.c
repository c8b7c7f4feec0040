/*
 * Long comments: which of their lines go, and where what is left was.
 */

#define _GNU_SOURCE

#include "tap.h"

#include <stdlib.h>
#include <string.h>

#include "../../validators/codr_comment_lines.h"

#define FOUR    "# 1\n# 2\n# 3\n# 4\n"


/* What is left of a text, with where its last byte was. */
static char *
drop(const char *source, size_t len, uint32_t *ret_last)
{
    char         *left;
    codr_text_t   text;
    codr_arena_t  arena;

    codr_arena_init(&arena, 1024 * 1024);
    if (!codr_text_prepare(&text, &arena, source, (uint32_t) len, false)
        || !codr_comment_lines_drop(&text, &arena, '#'))
    {
        abort();
    }

    left = strndup(text.text, text.length);
    *ret_last = codr_text_origin(&text, text.length - 1);
    codr_arena_free(&arena);
    return left;
}


static void
becomes(const char *source, const char *want, const char *name)
{
    char     *left;
    uint32_t  last;

    left = drop(source, strlen(source), &last);
    tap_text(left, want, name);
    tap_number(last, (long) strlen(source) - 1, "and its place is known");
    free(left);
}


static void
stays(const char *source, const char *name)
{
    becomes(source, source, name);
}


static void
lines_go(void)
{
    stays("x = 1\n" FOUR "y\n", "a short comment");
    becomes(FOUR "# 5\nx\n# y\n", FOUR "x\n# y\n", "the fifth line");
    becomes(FOUR "# 5\n\n \t# 6\r\nx\n# 7\n# 8\n",
            FOUR "\nx\n# 7\n# 8\n", "blank lines are between");
    becomes("\xef\xbb\xbf" FOUR "# 5\nx\n", FOUR "x\n", "byte order mark");
    becomes(FOUR "# 5\n    # {6}\nx\n# '''\n", FOUR "x\n# '''\n",
            "braces, where strings have none");
    becomes(FOUR "# it's \"\" \nx\n", FOUR "x\n", "quotes");
    stays(FOUR "# the last one", "without an end of line");
}


static void
what_may_be_code_stays(void)
{
    stays("'''\n" FOUR "# '''; eval(x)\n", "the end of a string");
    stays("\"\"\"\n" FOUR "#\"\"\"; eval(x)\n", "another one's");
    stays("x = '\\\n# 1\\\n# 2\\\n# 3\\\n# 4\\\n# 5\\\n# '; eval(x)\n",
          "lines that are joined");
    stays(FOUR "x = '\\\r\n# '; eval(x)\n", "joined with a carriage return");
    stays("f'''\n" FOUR "# {eval(x)}\n'''\n", "an expression");
    stays("Rf\"\"\"{\n" FOUR "# }\n\"\"\"\n", "the end of one");
    stays("fR'''\n" FOUR "# {eval(x)}\n'''\n", "its prefix turned round");
    stays(FOUR "# \reval(x)\n", "an end of line that looks like none");
}


int
main(void)
{
    char     *left;
    uint32_t  last;

    lines_go();
    what_may_be_code_stays();

    left = drop(FOUR "# \0\nx\n", sizeof(FOUR "# \0\nx\n") - 1, &last);
    tap_number(last, (long) sizeof(FOUR "# \0\nx\n") - 2, "a zero byte");
    tap_text(left, FOUR "# ", "stays");
    free(left);

    return tap_done();
}
