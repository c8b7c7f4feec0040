/* One program from its beginning to its end. */

#ifndef CLI_RUN_H
#define CLI_RUN_H

#include "cli.h"

/* The status to exit with. */
int cli_run(const cli_options_t *options);

#endif
