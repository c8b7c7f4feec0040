/*
 * Languages in a configuration file: their names, their programs, and what a
 * block must have said when it ends.  As strict as nginx's module, and with
 * its words.  Runs in the supervisor.
 */

#define _GNU_SOURCE

#include "codr_conf_language.h"

#include <stdio.h>
#include <string.h>

#include "codr_config.h"
#include "codr_proto.h"

#define LETTERS     "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_"
#define DIGITS      "0123456789"
#define NAME        "abcdefghijklmnopqrstuvwxyz" DIGITS
#define PROGRAM     "$program"

typedef codr_conf_parser_t  parser_t;
typedef codr_conf_row_t     row_t;


static void
lower(char *text)
{
    for ( ; *text != '\0'; text++) {
        if (*text >= 'A' && *text <= 'Z') {
            *text = (char) (*text + 'a' - 'A');
        }
    }
}


/* Words[i], a name or alias, in lower case; nobody else's. */
static bool
take_name(parser_t *parser, const codr_list_t *words, size_t i,
    char ret[CODR_NAME_MAX + 1])
{
    size_t len = strlen(words->item[i]);

    if (len == 0 || len > CODR_NAME_MAX) {
        return codr_conf_invalid(parser, words, i);
    }

    memcpy(ret, words->item[i], len + 1);
    lower(ret);

    if (strspn(ret, NAME) == 0 || strspn(ret, NAME "+#._-") != len) {
        return codr_conf_invalid(parser, words, i);
    }
    if (codr_list_has(&parser->names, ret)) {
        return codr_conf_fail(parser, "duplicate language \"%s\"", ret);
    }

    return codr_list_add(&parser->names, ret, len) == 0
           || codr_conf_fail(parser, "too many names");
}


bool
codr_conf_take_alias(parser_t *parser, const row_t *row,
    const codr_list_t *words)
{
    char   name[CODR_NAME_MAX + 1];
    size_t i;

    for (i = 1; i < words->count; i++) {
        if (!take_name(parser, words, i, name)) {
            return false;
        }
        codr_put_text(&parser->piece[CODR_CONF_LANGUAGES], row->id, name);
    }

    return true;
}


/* What stands for a file is an argument of its own: a program never sees one
   that looks replaced but is not. */
static bool
is_word(const char *text)
{
    return strcmp(text, "$source") == 0 || strcmp(text, "$sources") == 0
           || strcmp(text, PROGRAM) == 0
           || (strstr(text, "$source") == NULL
               && strstr(text, PROGRAM) == NULL);
}


bool
codr_conf_take_argv(parser_t *parser, const row_t *row,
    const codr_list_t *words)
{
    size_t i;

    if (words->item[1][0] == '\0') {
        return codr_conf_invalid(parser, words, 1);
    }

    for (i = 1; i < words->count; i++) {
        if (!is_word(words->item[i])) {
            return codr_conf_fail(parser, "\"%s\" in \"%s\": what stands for a"
                                  " file must be an argument of its own",
                                  words->item[i], words->item[0]);
        }
        codr_put_text(&parser->piece[CODR_CONF_LANGUAGES], row->id,
                      words->item[i]);
    }

    if (row->id == CODR_FIELD_RUN_ARG) {
        parser->runs_program = codr_list_has(words, PROGRAM);
    } else if (row->id == CODR_FIELD_COMPILE_ARG) {
        parser->makes_program = codr_list_has(words, PROGRAM);
    }

    return true;
}


bool
codr_conf_take_env(parser_t *parser, const row_t *row,
    const codr_list_t *words)
{
    char        key[CODR_CONF_ERROR_MAX];
    const char *text = words->item[1];
    size_t      len = strspn(text, LETTERS DIGITS);

    if (len == 0 || strspn(text, DIGITS) > 0 || text[len] != '='
        || len + sizeof("env_live ") > sizeof(key))
    {
        return codr_conf_invalid(parser, words, 1);
    }

    (void) snprintf(key, sizeof(key), "%s %.*s", row->name, (int) len, text);
    if (!codr_conf_once(parser, words, key)) {
        return false;
    }

    codr_put_text(&parser->piece[CODR_CONF_LANGUAGES], row->id, text);
    return true;
}


/* What the block has not said and must; NULL: nothing. */
static const char *
lacking(const parser_t *parser)
{
    const codr_list_t *seen = &parser->seen[true];

    if (!codr_list_has(seen, "source")) {
        return "has no \"source\"";
    }
    if (!codr_list_has(seen, "run")) {
        return "has no \"run\"";
    }

    if (!codr_list_has(seen, "compile")) {
        return parser->runs_program
               ? "has \"$program\" in \"run\" but no \"compile\"" : NULL;
    }
    if (!parser->makes_program) {
        return "has no \"$program\" in \"compile\"";
    }

    /* nothing else crosses from the compile stage to the run stage */
    return parser->runs_program
           ? NULL : "has \"compile\" but no \"$program\" in \"run\"";
}


bool
codr_conf_take_language(parser_t *parser, const row_t *row,
    const codr_list_t *words)
{
    bool        ok;
    char        name[CODR_NAME_MAX + 1];
    const char *lacks;

    if (!take_name(parser, words, 1, name)) {
        return false;
    }
    if (++parser->languages > CODR_CONFIG_LANGUAGES) {
        return codr_conf_fail(parser, "\"%s\" is there too often",
                              words->item[0]);
    }

    codr_put_text(&parser->piece[CODR_CONF_LANGUAGES], row->id, name);

    parser->runs_program = parser->makes_program = false;
    codr_list_free(&parser->seen[true]);
    ok = codr_conf_language_block(parser);

    lacks = ok ? lacking(parser) : NULL;
    return lacks ? codr_conf_fail(parser, "language \"%s\" %s", name, lacks)
                 : ok;
}
