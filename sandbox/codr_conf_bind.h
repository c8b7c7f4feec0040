/*
 * The directive codr_bind of a configuration file.
 */

#ifndef CODR_CONF_BIND_H
#define CODR_CONF_BIND_H

#include <stdbool.h>

#include "codr_conf_rows.h"

bool codr_conf_take_bind(codr_conf_parser_t *parser,
    const codr_conf_row_t *row, const codr_list_t *words);

#endif /* CODR_CONF_BIND_H */
