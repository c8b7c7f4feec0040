/*
 * What a bindings.scm says about one source: facts about nodes, and names in
 * scopes.
 */

#ifndef CODR_FACTS_H
#define CODR_FACTS_H

#include <stdbool.h>
#include <stdint.h>

#include "codr_query.h"
#include "codr_roles.h"
#include "codr_tree.h"

typedef struct {
    uint32_t  id;               /* capture of the query */
    uint32_t  node;
} codr_capture_t;

/* A match of a query, as predicates see it. */
typedef struct {
    const codr_query_t    *query;
    const codr_pattern_t  *pattern;
    const codr_capture_t  *capture;
    uint32_t               captures;
} codr_match_t;

typedef struct codr_fact_s codr_fact_t;

/* One match of the bindings; it may be a fact about several nodes. */
struct codr_fact_s {
    codr_fact_t     *next;          /* of all */
    codr_match_t     match;
    codr_capture_t   capture[];     /* of the match */
};

/* A fact in the list of a node. */
typedef struct codr_about_s codr_about_t;

struct codr_about_s {
    codr_about_t       *next;
    codr_role_t         kind;       /* of the capture that is the node */
    const codr_fact_t  *fact;
};

/* A name in a scope. */
typedef struct codr_entry_s codr_entry_t;

struct codr_entry_s {
    codr_entry_t       *next;
    const char         *name;       /* folded; NULL: a star import */
    uint32_t            scope;
    uint32_t            node;       /* the name's */
    codr_role_t         kind;       /* DEFINE, BIND_NAME, IMPORT_PATH, ... */
    const codr_fact_t  *fact;
    const struct codr_value_s  *star;   /* its paths, when somebody asked */
    bool                asked;      /* whether what never changes holds, */
    bool                holds;      /* and it does */
};

typedef struct {
    codr_fact_t    *first;
    codr_fact_t   **last;
    codr_entry_t  **bucket;         /* by scope and name */
    uint32_t        buckets;
    bool            stars;          /* there is a star import */
} codr_facts_t;


struct codr_check_s;

/* Runs the bindings over the tree.  False: the budget or memory is over. */
bool codr_facts_collect(struct codr_check_s *check);

/* The first entry of a bucket that may hold this name of this scope. */
codr_entry_t *codr_facts_bucket(const codr_facts_t *facts, uint32_t scope,
    const char *name);

/* The node of the i-th capture with a role, or CODR_NO_NODE. */
uint32_t codr_match_node(const codr_match_t *match, codr_role_t role,
    uint32_t i);

#endif /* CODR_FACTS_H */
