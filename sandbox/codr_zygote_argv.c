/*
 * What a spawner is told of its zygote.  Runs in the supervisor.
 */

#define _GNU_SOURCE

#include "codr_zygote_argv.h"

#include <errno.h>
#include <string.h>

#include "codr_argv.h"
#include "codr_interpreter.h"
#include "codr_language.h"


/* What a job of the language would be executed with, but for its own words:
   "--zygote-word" one of the command, "--zygote-env" of the environment. */
static int
add_fields(codr_list_t *argv, const codr_writer_t *fields, const char *option)
{
    int           result = 0;
    char          text[CODR_NAME_MAX + 4096];
    codr_field_t  field;
    codr_fields_t rest;

    codr_fields_init(&rest, fields->start,
                     (size_t) (fields->pos - fields->start));

    while (result == 0 && codr_fields_next(&rest, &field) == 1) {
        if (field.length >= sizeof(text)) {
            return -E2BIG;
        }
        memcpy(text, field.data, field.length);
        text[field.length] = '\0';
        result = codr_argv_add(argv, option, text);
    }

    return result;
}


static int
add_language(codr_list_t *argv, const codr_language_t *language,
    codr_interpreter_kind_t kind)
{
    int                       result;
    size_t                    i;
    char                     *source = language->source;
    uint8_t                   buffer[32 * 1024];
    codr_list_t               files = { &source, 1 }, none = { NULL, 0 };
    codr_writer_t             fields;
    const codr_surroundings_t surroundings = { CODR_TERMINAL_DUMB, false };

    result = codr_argv_add(argv, language->zygote ? "--zygote" : "--parked",
                           codr_interpreter_name(kind));

    codr_writer_init(&fields, buffer, sizeof(buffer));
    codr_language_put_argv(&fields, language, &language->run, &files, &none);
    if (result == 0) {
        result = fields.failed ? -E2BIG
                               : add_fields(argv, &fields, "--zygote-word");
    }

    codr_writer_init(&fields, buffer, sizeof(buffer));
    codr_language_put_env(&fields, language, surroundings);
    if (result == 0) {
        result = fields.failed ? -E2BIG
                               : add_fields(argv, &fields, "--zygote-env");
    }

    for (i = 0; result == 0 && i < language->preload.count; i++) {
        result = codr_argv_add(argv, "--zygote-preload",
                           language->preload.item[i]);
    }

    return result;
}


int
codr_zygote_argv(codr_list_t *argv, const codr_config_t *config)
{
    int                      result = 0;
    size_t                   i;
    codr_interpreter_kind_t  kind;

    for (i = 0; result == 0 && i < config->languages; i++) {
        kind = codr_interpreter_of(config, &config->language[i]);
        if (kind != CODR_INTERPRETER_NONE) {
            result = add_language(argv, &config->language[i], kind);
        }
    }

    return result;
}
