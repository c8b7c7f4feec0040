/*
 * What can be known of a pattern before it is tried: which children its root
 * must have, which text one of its nodes, and in which lists a path must be.
 * A shape that does not get through a gate has no match that holds.
 */

#ifndef CODR_GATE_H
#define CODR_GATE_H

#include <stdint.h>

#include "codr_listing.h"
#include "codr_pattern.h"
#include "codr_shape.h"

#define CODR_GATE_KINDS     64

/* A kind of child: its symbol, its field, or both; 0: whatever it is. */
typedef struct {
    uint16_t  symbol;
    uint16_t  field;
} codr_gate_kind_t;

typedef struct {
    codr_gate_kind_t  kind[CODR_GATE_KINDS];
    uint32_t          kinds;
    uint64_t         *symbol;       /* the kinds it may be, by slot */
    uint64_t         *field;        /* likewise */
    codr_listing_t    listing;      /* of the words of #path? */
} codr_gates_t;


struct codr_query_s;

/* Gives the shapes of a query their gates.  0, or negative errno. */
int codr_gates_make(codr_gates_t *ret, struct codr_query_s *query);

void codr_gates_free(codr_gates_t *gates);

#endif /* CODR_GATE_H */
