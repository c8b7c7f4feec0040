/*
 * A parsed source as a flat table of nodes in document order, so that nothing
 * after the parser walks a tree that a hostile source has shaped.
 */

#ifndef CODR_TREE_H
#define CODR_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <tree_sitter/api.h>

#include "codr_arena.h"
#include "codr_budget.h"
#include "codr_grammar.h"
#include "codr_source_text.h"

#define CODR_NO_NODE    UINT32_MAX

struct codr_about_s;
struct codr_value_s;

/* Two of them are a line of the processor's cache. */
typedef struct {
    uint32_t  parent;               /* of the root: itself */
    uint32_t  next;                 /* behind the last one below it */
    uint32_t  start;
    uint32_t  end;
    uint32_t  scope;                /* the nearest around it */
    uint32_t  meaning;              /* 0: none */
    uint16_t  symbol;
    uint16_t  field;                /* that it is, or 0 */
    uint8_t   scope_kind;           /* codr_scope_t, when it is one */
    bool      named : 1;
    bool      extra : 1;            /* a comment */
    bool      missing : 1;          /* what the parser has put in */
    bool      reference : 1;
    bool      name : 1;             /* and so no reference */
} codr_node_t;

_Static_assert(sizeof(codr_node_t) == 32, "rows have grown");

/* What some nodes have: facts about it, and what they come to. */
typedef struct {
    struct codr_about_s        *about;
    const struct codr_value_s  *value;      /* once it is resolved */
} codr_meaning_t;

typedef struct {
    codr_text_t      text;
    codr_arena_t    *arena;
    TSTree          *tree;
    codr_node_t     *node;
    uint32_t         count;
    codr_meaning_t  *meaning;   /* the first one is nobody's, and empty */
    uint32_t         meanings;
    uint32_t        *slot;      /* nodes by their id, when it was asked */
    const void     **id;        /* tree-sitter's */
    uint32_t         mask;
} codr_tree_t;


/* Parses.  False: budget says why, or there is no memory.  ret must be freed
   in any case. */
bool codr_tree_parse(codr_tree_t *ret, codr_arena_t *arena,
    const codr_grammar_t *grammar, const codr_text_t *text,
    codr_budget_t *budget);

/* What the node means so far; to be changed, where it has none, too. */
static inline const codr_meaning_t *
codr_tree_meaning(const codr_tree_t *tree, uint32_t node)
{
    return &tree->meaning[tree->node[node].meaning];
}

codr_meaning_t *codr_tree_mean(codr_tree_t *tree, uint32_t node);

/* CODR_NO_NODE for one that is not of this tree. */
uint32_t codr_tree_index(codr_tree_t *tree, const void *id,
    codr_budget_t *budget);

void codr_tree_free(codr_tree_t *tree);

#endif /* CODR_TREE_H */
