/* Files and arguments of the user as an execute message. */

#ifndef CLI_SOURCE_H
#define CLI_SOURCE_H

#include <jansson.h>
#include <stdbool.h>

#include "cli.h"

/* tty: NULL, or an object with the size; taken over.  Dies when it cannot. */
json_t *cli_source_execute(const cli_options_t *options, json_t *tty);

#endif
