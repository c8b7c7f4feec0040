/*
 * A node that parks, as a ready sandbox has one, for the test of it.
 */

#ifndef CODR_NODE_PARK_H
#define CODR_NODE_PARK_H

#include <sys/types.h>

#include "codr_waiting.h"

typedef struct {
    int  in;
    int  out;                   /* stderr, too */
    int  slave;                 /* of a terminal instead, or -1 */
} codr_node_streams_t;


/*
 * Executes it, in a session of its own, lets it park, tells it its script and
 * streams, and lets it begin.  Its pid; -1 when that could not be had, and
 * nothing is left to wait for.
 */
pid_t codr_node_park_start(char *const *argv, char *const *envp,
    const codr_node_streams_t *streams);

#endif /* CODR_NODE_PARK_H */
