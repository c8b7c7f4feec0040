/*
 * How a clone becomes a sandbox, before it knows of a job.
 */

#ifndef CODR_ENTER_H
#define CODR_ENTER_H

#include <stdint.h>

#include "codr_init.h"

/* All that is left above stdio: the broker, and for one that is to be parked
   the library; what has been begun of Landlock's rules comes last. */
#define CODR_ENTER_SOCKET   3
#define CODR_ENTER_LIBRARY  4

/*
 * First of all: the job's cgroup, so that nothing of it is charged to anybody
 * else, and the namespaces made before.  After it init has its own descriptors
 * and can tell of a failure: 0, or negative errno with the step.
 */
int codr_enter_join(const codr_init_t *given, uint32_t *ret_step);

/*
 * The rest of what takes privileges, and the end of them: mounts, credentials.
 * 0, or negative errno with the step.
 */
int codr_enter_become_job(const codr_init_t *given, uint32_t *ret_step);

/* Landlock's rules as far as they have been begun: a descriptor, or -1. */
int codr_enter_rules(const codr_init_t *given);

#endif /* CODR_ENTER_H */
