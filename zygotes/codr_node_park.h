/*
 * A node that parks, as a ready sandbox has one, for the test of it.
 */

#ifndef CODR_NODE_PARK_H
#define CODR_NODE_PARK_H

#include <stdbool.h>
#include <sys/types.h>

#include "codr_waiting.h"

typedef struct {
    int  in;
    int  out;                   /* stderr, too */
    int  slave;                 /* of a terminal instead, or -1 */
} codr_node_streams_t;


/*
 * Executes it, in a session of its own, lets it park, tells it its script and
 * streams, has it go ahead, and lets it begin, or (no leave) forgets it.  Its
 * pid; -1 when that could not be had, and nothing is left to wait for.
 */
pid_t codr_node_park_start(char *const *argv, char *const *envp,
    const codr_node_streams_t *streams, bool leave);

#endif /* CODR_NODE_PARK_H */
