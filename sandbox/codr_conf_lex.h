/*
 * Words and values of the configuration language, which is nginx's.
 */

#ifndef CODR_CONF_LEX_H
#define CODR_CONF_LEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "codr_list.h"

/* What ended a directive. */
typedef enum {
    CODR_CONF_SIMPLE = 0,       /* ; */
    CODR_CONF_BLOCK,            /* { */
    CODR_CONF_CLOSE,            /* } */
    CODR_CONF_END,              /* of the file */
    CODR_CONF_ERROR             /* what says why */
} codr_conf_token_t;

typedef struct {
    const char  *pos;
    const char  *end;
    unsigned     line;
    const char  *what;
} codr_conf_lexer_t;


void codr_conf_lex_init(codr_conf_lexer_t *lexer, const char *text,
    size_t len);

/* The next directive: its words, at least one before ; or {, none before }.
   The list is emptied first. */
codr_conf_token_t codr_conf_lex(codr_conf_lexer_t *lexer, codr_list_t *words);

/* "512", "64k", "300m", "1g": bytes.  False: not a size, or beyond 2^63. */
bool codr_conf_size(const char *text, uint64_t *ret);

/* "30", "30s", "5m", "1h30m", "500ms": milliseconds. */
bool codr_conf_time(const char *text, uint64_t *ret_ms);

/* Digits only. */
bool codr_conf_number(const char *text, uint64_t *ret);

/* The name of a module: "a.b_c1". */
bool codr_conf_is_module(const char *text);

#endif /* CODR_CONF_LEX_H */
