/*
 * Languages: what $source, $sources and $program stand for, which files are
 * code, and the environment.
 */

#include "tap.h"

#include "../../sandbox/codr_language.h"

#define SIZE    4096


static void
fill(codr_list_t *list, const char *const *words)
{
    for ( ; *words; words++) {
        (void) codr_list_add(list, *words, strlen(*words));
    }
}


/* The fields of a description as one line. */
static const char *
text(const codr_writer_t *writer)
{
    size_t         len = 0;
    codr_field_t   field;
    codr_fields_t  fields;
    static char    line[SIZE];

    line[0] = '\0';
    codr_fields_init(&fields, writer->start,
                     (size_t) (writer->pos - writer->start));

    while (codr_fields_next(&fields, &field) == 1) {
        len += (size_t) snprintf(line + len, sizeof(line) - len, "%s%.*s",
                                 len ? " " : "", (int) field.length,
                                 (const char *) field.data);
    }

    return line;
}


static void
commands(void)
{
    uint8_t          buffer[SIZE];
    codr_list_t      none = { NULL, 0 }, files = { NULL, 0 };
    codr_list_t      extra = { NULL, 0 };
    codr_writer_t    writer;
    codr_language_t  language = { .source = (char []) { "main.c" } };

    fill(&language.compile, (const char *[]) { "gcc", "-o", "$program",
                                               "$sources", "$source", "$x",
                                               NULL });
    fill(&language.run, (const char *[]) { "$program", "$sources;id", NULL });
    fill(&files, (const char *[]) { "main.c", "a/b.c", "c.h", NULL });
    fill(&extra, (const char *[]) { "", "$source", NULL });

    codr_writer_init(&writer, buffer, sizeof(buffer));
    codr_language_put_argv(&writer, &language, &language.compile, &files,
                           &none);
    tap_text(text(&writer), "gcc -o .program main.c a/b.c main.c $x",
             "compile command");

    codr_writer_init(&writer, buffer, sizeof(buffer));
    codr_language_put_argv(&writer, &language, &language.run, &files, &extra);
    tap_text(text(&writer), "./.program $sources;id  $source",
             "only whole words are replaced, a client's never");

    codr_list_free(&language.compile);
    codr_list_free(&language.run);
    codr_list_free(&files);
    codr_list_free(&extra);
}


static void
sources(void)
{
    codr_language_t  language = { .source = (char []) { "main.c" } };

    tap_ok(codr_language_is_source(&language, "a/b.c"), "same extension");
    tap_ok(!codr_language_is_source(&language, "b.cc"), "another one");
    tap_ok(!codr_language_is_source(&language, "c"), "none");

    tap_ok(!codr_language_includes(&language, "a.h"), "no compiler, no header");
    fill(&language.compile, (const char *[]) { "gcc", NULL });
    tap_ok(codr_language_includes(&language, "a.b/c.h"), "a header");
    tap_ok(codr_language_includes(&language, "a.b/c"), "no ending");
    tap_ok(codr_language_includes(&language, "b.cxx"), "another source");
    tap_ok(!codr_language_includes(&language, "c.h.txt"), "data");
    codr_list_free(&language.compile);

    fill(&language.sources, (const char *[]) { "*.cc", "x.?", NULL });
    tap_ok(codr_language_is_source(&language, "d/b.cc"), "a glob");
    tap_ok(codr_language_is_source(&language, "x.y"), "another glob");
    tap_ok(!codr_language_is_source(&language, "b.c"), "no glob");
    codr_list_free(&language.sources);
}


static void
environment(void)
{
    uint8_t              buffer[SIZE];
    codr_writer_t        writer;
    codr_language_t      language = { .name = NULL };
    codr_surroundings_t  around = { CODR_TERMINAL_NONE, false };

    fill(&language.env, (const char *[]) { "A=1", "TZ=Asia/Tokyo", NULL });
    fill(&language.env_live, (const char *[]) { "LIVE=1", NULL });

    codr_writer_init(&writer, buffer, sizeof(buffer));
    codr_language_put_env(&writer, &language, around);
    tap_text(text(&writer), "A=1 TZ=Asia/Tokyo"
             " PATH=/usr/local/bin:/usr/bin:/bin HOME=/box USER=codr"
             " LANG=C.UTF-8 TERM=dumb", "pipes, nobody watches");

    around.terminal = CODR_TERMINAL_DUMB;
    around.live = true;
    codr_writer_init(&writer, buffer, sizeof(buffer));
    codr_language_put_env(&writer, &language, around);
    tap_ok(strstr(text(&writer), "LIVE=1") != NULL, "somebody watches");
    tap_ok(strstr(text(&writer), "NO_COLOR=1") != NULL, "a dumb terminal");

    around.terminal = CODR_TERMINAL_FULL;
    codr_writer_init(&writer, buffer, sizeof(buffer));
    codr_language_put_env(&writer, &language, around);
    tap_ok(strstr(text(&writer), "TERM=xterm-256color") != NULL
           && strstr(text(&writer), "NO_COLOR") == NULL, "a full terminal");

    codr_list_free(&language.env);
    codr_list_free(&language.env_live);
}


int
main(void)
{
    commands();
    sources();
    environment();

    return tap_done();
}
