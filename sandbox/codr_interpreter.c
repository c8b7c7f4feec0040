/*
 * Pure.  Only one language can have the interpreter of a kind: its command and
 * its environment are those that it is started with.
 */

#define _GNU_SOURCE

#include "codr_interpreter.h"

#include <string.h>

#include "codr_util.h"

typedef struct {
    const char               *program;
    codr_interpreter_kind_t   kind;
} known_t;

/* Those that can be parked. */
static const known_t known[] = {
    { "node", CODR_INTERPRETER_NODE },
    { "nodejs", CODR_INTERPRETER_NODE },
};


/* By its full path, with nothing behind the script's name. */
static codr_interpreter_kind_t
looks_like(const codr_language_t *language)
{
    size_t             i;
    const char        *slash;
    const codr_list_t *run = &language->run;

    if (language->warm == 0 || language->compile.count > 0 || run->count < 2
        || run->item[0][0] != '/'
        || strcmp(run->item[run->count - 1], "$source") != 0)
    {
        return CODR_INTERPRETER_NONE;
    }

    slash = strrchr(run->item[0], '/');
    for (i = 0; i < CODR_ARRAY_LEN(known); i++) {
        if (strcmp(slash + 1, known[i].program) == 0) {
            return known[i].kind;
        }
    }

    return CODR_INTERPRETER_NONE;
}


codr_interpreter_kind_t
codr_interpreter_of(const codr_config_t *config,
    const codr_language_t *language)
{
    size_t                   i;
    const codr_language_t   *other, *first = NULL;
    codr_interpreter_kind_t  kind;

    kind = language->zygote ? (codr_interpreter_kind_t) language->zygote
                            : looks_like(language);
    if (kind == CODR_INTERPRETER_NONE) {
        return kind;
    }

    for (i = 0; i < config->languages; i++) {
        other = &config->language[i];
        if (other->zygote == kind) {
            first = other;
            break;
        }
        if (first == NULL && other->zygote == CODR_INTERPRETER_NONE
            && looks_like(other) == kind)
        {
            first = other;
        }
    }

    return first == language ? kind : CODR_INTERPRETER_NONE;
}
