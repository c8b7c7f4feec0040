/*
 * What a pattern says besides the tree it looks for: predicates that must
 * hold, and properties.
 */

#ifndef CODR_PATTERN_H
#define CODR_PATTERN_H

#define PCRE2_CODE_UNIT_WIDTH 8

#include <pcre2.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "codr_sieve.h"

#define CODR_NO_CAPTURE     UINT32_MAX
#define CODR_NO_RULE        UINT32_MAX

typedef enum {
    CODR_PREDICATE_EQUAL = 0,       /* text: a string or another capture */
    CODR_PREDICATE_MATCH,           /* text: regular expression */
    CODR_PREDICATE_PATH,            /* resolved path */
    CODR_PREDICATE_CONST,           /* constant string */
    CODR_PREDICATE_CONST_MATCH,
    CODR_PREDICATE_FIND,            /* where in its text; further words: one
                                       of them is in it */
    CODR_PREDICATE_LINE_BELOW,
    CODR_PREDICATE_INSIDE           /* an ancestor's type */
} codr_predicate_kind_t;

typedef struct codr_predicate_s {
    codr_predicate_kind_t  kind;
    bool                   negate;
    bool                   any;         /* of a quantified capture's nodes */
    bool                   letters;     /* MATCH: nothing but "[letters]" */
    uint8_t                listed;      /* PATH: 1 and the number of its bit in
                                           the listing; or 0 */
    uint32_t               capture;
    uint32_t               other;       /* EQUAL: capture, else strings */
    uint32_t               words;
    uint32_t               number;
    char                 **word;        /* owned */
    uint32_t              *length;      /* of each word: they may hold NUL */
    uint64_t               lengths;     /* bits: those that there are, and */
    uint64_t               initials;    /* first bytes, modulo 64 */

    bool                  *wild;        /* PATH: a word with '*' */
    uint32_t              *symbol;      /* INSIDE: 0 ends them */
    pcre2_code            *regex;
    codr_sieve_t           sieve;       /* PATH */
} codr_predicate_t;

/* Where a binding's name belongs. */
typedef enum {
    CODR_PLACE_NEAREST = 0,
    CODR_PLACE_OUTER,
    CODR_PLACE_FUNCTION,
    CODR_PLACE_ROOT
} codr_place_t;

typedef enum {
    CODR_SCOPE_NONE = 0,
    CODR_SCOPE_BLOCK,
    CODR_SCOPE_FUNCTION,
    CODR_SCOPE_CLASS
} codr_scope_t;

typedef enum {
    CODR_SEVERITY_ERROR = 0,        /* refuses */
    CODR_SEVERITY_WARNING           /* is told */
} codr_severity_t;

typedef struct {
    codr_predicate_t  *predicate;
    size_t             predicates;
    uint32_t           rule;        /* of the set, or CODR_NO_RULE */
    uint64_t           roles;       /* of bindings: bits of its captures' */

    /* #set!; the other strings are the query's */
    const char        *id;
    char              *message;     /* owned */
    codr_severity_t    severity;
    const char        *prefix;
    codr_place_t       place;
    codr_scope_t       scope;
    bool               lasting;     /* predicates resolve nothing */
    bool               after;
    bool               raw;
} codr_pattern_t;


struct codr_query_s;

/* Reads predicates and properties of one pattern of the query.  0, or
   negative errno and *ret_what says what is wrong. */
int codr_pattern_read(codr_pattern_t *pattern,
    const struct codr_query_s *query, uint32_t index, char *ret_what,
    size_t size);

void codr_pattern_free(codr_pattern_t *pattern);

#endif /* CODR_PATTERN_H */
