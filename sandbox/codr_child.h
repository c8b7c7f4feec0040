/*
 * Role processes: children of the keeper and of the supervisor.
 */

#ifndef CODR_CHILD_H
#define CODR_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "codr_list.h"

#define CODR_CHILD_FDS  4

/* Where a descriptor of ours goes in the child. */
typedef struct {
    int  ours;
    int  theirs;            /* one of the table in codr_ipc.h */
} codr_child_fd_t;

typedef struct {
    int               self;         /* of our own executable */
    bool              outlives;     /* else it is killed when we die */
    codr_list_t       argv;
    codr_child_fd_t   fd[CODR_CHILD_FDS];
    size_t            fds;
} codr_child_plan_t;

/* When to try again after a process ended that should not have. */
typedef struct {
    uint64_t  started_us;
    unsigned  failures;             /* quick ends in a row */
} codr_throttle_t;


/* Starts the role.  Its pid, or negative errno. */
pid_t codr_child_start(const codr_child_plan_t *plan);

void codr_throttle_started(codr_throttle_t *throttle, uint64_t now_us);

/* Returns the delay before the next start. */
uint64_t codr_throttle_ended(codr_throttle_t *throttle, uint64_t now_us);

#endif /* CODR_CHILD_H */
