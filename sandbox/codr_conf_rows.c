/*
 * The directives of the configuration file and what each puts into the image:
 * here those of jobs and languages.  Runs in the supervisor.
 */

#define _GNU_SOURCE

#include "codr_conf_rows.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codr_conf_bind.h"
#include "codr_conf_globals.h"
#include "codr_conf_language.h"
#include "codr_conf_policy.h"
#include "codr_config.h"
#include "codr_limits.h"
#include "codr_util.h"

#define PREFIX  "codr_"

#define DETACH_MS_MAX   (24ULL * 3600 * 1000)

typedef codr_conf_parser_t  parser_t;
typedef codr_conf_row_t     row_t;


bool
codr_conf_invalid(parser_t *parser, const codr_list_t *words, size_t i)
{
    return codr_conf_fail(parser, "invalid value \"%s\" in \"%s\"",
                          words->item[i], words->item[0]);
}


bool
codr_conf_once(parser_t *parser, const codr_list_t *words, const char *key)
{
    codr_list_t *seen = &parser->seen[parser->in_language];

    if (codr_list_has(seen, key)) {
        return codr_conf_fail(parser, "\"%s\" directive is duplicate",
                              words->item[0]);
    }

    return codr_list_add(seen, key, strlen(key)) == 0
           || codr_conf_fail(parser, "too many directives");
}


/* What the directives that stand here are about. */
static codr_writer_t *
open_piece(parser_t *parser)
{
    return &parser->piece[parser->in_language ? CODR_CONF_LANGUAGES
                                             : CODR_CONF_LOCATION];
}


const char *
codr_conf_named(const char *word, const char *name)
{
    size_t len = strlen(name);

    return strncmp(word, name, len) == 0 && word[len] == '='
           ? word + len + 1 : NULL;
}


/* Limits */


static bool
put_limit(parser_t *parser, unsigned id, const char *text, uint64_t *ret)
{
    bool     ok;
    uint64_t value;
    bool     is_size = !codr_limit_info(id)->is_time;
    bool     counts = id == CODR_LIMIT_PROCESSES || id == CODR_LIMIT_INODES
                      || id == CODR_LIMIT_OPEN_FILES
                      || id == CODR_LIMIT_FILE_COUNT
                      || id == CODR_LIMIT_AST_NODES;

    if (counts) {
        ok = codr_conf_number(text, &value);
    } else {
        ok = is_size ? codr_conf_size(text, &value)
                     : codr_conf_time(text, &value);
    }

    if (!ok || value == 0 || value > codr_limit_info(id)->maximum) {
        return false;
    }

    codr_put_limit(open_piece(parser), CODR_FIELD_LIMIT, id, value);
    *ret = value;
    return true;
}


/* "name=value" of the limit that the directive is about. */
static bool
take_option(parser_t *parser, const row_t *row, const codr_list_t *words,
    size_t i, codr_limits_t *said)
{
    size_t      k;
    const char *value;

    static const struct {
        unsigned     of;
        const char  *name;
        unsigned     id;
    } more[] = {
        { CODR_LIMIT_WALL_MS, "input",  CODR_LIMIT_INPUT_MS },
        { CODR_LIMIT_WALL_MS, "max",    CODR_LIMIT_MAX_MS },
        { CODR_LIMIT_DISK,    "inodes", CODR_LIMIT_INODES },
        { CODR_LIMIT_FILES,   "count",  CODR_LIMIT_FILE_COUNT },
    };

    for (k = 0; k < CODR_ARRAY_LEN(more); k++) {
        value = codr_conf_named(words->item[i], more[k].name);
        if (more[k].of != row->id || value == NULL) {
            continue;
        }
        if (said->value[more[k].id] != 0) {
            return codr_conf_fail(parser, "\"%s\" directive is duplicate",
                                  words->item[0]);
        }
        return put_limit(parser, more[k].id, value, &said->value[more[k].id])
               || codr_conf_invalid(parser, words, i);
    }

    return codr_conf_invalid(parser, words, i);
}


/* As nginx's module has it. */
static bool
times_fit(parser_t *parser, const codr_list_t *words,
    const codr_limits_t *said)
{
    uint64_t    max_ms = said->value[CODR_LIMIT_MAX_MS];
    const char *longer;

    if (max_ms == 0) {
        return true;
    }

    if (max_ms < said->value[CODR_LIMIT_INPUT_MS]) {
        longer = "\"input\"";
    } else if (max_ms < said->value[CODR_LIMIT_WALL_MS]) {
        longer = "the time before it";
    } else {
        return true;
    }

    return codr_conf_fail(parser, "\"max\" must not be less than %s in"
                          " \"%s\"", longer, words->item[0]);
}


