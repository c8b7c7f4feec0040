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

/* A node of a shape; they are in the order of the source. */
typedef struct {
    uint16_t       symbol;          /* 0: any named node */
    uint16_t       field;           /* 0: whatever it is */
    uint16_t       absent[CODR_SHAPE_ABSENT];   /* fields; 0: none */
    uint32_t       capture[CODR_SHAPE_CAPTURES];
    uint8_t        captures;
    uint8_t        parent;          /* step */
    uint8_t        before;          /* the sibling before it, or none */
    uint8_t        end;             /* behind the last step below it */
    bool           any;             /* symbol 0: nodes without a name, too */
    bool           missing;         /* symbol 0: what the parser has put in */
    bool           immediate;       /* no named node between the two */
    bool           last;            /* no named node after it */
    bool           captured;        /* it, or a step below it */
    bool           held;            /* the sibling after it is immediate */
    bool           least;           /* of repeat: one */
    codr_shape_t  *repeat;          /* every child that is one of these */
    uint32_t       repeats;
} codr_shape_step_t;

struct codr_shape_s {
    uint32_t      pattern;          /* of the query */
    uint32_t      steps;
    codr_shape_step_t  *step;             /* the first one is the root */
};

/* All shapes of a query, by the symbol of their root. */
typedef struct {
    codr_shape_t  *shape;
    uint32_t       shapes;
    uint32_t      *first;           /* by symbol; 0: any; then errors */
    uint32_t       symbols;
    bool           whole;           /* no pattern is left to tree-sitter */
} codr_shapes_t;


/* Takes from the query what it can, and disables that there; nothing without
   its text.  0, or negative errno. */
int codr_shapes_take(codr_shapes_t *ret, const TSLanguage *language,
    TSQuery *query, const char *text);

void codr_shapes_free(codr_shapes_t *shapes);

#endif /* CODR_SHAPE_H */
