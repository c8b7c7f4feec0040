/*
 * Directives of the configuration file: what the parser and the table of
 * directives share.
 */

#ifndef CODR_CONF_ROWS_H
#define CODR_CONF_ROWS_H

#include <stdbool.h>
#include <stddef.h>

#include "codr_conf_file.h"
#include "codr_conf_lex.h"
#include "codr_list.h"
#include "codr_proto.h"

/* Where a directive may stand, that it opens a block, and that it may stand
   there more than once. */
#define CODR_CONF_TOP       0x1
#define CODR_CONF_LANGUAGE  0x2
#define CODR_CONF_OPENS     0x4
#define CODR_CONF_MANY      0x8

/* The image has an order, the file has none: three pieces, joined at the
   end. */
typedef enum {
    CODR_CONF_GLOBALS = 0,
    CODR_CONF_LOCATION,
    CODR_CONF_LANGUAGES,
    CODR_CONF_PIECES
} codr_conf_piece_t;

typedef struct {
    codr_conf_file_t   *file;
    const char         *name;       /* of the file being read */
    codr_conf_lexer_t  *lexer;
    char               *error;      /* CODR_CONF_ERROR_MAX bytes */
    unsigned            depth;      /* of includes */
    bool                in_language;
    bool                runs_program;   /* what the block's "run" says */
    bool                makes_program;  /* and its "compile" */
    unsigned            zygotes;        /* a bit for each that is taken */
    size_t              languages;
    codr_list_t         names;      /* of languages, and aliases */
    codr_list_t         binds;      /* "PATH:AT", of all levels */
    codr_list_t         seen[2];    /* once only: outside, in this block */
    codr_writer_t       piece[CODR_CONF_PIECES];
} codr_conf_parser_t;

typedef struct codr_conf_row_s codr_conf_row_t;

struct codr_conf_row_s {
    const char         *name;
    unsigned            where;      /* CODR_CONF_TOP and so on */
    size_t              min;        /* parameters */
    size_t              max;
    bool              (*take)(codr_conf_parser_t *parser,
                              const codr_conf_row_t *row,
                              const codr_list_t *words);
    unsigned            id;         /* codr_limit_id_t or field tag */
};


/* The directive of that name there, or NULL. */
const codr_conf_row_t *codr_conf_row(const char *name, unsigned where);

/* Says that words[i] is no value; returns false. */
bool codr_conf_invalid(codr_conf_parser_t *parser, const codr_list_t *words,
    size_t i);

/* Of "name=value" the value, else NULL. */
const char *codr_conf_named(const char *word, const char *name);

/* Says "is duplicate" and returns false if key was there before, on the level
   that is read. */
bool codr_conf_once(codr_conf_parser_t *parser, const codr_list_t *words,
    const char *key);

/* codr_conf_file.c: the directives up to the "}" of a language. */
bool codr_conf_language_block(codr_conf_parser_t *parser);

/* codr_conf_file.c: words[0] is the directive's name; false after a message
   in parser->error. */
bool codr_conf_take_include(codr_conf_parser_t *parser,
    const codr_conf_row_t *row, const codr_list_t *words);

/* Writes "FILE:LINE: ..." and returns false. */
bool codr_conf_fail(codr_conf_parser_t *parser, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif /* CODR_CONF_ROWS_H */
