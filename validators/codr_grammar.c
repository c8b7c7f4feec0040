/*
 * The table of grammars.  The build writes its rows, one a folder that holds
 * a bindings.scm: the name is the folder's, the package's and the parser's.
 */

#include "codr_grammar.h"

#include <string.h>

#include "codr_util.h"

#define GRAMMAR(name)                                                       \
    extern const TSLanguage *tree_sitter_##name(void);                      \
    extern const char __start_codr_tables_##name[];                         \
    extern const char __stop_codr_tables_##name[];
#include "codr_grammars.h"
#undef GRAMMAR

#define GRAMMAR(name)                                                       \
    { #name, tree_sitter_##name, __start_codr_tables_##name,                \
      __stop_codr_tables_##name },

static const codr_grammar_t grammars[] = {
#include "codr_grammars.h"
};


const codr_grammar_t *
codr_grammar_at(size_t i)
{
    return i < CODR_ARRAY_LEN(grammars) ? &grammars[i] : NULL;
}


const codr_grammar_t *
codr_grammar_find(const char *name)
{
    size_t                i;
    const codr_grammar_t *grammar;

    for (i = 0; (grammar = codr_grammar_at(i)) != NULL; i++) {
        if (strcmp(grammar->name, name) == 0) {
            return grammar;
        }
    }

    return NULL;
}
