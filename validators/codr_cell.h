/*
 * The process that sees one source: how it is locked up, and what it does.
 */

#ifndef CODR_CELL_H
#define CODR_CELL_H

#include <linux/filter.h>

#include "codr_policy.h"
#include "codr_review_ipc.h"

/* What is made once, for all of them. */
typedef struct {
    struct sock_fprog  filter;
} codr_cell_t;


/* How a child ends that has answered: the grammar it has used, by its place,
   or EXIT_SUCCESS.  After a hostile source that is any number. */
#define CODR_CELL_USED  16

/* 0, or negative errno. */
int codr_cell_prepare(codr_cell_t *cell);

/* In the new process: waits for a request from the socket, gives that away,
   locks the process up, checks the sources, answers, ends.  A process that
   cannot be locked up ends without an answer. */
_Noreturn void codr_cell_run(const codr_cell_t *cell,
    const codr_policy_set_t *set, int peer);

#endif /* CODR_CELL_H */