static bool
take_limit(parser_t *parser, const row_t *row, const codr_list_t *words)
{
    size_t        i;
    codr_limits_t said = { { 0 } };

    if (!put_limit(parser, row->id, words->item[1], &said.value[row->id])) {
        return codr_conf_invalid(parser, words, 1);
    }

    for (i = 2; i < words->count; i++) {
        if (!take_option(parser, row, words, i, &said)) {
            return false;
        }
    }

    return times_fit(parser, words, &said);
}


static bool
take_output(parser_t *parser, const row_t *row, const codr_list_t *words)
{
    bool     drop;
    uint64_t size;

    if (!put_limit(parser, row->id, words->item[1], &size)) {
        return codr_conf_invalid(parser, words, 1);
    }
    if (words->count == 2) {
        return true;
    }

    drop = strcmp(words->item[2], "drop") == 0;
    if (!drop && strcmp(words->item[2], "end") != 0) {
        return codr_conf_invalid(parser, words, 2);
    }

    codr_put_number(open_piece(parser), CODR_FIELD_OUTPUT_DROP, drop);
    return true;
}


static bool
take_detach(parser_t *parser, const row_t *row, const codr_list_t *words)
{
    uint64_t ms;

    if (!codr_conf_time(words->item[1], &ms) || ms > DETACH_MS_MAX) {
        return codr_conf_invalid(parser, words, 1);
    }

    codr_put_number(open_piece(parser), row->id, ms);
    return true;
}


/* Languages */


static bool
take_words(parser_t *parser, const row_t *row, const codr_list_t *words)
{
    size_t i;

    for (i = 1; i < words->count; i++) {
        codr_put_text(open_piece(parser), row->id, words->item[i]);
    }

    return true;
}


/* No characters that a command would take for more than a pattern. */
static bool
take_sources(parser_t *parser, const row_t *row, const codr_list_t *words)
{
    size_t      i, len;
    const char *text;

    for (i = 1; i < words->count; i++) {
        text = words->item[i];
        for (len = 0; text[len] != '\0'; len++) {
            if (!isalnum((unsigned char) text[len])
                && !strchr("._-/*?[]!", text[len]))
            {
                return codr_conf_invalid(parser, words, i);
            }
        }
        if (len == 0) {
            return codr_conf_invalid(parser, words, i);
        }
    }

    return take_words(parser, row, words);
}


/* One text, in which nothing separates. */
static bool
take_text(parser_t *parser, const row_t *row, const codr_list_t *words)
{
    if (words->item[1][0] == '\0' || strpbrk(words->item[1], ":=")) {
        return codr_conf_invalid(parser, words, 1);
    }

    return take_words(parser, row, words);
}


static bool
take_warm(parser_t *parser, const row_t *row, const codr_list_t *words)
{
    uint64_t count;

    if (!codr_conf_number(words->item[1], &count)
        || count > CODR_CONFIG_WARM)
    {
        return codr_conf_invalid(parser, words, 1);
    }

    codr_put_number(open_piece(parser), row->id, count);
    return true;
}


static bool
take_zygote(parser_t *parser, const row_t *row, const codr_list_t *words)
{
    int  kind = codr_interpreter_kind(words->item[1]);
    bool taken;

    if (kind < 0) {
        return codr_conf_invalid(parser, words, 1);
    }

    taken = kind != CODR_INTERPRETER_NONE && (parser->zygotes & 1U << kind);
    if (taken) {
        return codr_conf_fail(parser, "\"%s\" directive is one language's"
                              " already", words->item[0]);
    }

    parser->zygotes |= 1U << kind;
    codr_put_number(open_piece(parser), row->id, (uint64_t) kind);
    return true;
}


/* "off" alone means none. */
static bool
take_preload(parser_t *parser, const row_t *row, const codr_list_t *words)
{
    size_t i;

    if (words->count == 2 && strcmp(words->item[1], "off") == 0) {
        return true;
    }

    for (i = 1; i < words->count; i++) {
        if (!codr_conf_is_module(words->item[i])) {
            return codr_conf_invalid(parser, words, i);
        }
    }

    return take_words(parser, row, words);
}


static bool
take_source(parser_t *parser, const row_t *row, const codr_list_t *words)
{
    if (!codr_file_name_valid(words->item[1], strlen(words->item[1]))
        || strchr(words->item[1], '/'))
    {
        return codr_conf_invalid(parser, words, 1);
    }

    return take_words(parser, row, words);
}


static bool
take_shortcut(parser_t *parser, const row_t *row, const codr_list_t *words)
{
    bool on = strcmp(words->item[1], "gcc") == 0;

    if (!on && strcmp(words->item[1], "off") != 0) {
        return codr_conf_invalid(parser, words, 1);
    }

    codr_put_number(open_piece(parser), row->id, on);
    return true;
}


