/*
 * What init and the spawner are told of a stage.  Part of the broker.
 */

#ifndef CODR_COMMAND_H
#define CODR_COMMAND_H

#include "codr_job.h"

/* Whether the job's description fits into one message. */
bool codr_command_fits(const codr_job_t *job);

/* Handler of the job's sandbox. */
int codr_command_describe(codr_sandbox_t *sandbox);

codr_spawn_request_t codr_command_limits(const codr_job_t *job,
    codr_stage_t stage);

/* A run stage under these limits: two that ask for the same are equal, byte
   for byte. */
codr_spawn_request_t codr_command_run_limits(const codr_broker_t *broker,
    const codr_limits_t *limits, bool terminal);

#endif /* CODR_COMMAND_H */
