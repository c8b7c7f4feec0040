/*
 * What a job says to its worker: each function sends one frame.  A worker
 * that is gone is noticed when its socket is read.
 */

#ifndef CODR_ANSWER_H
#define CODR_ANSWER_H

#include "codr_job.h"
#include "codr_proto.h"
#include "codr_verdict.h"

typedef struct {
    codr_error_t  code;
    const char   *message;
    uint64_t      retry_ms;     /* 0 = none */
    int           limit;        /* codr_limit_id_t, or -1 */
    uint64_t      cap;
} codr_answer_error_t;

void codr_answer_queued(codr_job_t *job, size_t position, uint64_t wait_ms);
void codr_answer_started(codr_job_t *job);
void codr_answer_stage(codr_job_t *job, codr_stage_t stage);
void codr_answer_complete(codr_job_t *job, const codr_verdict_t *verdict);
void codr_answer_error(codr_job_t *job, const codr_answer_error_t *error);
void codr_answer_notice(codr_job_t *job, codr_notice_t code,
    const char *message);

/* data has CODR_STDIO_HEADROOM writable bytes before it. */
void codr_answer_output(codr_job_t *job, uint8_t stream, uint64_t offset,
    uint8_t *data, size_t len);

#endif /* CODR_ANSWER_H */
