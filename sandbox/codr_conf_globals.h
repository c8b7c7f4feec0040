/*
 * The directives about the whole helper, as rows of the table of directives.
 */

#ifndef CODR_CONF_GLOBALS_H
#define CODR_CONF_GLOBALS_H

#include <stddef.h>

#include "codr_conf_rows.h"

extern const codr_conf_row_t codr_conf_globals[];
extern const size_t codr_conf_globals_count;

#endif /* CODR_CONF_GLOBALS_H */
