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


/* 0, or negative errno. */
int codr_cell_prepare(codr_cell_t *cell);

/* In the new process: locks it up, checks the sources, answers, ends it.  A
   process that cannot be locked up ends without an answer. */
_Noreturn void codr_cell_run(const codr_cell_t *cell,
    const codr_policy_set_t *set, const codr_review_request_t *request,
    int image, int answer);

#endif /* CODR_CELL_H */
