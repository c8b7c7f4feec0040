/*
 * The validator role: a warmed parent that forks a process a request.
 */

#ifndef CODR_SERVE_H
#define CODR_SERVE_H

#include <sys/types.h>

#include "codr_plans.h"

typedef struct {
    codr_plans_t  plans;
    const char   *policies;
    uid_t         uid;          /* what it becomes */
    gid_t         gid;
} codr_serve_t;

/* Descriptors as the table of codr_ipc.h says.  An exit status. */
int codr_serve(const codr_serve_t *serve);

#endif /* CODR_SERVE_H */
