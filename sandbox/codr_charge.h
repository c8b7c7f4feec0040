/*
 * What a job is charged for: that it is there, and the CPU time it has used.
 */

#ifndef CODR_CHARGE_H
#define CODR_CHARGE_H

#include "codr_job.h"

/* It counts from now on, once however often it starts: 0, -EDQUOT or
   -ENOMEM. */
int codr_charge_begin(codr_job_t *job);

/* It has ended, and its client is about to be told. */
void codr_charge_cpu(codr_job_t *job);

/* It does not count any more; accepts one that never did. */
void codr_charge_end(codr_job_t *job);

#endif /* CODR_CHARGE_H */
