/*
 * Where the sandbox of a stage comes from.  Part of the broker.
 */

#ifndef CODR_SUPPLY_H
#define CODR_SUPPLY_H

#include "codr_job.h"

/* Gives the job, whose sandbox is initialised, the sandbox of this stage: a
   ready one where it may be and there is one.  0, or negative errno as of
   codr_sandbox_start(). */
int codr_supply_sandbox(codr_job_t *job, codr_stage_t stage);

/* Handler of the job's sandbox: takes the master side over. */
void codr_supply_terminal(codr_sandbox_t *sandbox, int master);

#endif /* CODR_SUPPLY_H */
