/*
 * One query file: its head, its patterns, what each pattern says besides the
 * tree it looks for.
 */

#ifndef CODR_QUERY_H
#define CODR_QUERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "codr_gate.h"
#include "codr_grammar.h"
#include "codr_list.h"
#include "codr_pattern.h"
#include "codr_shape.h"

#define CODR_QUERY_SIZE     (512 * 1024)    /* bytes of a file */
#define CODR_QUERY_ERROR    512

/* Where a mistake is: "FILE:LINE:COLUMN: what", as compilers say it. */
typedef struct {
    char  text[CODR_QUERY_ERROR];
} codr_query_error_t;

/* "; list NAME: WORD ...", "; message NAME: TEXT" */
typedef struct {
    char         *name;
    codr_list_t   words;
} codr_query_list_t;

/* "; rewrite: FROM => TO" */
typedef struct {
    const char  *from;
    const char  *to;
} codr_query_rewrite_t;

typedef struct codr_query_s codr_query_t;

struct codr_query_s {
    codr_query_t          *next;        /* of the set it belongs to */
    char                  *path;
    char                  *text;
    size_t                 length;
    bool                   bindings;    /* else a policy */
    const codr_grammar_t  *grammar;
    codr_query_t          *inherits;    /* or NULL */

    codr_list_t            except;      /* rules of inherited files */
    codr_query_list_t     *list;
    size_t                 lists;
    codr_query_list_t     *message;     /* its words are lines */
    size_t                 messages;
    codr_query_rewrite_t  *rewrite;
    size_t                 rewrites;
    codr_list_t            strip;
    bool                   splice;
    char                   comments;    /* how a line of one begins, or NUL */
    bool                   plain;       /* all is left to tree-sitter */

    TSQuery               *query;
    codr_pattern_t        *pattern;     /* one for each of the query's */
    uint32_t               patterns;
    codr_shapes_t          shapes;      /* and query has what they have not */
    codr_gates_t           gates;       /* of the shapes */
    uint32_t               refuse;      /* capture, or UINT32_MAX */
    uint8_t               *role;        /* of each capture: bindings */
    uint32_t               captures;
};


/*
 * Reads a file up to its patterns: the head.  ret_inherits gets the path as
 * it is written, or NULL; it lives as long as the query.
 */
int codr_query_open(codr_query_t **ret, const char *path, bool bindings,
    const char **ret_inherits, codr_query_error_t *error);

/* Compiles the patterns; the inherited file is set by then, and plain. */
int codr_query_compile(codr_query_t *query, const codr_grammar_t *grammar,
    codr_query_error_t *error);

/* The words of a list of this file or of one it inherits, or NULL. */
const codr_list_t *codr_query_words(const codr_query_t *query,
    const char *name);

/* The lines of a message, likewise. */
const codr_list_t *codr_query_message(const codr_query_t *query,
    const char *name, size_t len);

/* A mistake at a byte of the file.  Returns -EINVAL. */
int codr_query_mistake(const codr_query_t *query, size_t offset,
    codr_query_error_t *error, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

void codr_query_free(codr_query_t *query);

#endif /* CODR_QUERY_H */
