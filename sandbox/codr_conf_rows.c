/*
 * The directives of the configuration file and what each puts into the image:
 * here those of jobs and languages.  Runs in the supervisor.
 */

#define _GNU_SOURCE

#include "codr_conf_rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codr_conf_globals.h"
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
put_limit(parser_t *parser, unsigned id, const char *text)
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
    return true;
}


static bool
take_limit(parser_t *parser, const row_t *row, const codr_list_t *words)
{
    size_t      i, k;
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

    if (!put_limit(parser, row->id, words->item[1])) {
        return codr_conf_invalid(parser, words, 1);
    }

    for (i = 2; i < words->count; i++) {
        for (k = 0; k < CODR_ARRAY_LEN(more); k++) {
            value = codr_conf_named(words->item[i], more[k].name);
            if (more[k].of == row->id && value) {
                break;
            }
        }
        if (k == CODR_ARRAY_LEN(more)
            || !put_limit(parser, more[k].id, value))
        {
            return codr_conf_invalid(parser, words, i);
        }
    }

    return true;
}


static bool
take_output(parser_t *parser, const row_t *row, const codr_list_t *words)
{
    bool drop;

    if (!put_limit(parser, row->id, words->item[1])) {
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


static bool
take_bind(parser_t *parser, const row_t *row, const codr_list_t *words)
{
    size_t      i, from;
    char        pair[2048];
    const char *at = words->item[words->count - 1];

    (void) row;
    for (i = 1; i < words->count; i++) {
        if (words->item[i][0] != '/' || strchr(words->item[i], ':')) {
            return codr_conf_invalid(parser, words, i);
        }
    }

    from = strlen(words->item[1]);
    if (from + strlen(at) + 1 > sizeof(pair)) {
        return codr_conf_fail(parser, "too long paths in \"%s\"",
                              words->item[0]);
    }
    memcpy(pair, words->item[1], from + 1);
    memcpy(pair + from + 1, at, strlen(at));

    codr_put_bytes(open_piece(parser), CODR_FIELD_BIND, pair,
                   from + 1 + strlen(at));
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


static bool
take_env(parser_t *parser, const row_t *row, const codr_list_t *words)
{
    const char *equals = strchr(words->item[1], '=');

    if (equals == NULL || equals == words->item[1]) {
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
    int kind = codr_interpreter_kind(words->item[1]);

    codr_put_number(open_piece(parser), row->id, (uint64_t) kind);
    return kind >= 0 || codr_conf_invalid(parser, words, 1);
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
    if (!codr_file_name_valid(words->item[1], strlen(words->item[1]))) {
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

static const row_t rows[] = {
    { "language",      CODR_CONF_TOP | CODR_CONF_OPENS, 1, 1,
      codr_conf_take_language, CODR_FIELD_LANGUAGE },
    { "detach",        CODR_CONF_TOP, 1, 1, take_detach,
      CODR_FIELD_DETACH_MS },
    { "policies",      CODR_CONF_TOP, 1, 1, codr_conf_take_policies, 0 },
    { "policy",        CODR_CONF_TOP, 1, 2, codr_conf_take_policy, 0 },
    { "include",       CODR_CONF_TOP | CODR_CONF_LANGUAGE, 1, 1,
      codr_conf_take_include, 0 },
    { "bind",          CODR_CONF_TOP | CODR_CONF_LANGUAGE, 1, 2, take_bind,
      0 },

    WORDS("source",    1, take_source, SOURCE),
    WORDS("sources",   CODR_LIST_MAX, take_words, SOURCES),
    WORDS("alias",     CODR_LIST_MAX, take_words, ALIAS),
    WORDS("version",   CODR_LIST_MAX, take_words, VERSION_ARG),
    WORDS("compile",   CODR_LIST_MAX, take_words, COMPILE_ARG),
    WORDS("run",       CODR_LIST_MAX, take_words, RUN_ARG),
    WORDS("shortcut",  1, take_shortcut, SHORTCUT),
    WORDS("precompile", 32, take_precompile, PRECOMPILE),
    WORDS("env",       1, take_env, ENV),
    WORDS("env_live",  1, take_env, ENV_LIVE),
    WORDS("warm",      1, take_warm, WARM),
    WORDS("policy",    1, take_words, POLICY_FILE),
    WORDS("grammar",   1, take_words, GRAMMAR),
    WORDS("zygote",    1, take_zygote, ZYGOTE),
    WORDS("preload",   CODR_LIST_MAX, take_preload, PRELOAD),

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
