/*
 * The grammars this validator was built with: a folder of validators/ each.
 */

#ifndef CODR_GRAMMAR_H
#define CODR_GRAMMAR_H

#include <stddef.h>

#include <tree_sitter/api.h>

typedef struct {
    const char        *name;
    const TSLanguage *(*language)(void);
    const char        *tables;          /* constants of the parser */
    const char        *tables_end;
} codr_grammar_t;


/* NULL when there is none of this name. */
const codr_grammar_t *codr_grammar_find(const char *name);

/* The grammars in order; NULL behind the last one. */
const codr_grammar_t *codr_grammar_at(size_t i);

#endif /* CODR_GRAMMAR_H */
