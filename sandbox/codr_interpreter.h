/*
 * Which language's programs an interpreter that starts before they are there
 * can be for.
 */

#ifndef CODR_INTERPRETER_H
#define CODR_INTERPRETER_H

#include "codr_config.h"

/*
 * The kind that the language, one of config, runs in, when it is this
 * language's: the one with a zygote of the kind, or the first whose command
 * looks like it and that has ready sandboxes.  What merely looks like it is
 * tested before it is believed.
 */
codr_interpreter_kind_t codr_interpreter_of(const codr_config_t *config,
    const codr_language_t *language);

#endif /* CODR_INTERPRETER_H */
