/*
 * Building the command lines of roles.
 */

#ifndef CODR_ARGV_H
#define CODR_ARGV_H

#include <stdbool.h>
#include <stdint.h>

#include "codr_list.h"
#include "codr_settings.h"

/* Each: 0, or negative errno.  second may be NULL. */
int codr_argv_add(codr_list_t *list, const char *first, const char *second);
int codr_argv_number(codr_list_t *list, const char *option, uint64_t number);
int codr_argv_uids(codr_list_t *list, const codr_settings_t *settings);

bool codr_argv_same(const codr_list_t *a, const codr_list_t *b);

#endif /* CODR_ARGV_H */