static bool
take_precompile(parser_t *parser, const row_t *row, const codr_list_t *words)
{
    char   set[1024];
    size_t i, len, used = 0;

    for (i = 1; i < words->count; i++) {
        len = strlen(words->item[i]);
        if (len == 0 || len + 1 > sizeof(set) - used
            || strpbrk(words->item[i], " <>\n"))
        {
            return codr_conf_invalid(parser, words, i);
        }
        if (used > 0) {
            set[used++] = ' ';
        }
        memcpy(set + used, words->item[i], len);
        used += len;
    }

    codr_put_bytes(open_piece(parser), row->id, set, used);
    return true;
}


#define LIMIT(name, max, id) \
    { name, CODR_CONF_TOP | CODR_CONF_LANGUAGE, 1, max, take_limit, \
      CODR_LIMIT_ ## id }

#define WORDS(name, max, take, id) \
    { name, CODR_CONF_LANGUAGE, 1, max, take, CODR_FIELD_ ## id }

#define MORE(name, max, take, id) \
    { name, CODR_CONF_LANGUAGE | CODR_CONF_MANY, 1, max, take, \
      CODR_FIELD_ ## id }

static const row_t rows[] = {
    { "language",      CODR_CONF_TOP | CODR_CONF_OPENS | CODR_CONF_MANY, 1, 1,
      codr_conf_take_language, CODR_FIELD_LANGUAGE },
    { "detach",        CODR_CONF_TOP, 1, 1, take_detach,
      CODR_FIELD_DETACH_MS },
    { "policies",      CODR_CONF_TOP, 1, 1, codr_conf_take_policies, 0 },
    { "policy",        CODR_CONF_TOP, 1, 2, codr_conf_take_policy, 0 },
    { "include",       CODR_CONF_TOP | CODR_CONF_LANGUAGE | CODR_CONF_MANY,
      1, 1, codr_conf_take_include, 0 },
    { "bind",          CODR_CONF_TOP | CODR_CONF_LANGUAGE | CODR_CONF_MANY,
      1, 2, codr_conf_take_bind, CODR_FIELD_BIND },

    WORDS("source",    1, take_source, SOURCE),
    WORDS("sources",   64, take_sources, SOURCES),
    MORE("alias",      64, codr_conf_take_alias, ALIAS),
    WORDS("version",   64, codr_conf_take_argv, VERSION_ARG),
    WORDS("compile",   256, codr_conf_take_argv, COMPILE_ARG),
    WORDS("run",       256, codr_conf_take_argv, RUN_ARG),
    MORE("shortcut",   1, take_shortcut, SHORTCUT),
    MORE("precompile", 32, take_precompile, PRECOMPILE),
    MORE("env",        1, codr_conf_take_env, ENV),
    MORE("env_live",   1, codr_conf_take_env, ENV_LIVE),
    WORDS("warm",      1, take_warm, WARM),
    WORDS("policy",    1, take_text, POLICY_FILE),
    WORDS("grammar",   1, take_text, GRAMMAR),
    WORDS("zygote",    1, take_zygote, ZYGOTE),
    MORE("preload",    64, take_preload, PRELOAD),

    LIMIT("timeout",         3, WALL_MS),
    LIMIT("cpu_time",        1, CPU_MS),
    LIMIT("compile_timeout", 1, COMPILE_MS),
    LIMIT("compile_memory",  1, COMPILE_MEMORY),
    LIMIT("memory",          1, MEMORY),
    LIMIT("stack",           1, STACK),
    LIMIT("processes",       1, PROCESSES),
    LIMIT("open_files",      1, OPEN_FILES),
    LIMIT("disk",            2, DISK),
    LIMIT("code_size",       1, CODE),
    LIMIT("files",           2, FILES),
    LIMIT("input",           1, STDIN),
    LIMIT("ast_nodes",       1, AST_NODES),
    { "output",        CODR_CONF_TOP | CODR_CONF_LANGUAGE, 1, 2, take_output,
      CODR_LIMIT_OUTPUT },
};


static const row_t *
find(const row_t *row, size_t count, const char *name, unsigned where)
{
    size_t i;

    for (i = 0; i < count; i++) {
        if ((row[i].where & where) && strcmp(row[i].name, name) == 0) {
            return &row[i];
        }
    }

    return NULL;
}


const row_t *
codr_conf_row(const char *name, unsigned where)
{
    const row_t *row;

    if (where == CODR_CONF_TOP && strncmp(name, PREFIX, strlen(PREFIX)) == 0) {
        name += strlen(PREFIX);
    }

    row = find(rows, CODR_ARRAY_LEN(rows), name, where);
    return row ? row : find(codr_conf_globals, codr_conf_globals_count, name,
                            where);
}
