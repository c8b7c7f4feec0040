/*
 * The stages of a job, from the queue to its end.
 */

#ifndef CODR_STAGE_H
#define CODR_STAGE_H

#include <stdbool.h>
#include <stddef.h>

#include "codr_broker.h"
#include "codr_proto.h"

/* It has left the queue: STARTED, then its first stage. */
void codr_stage_begin(codr_job_t *job);

/* The last stage: its artefact is there. */
void codr_stage_run(codr_job_t *job);

/* Input, end of input, resize, signal: what the run stage does with them, and
   with its deadline (codr_stage_input.c). */
void codr_stage_input(codr_job_t *job, const void *data, size_t len);
void codr_stage_eof(codr_job_t *job);
void codr_stage_signal(codr_job_t *job, int signo);
void codr_stage_deadline(codr_job_t *job);

/* The verdict of its policy is there. */
void codr_stage_inspected(codr_job_t *job);

/* The client wants it ended. */
void codr_stage_stop(codr_job_t *job);

/* Whether its output has to wait for its client may have changed. */
void codr_stage_flow(codr_job_t *job);

/* Gives back place and compile place; accepts a job that has none. */
void codr_stage_release(codr_job_t *job);

/* Whether it may begin: a compiler that is known to run nothing of the user's
   need not wait for the verdict, only what it makes and says. */
bool codr_stage_may_run(const codr_job_t *job);

/* Compiling or running: which stage it is in. */
codr_stage_t codr_stage_of(const codr_job_t *job);

#endif /* CODR_STAGE_H */
