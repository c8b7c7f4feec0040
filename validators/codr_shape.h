/*
 * The trees that patterns look for, as the engine itself matches them: much
 * faster than tree-sitter's cursor, which keeps a state for every pattern that
 * has begun.  What a pattern has that shapes do not know stays tree-sitter's.
 */

#ifndef CODR_SHAPE_H
#define CODR_SHAPE_H

#include <stdbool.h>
#include <stdint.h>

#include <tree_sitter/api.h>

#define CODR_SHAPE_STEPS    32      /* nodes of one shape */
#define CODR_SHAPE_CAPTURES 2       /* of one node */
#define CODR_SHAPE_ABSENT   2       /* "!field" of one node */
#define CODR_NO_STEP        UINT8_MAX
#define CODR_SYMBOL_ERROR   UINT16_MAX

typedef struct codr_shape_s codr_shape_t;
struct codr_predicate_s;

/* A node of a shape; they are in the order of the source.  Two of them are a
   line of the processor's cache. */
typedef struct {
    uint16_t  symbol;               /* 0: any named node */
    uint16_t  field;                /* 0: whatever it is */
    uint16_t  absent[CODR_SHAPE_ABSENT];        /* fields; 0: none */
    uint16_t  capture[CODR_SHAPE_CAPTURES];
    uint8_t   captures;
    uint8_t   parent;               /* step */
    uint8_t   before;               /* the sibling before it, or none */
    uint8_t   end;                  /* behind the last step below it */
    uint8_t   listed;               /* a gate: 1 and the number of a bit of the
                                       listing; or 0 */
    bool      any : 1;              /* symbol 0: nodes without a name, too */
    bool      missing : 1;          /* symbol 0: what the parser has put in */
    bool      immediate : 1;        /* no named node between the two */
    bool      last : 1;             /* no named node after it */
    bool      captured : 1;         /* it, or a step below it */
    bool      held : 1;             /* the sibling after it is immediate */
    bool      least : 1;            /* of repeat: one */
    uint16_t  repeats;
    union {
        codr_shape_t                   *repeat; /* every child that is one of
                                                   these, where there are any */
        const struct codr_predicate_s  *text;   /* else a gate, or NULL */
    };
} codr_shape_step_t;

_Static_assert(sizeof(codr_shape_step_t) == 32, "steps have grown");

struct codr_shape_s {
    uint64_t      needs;            /* a gate: kinds of children */
    uint64_t      listed;           /* that of the root */
    codr_shape_step_t  *step;       /* the first one is the root */
    uint32_t      pattern;          /* of the query */
    uint8_t       steps;
    bool          plain;            /* of the root only the symbol counts */
    bool          sure;             /* and there is nothing but the root, which
                                       is asked for its paths first */
};

/* All shapes of a query, by the symbol of their root. */
typedef struct {
    codr_shape_t  *shape;
    uint32_t       shapes;
    codr_shape_step_t  *step;       /* of all of them, in their order */
    uint32_t      *first;           /* by symbol; 0: any; then errors */
    uint64_t      *listed;          /* likewise: bits one of which a path must
                                       have; 0: not for all shapes */
    uint32_t       symbols;
    bool           whole;           /* no pattern is left to tree-sitter */
} codr_shapes_t;


/* Takes from the query what it can, and disables that there; nothing without
   its text.  0, or negative errno. */
int codr_shapes_take(codr_shapes_t *ret, const TSLanguage *language,
    TSQuery *query, const char *text);

/* Where shapes of a symbol are: errors come last.  0 is no symbol of a node: it
   is the end, and so stands for any. */
static inline uint32_t
codr_shapes_slot(uint32_t symbols, uint16_t symbol)
{
    return symbol == CODR_SYMBOL_ERROR ? symbols : symbol;
}

void codr_shapes_free(codr_shapes_t *shapes);

#endif /* CODR_SHAPE_H */
