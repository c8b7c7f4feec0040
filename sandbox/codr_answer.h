/*
 * What a job says: each function makes one frame and hands it to those it is
 * for.  A worker that is gone is noticed when its socket is read.
 */

#ifndef CODR_ANSWER_H
#define CODR_ANSWER_H

#include "codr_client.h"
#include "codr_job.h"
#include "codr_proto.h"
#include "codr_verdict.h"

typedef struct {
    codr_error_t  code;
    const char   *message;
    uint64_t      retry_ms;     /* 0 = none */
    int           limit;        /* codr_limit_id_t, or -1 */
    uint64_t      cap;
    const void   *findings;     /* fields of findings, or NULL */
    size_t        findings_len;
} codr_answer_error_t;

/* To all clients of the job. */
void codr_answer_queued(codr_job_t *job, size_t position, uint64_t wait_ms);
void codr_answer_stage(codr_job_t *job, codr_stage_t stage);
void codr_answer_complete(codr_job_t *job, const codr_verdict_t *verdict);
void codr_answer_error(codr_job_t *job, const codr_answer_error_t *error);

/* data has CODR_BATCH_HEADROOM writable bytes before it. */
void codr_answer_output(codr_job_t *job, uint8_t stream, uint8_t *data,
    size_t len);

/* To one. */
void codr_answer_accepted(codr_client_t *client);
void codr_answer_started(codr_client_t *client);
void codr_answer_taken(codr_client_t *client);
void codr_answer_lost(codr_client_t *client);
void codr_answer_record(codr_client_t *client);
void codr_answer_fetched(codr_client_t *client);
void codr_answer_refusal(codr_client_t *client, codr_error_t code,
    const char *message);

/* Accepts NULL. */
void codr_answer_notice(codr_client_t *client, codr_notice_t code,
    const char *message);

#endif /* CODR_ANSWER_H */
