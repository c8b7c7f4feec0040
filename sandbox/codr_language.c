/*
 * Command lines and environments of the configured languages.  Runs in the
 * broker.  Arguments stay arguments: nothing here, and nothing after, ever
 * goes through a shell.
 */

#include "codr_language.h"

#include <fnmatch.h>
#include <string.h>

#include "codr_util.h"


/* Every program's surroundings; a language's own value of a name wins. */
static const char *const base_env[] = {
    "PATH=/usr/local/bin:/usr/bin:/bin",
    "HOME=/box",
    "USER=codr",
    "LANG=C.UTF-8",
    "TZ=UTC",
};


/* Without globs, what ends as the main file's name ends. */
static bool
has_main_extension(const codr_language_t *language, const char *name)
{
    const char *dot = strrchr(language->source, '.');
    const char *other = strrchr(name, '.');

    return dot && other && strcmp(dot, other) == 0;
}


bool
codr_language_is_source(const codr_language_t *language, const char *name)
{
    size_t i;

    if (language->sources.count == 0) {
        return has_main_extension(language, name);
    }

    for (i = 0; i < language->sources.count; i++) {
        /* '*' matches '/' too: helpers may lie in directories */
        if (fnmatch(language->sources.item[i], name, 0) == 0) {
            return true;
        }
    }

    return false;
}


bool
codr_language_executes(const codr_language_t *language)
{
    return language->run.count > 0
           && strcmp(language->run.item[0], "$program") == 0;
}


bool
codr_language_includes(const codr_language_t *language, const char *name)
{
    size_t      i;
    const char *slash = strrchr(name, '/');
    const char *dot = strrchr(slash ? slash : name, '.');

    /* as c.include of the policies has them, which lets in no others */
    static const char *const endings[] = {
        ".h", ".hh", ".hpp", ".hxx", ".h++", ".inc", ".inl", ".ipp", ".tcc",
        ".tpp", ".def", ".c", ".cc", ".cpp", ".cxx",
    };

    if (language->compile.count == 0) {
        return false;
    }

    for (i = 0; dot && i < CODR_ARRAY_LEN(endings); i++) {
        if (strcmp(dot, endings[i]) == 0) {
            return true;
        }
    }

    return dot == NULL;
}


static void
put_sources(codr_writer_t *writer, const codr_language_t *language,
    const codr_list_t *files)
{
    size_t i;

    for (i = 0; i < files->count; i++) {
        if (i == 0 || codr_language_is_source(language, files->item[i])) {
            codr_put_text(writer, CODR_FIELD_ARG, files->item[i]);
        }
    }
}


void
codr_language_put_argv(codr_writer_t *writer, const codr_language_t *language,
    const codr_list_t *command, const codr_list_t *files,
    const codr_list_t *extra)
{
    size_t      i;
    const char *word;

    for (i = 0; i < command->count; i++) {
        word = command->item[i];
        if (strcmp(word, "$sources") == 0) {
            put_sources(writer, language, files);
        } else if (strcmp(word, "$source") == 0) {
            codr_put_text(writer, CODR_FIELD_ARG, files->item[0]);
        } else if (strcmp(word, "$program") == 0) {
            codr_put_text(writer, CODR_FIELD_ARG,
                          command == &language->run
                          ? "./" CODR_LANGUAGE_PROGRAM
                          : CODR_LANGUAGE_PROGRAM);
        } else {
            codr_put_text(writer, CODR_FIELD_ARG, word);
        }
    }

    for (i = 0; i < extra->count; i++) {
        codr_put_text(writer, CODR_FIELD_ARG, extra->item[i]);
    }
}


void
codr_language_put_shortcut(codr_writer_t *writer, const char *mode)
{
    codr_put_text(writer, CODR_FIELD_ARG, "codr-shortcut");
    codr_put_text(writer, CODR_FIELD_ARG, mode);
}


static bool
sets(const codr_list_t *list, const char *variable)
{
    size_t i, len = (size_t) (strchr(variable, '=') - variable) + 1;

    for (i = 0; i < list->count; i++) {
        if (strncmp(list->item[i], variable, len) == 0) {
            return true;
        }
    }

    return false;
}


static void
put_list(codr_writer_t *writer, const codr_list_t *list)
{
    size_t i;

    for (i = 0; i < list->count; i++) {
        codr_put_text(writer, CODR_FIELD_ENV, list->item[i]);
    }
}


static void
put_default(codr_writer_t *writer, const codr_language_t *language,
    const char *variable)
{
    if (!sets(&language->env, variable)) {
        codr_put_text(writer, CODR_FIELD_ENV, variable);
    }
}


void
codr_language_put_env(codr_writer_t *writer, const codr_language_t *language,
    codr_surroundings_t surroundings)
{
    size_t i;

    put_list(writer, &language->env);
    if (surroundings.live) {
        put_list(writer, &language->env_live);
    }

    for (i = 0; i < CODR_ARRAY_LEN(base_env); i++) {
        put_default(writer, language, base_env[i]);
    }

    if (surroundings.terminal == CODR_TERMINAL_FULL) {
        put_default(writer, language, "TERM=xterm-256color");
        return;
    }

    put_default(writer, language, "TERM=dumb");
    if (surroundings.terminal == CODR_TERMINAL_DUMB) {
        put_default(writer, language, "NO_COLOR=1");
    }
}


static void
put_program(codr_writer_t *writer, const codr_list_t *command)
{
    if (command->count > 0 && command->item[0][0] != '$') {
        codr_put_text(writer, CODR_FIELD_REASON, command->item[0]);
    }
}


void
codr_language_put_programs(codr_writer_t *writer,
    const codr_language_t *language)
{
    put_program(writer, &language->compile);
    put_program(writer, &language->run);
    put_program(writer, &language->version);
}
