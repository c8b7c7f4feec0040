/*
 * Layers: which isolation mechanisms this host gives, found out by trying.
 */

#ifndef CODR_LAYER_H
#define CODR_LAYER_H

#include <stdbool.h>
#include <stdint.h>

#include "codr_ipc.h"
#include "codr_proto.h"

typedef struct {
    uint8_t  state[CODR_LAYER_COUNT];   /* codr_layer_state_t */
} codr_layers_t;

typedef struct {
    bool         required;
    const char  *meaning;       /* what it does for the operator */
    const char  *advice;        /* how to get it */
} codr_layer_info_t;


const codr_layer_info_t *codr_layer_info(codr_layer_id_t layer);

/* The layer of that name, or -1. */
int codr_layer_by_name(const char *name);

/*
 * Tries each layer but the cgroup ones, which are MISSING or ABSENT afterwards,
 * in children of its own.  Changes nothing in the calling process.
 */
void codr_layer_probe(codr_layers_t *ret);

void codr_layer_set(codr_layers_t *layers, codr_layer_id_t layer, bool there);

/* A missing required layer becomes a waived one.  False for what no sandbox
   can do without. */
bool codr_layer_waive(codr_layers_t *layers, codr_layer_id_t layer);

/* Without root: its own uids and cgroups are waived, and said so. */
bool codr_layer_unprivileged(void);

static inline bool
codr_layer_ok(const codr_layers_t *layers, codr_layer_id_t layer)
{
    return layers->state[layer] == CODR_LAYER_OK;
}

#endif /* CODR_LAYER_H */
