/*
 * A request for a sandbox, as the spawner takes it from the broker.
 */

#ifndef CODR_SPAWN_REQUEST_H
#define CODR_SPAWN_REQUEST_H

#include <stdbool.h>

#include "codr_ipc.h"

/* The broker has combined limits of people; here only what is sane counts.
   Whether there is such a slot is another question. */
bool codr_spawn_request_is_sane(const codr_spawn_request_t *request);

#endif /* CODR_SPAWN_REQUEST_H */
