/*
 * Resource limits of a program.
 */

#ifndef CODR_RLIM_H
#define CODR_RLIM_H

#include <stdbool.h>

#include "codr_ipc.h"

/*
 * Applies the limits of the request to the calling process.  memory: bound
 * each process by RLIMIT_DATA too, for want of a cgroup.
 */
int codr_rlim_apply(const codr_spawn_request_t *request, bool memory);

/* No core of this process and what it starts; the filter of system calls does
   not let a program change it.  0, or negative errno. */
int codr_rlim_no_core(void);

/* As many descriptors as the host allows, for a spawner of many slots. */
void codr_rlim_raise_files(void);

#endif /* CODR_RLIM_H */
