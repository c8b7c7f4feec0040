/*
 * The block codr_language of a configuration file, and what in it is about
 * programs and names.
 */

#ifndef CODR_CONF_LANGUAGE_H
#define CODR_CONF_LANGUAGE_H

#include <stdbool.h>

#include "codr_conf_rows.h"

bool codr_conf_take_language(codr_conf_parser_t *parser,
    const codr_conf_row_t *row, const codr_list_t *words);
bool codr_conf_take_alias(codr_conf_parser_t *parser,
    const codr_conf_row_t *row, const codr_list_t *words);
bool codr_conf_take_argv(codr_conf_parser_t *parser,
    const codr_conf_row_t *row, const codr_list_t *words);
bool codr_conf_take_env(codr_conf_parser_t *parser,
    const codr_conf_row_t *row, const codr_list_t *words);

#endif /* CODR_CONF_LANGUAGE_H */
