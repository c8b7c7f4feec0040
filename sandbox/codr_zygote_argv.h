/*
 * A zygote's part of the spawner's command line.  Part of the supervisor.
 */

#ifndef CODR_ZYGOTE_ARGV_H
#define CODR_ZYGOTE_ARGV_H

#include "codr_config.h"
#include "codr_list.h"

/* Appends the options for the first language that has one.  0, or negative
   errno. */
int codr_zygote_argv(codr_list_t *argv, const codr_config_t *config);

#endif /* CODR_ZYGOTE_ARGV_H */
