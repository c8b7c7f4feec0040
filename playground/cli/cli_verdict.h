/* How a program ended, as an exit status and in words. */

#ifndef CLI_VERDICT_H
#define CLI_VERDICT_H

#include <jansson.h>

#include "cli.h"

/* Of a complete or an error message; says nothing beside --json. */
int cli_verdict(const json_t *message, const cli_options_t *options);

/* What a compiler said, where the message has it. */
void cli_verdict_compiler(const json_t *message);

/* A text of a message; "" when it is none. */
const char *cli_verdict_text(const json_t *message, const char *name);

#endif
