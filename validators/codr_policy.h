/*
 * All policies of a configuration, compiled once.
 *
 * A policy is what one language says at one level: the query files that its
 * own file inherits, and itself, with the bindings of its grammar.  Rules are
 * numbered through all files; the numbers are all that a check ever answers.
 */

#ifndef CODR_POLICY_H
#define CODR_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "codr_proto.h"
#include "codr_query.h"

#define CODR_POLICY_FILES   8       /* that one policy inherits, itself too */
#define CODR_POLICY_RULES   8192    /* of all files */

typedef struct {
    const char       *id;
    const char       *message;
    codr_severity_t   severity;
} codr_rule_t;

typedef struct {
    codr_query_t  *query[CODR_POLICY_FILES];    /* inherited ones first */
    size_t         queries;
    codr_query_t  *bindings;        /* of the grammar, or NULL */
    bool          *skip;            /* rules that "except" drops, or NULL */
} codr_policy_t;

/* What a configuration wants of a language. */
typedef struct {
    const char  *name;              /* of the language */
    const char  *grammar;           /* NULL: by the language's name */
    const char  *file;              /* NULL: the shipped one; a directory has a
                                       file a level */
} codr_policy_plan_t;

typedef struct {
    char                  *name;
    const codr_grammar_t  *grammar;     /* NULL: unchecked */
    codr_policy_t          level[CODR_POLICY_LEVELS];
} codr_policy_language_t;

typedef struct {
    const char              *dir;
    bool                     plain;     /* leave all to tree-sitter */
    codr_query_t            *queries;   /* all files, once each */
    codr_rule_t             *rule;
    uint32_t                 rules;
    codr_policy_language_t  *language;
    size_t                   languages;
} codr_policy_set_t;


/* Reads and compiles what a language needs.  0; -ENOENT when the language has
   no grammar and no policy and named none; else negative errno and error,
   -ENOTDIR when there is no directory of policies. */
int codr_policy_add(codr_policy_set_t *set, const codr_policy_plan_t *plan,
    codr_query_error_t *error);

/* NULL: unchecked. */
const codr_policy_language_t *codr_policy_find(const codr_policy_set_t *set,
    const char *language);

/* "error" or "warning". */
const char *codr_rule_severity(const codr_rule_t *rule);

void codr_policy_free(codr_policy_set_t *set);

#endif /* CODR_POLICY_H */
