/*
 * What a client gives its running program, and the wall time that goes on with
 * it.  Runs in the broker.
 */

#define _GNU_SOURCE

#include "codr_job.h"

#include <errno.h>

#include "codr_answer.h"
#include "codr_log.h"
#include "codr_util.h"


/*
 * Wall time.  While somebody can type, it runs from the last input, bounded
 * in all; after the end of input, from there.
 */
void
codr_stage_deadline(codr_job_t *job)
{
    const uint64_t *value = job->limits.value;
    uint64_t        run_us = job->sandbox.started_us, from_us, at_us;
    uint64_t        last_us = run_us + CODR_US(value[CODR_LIMIT_MAX_MS]);

    if (job->state != CODR_JOB_RUNNING) {
        return;
    }

    if (job->eof) {
        from_us = job->eof_us > run_us ? job->eof_us : run_us;
        at_us = from_us + CODR_US(value[CODR_LIMIT_WALL_MS]);
        last_us = from_us == run_us ? at_us : last_us;
    } else {
        from_us = job->input_us > run_us ? job->input_us : run_us;
        at_us = from_us + CODR_US(value[CODR_LIMIT_INPUT_MS]);
    }

    codr_sandbox_deadline(&job->sandbox, at_us < last_us ? at_us : last_us);
}


void
codr_stage_input(codr_job_t *job, const void *data, size_t len)
{
    int      result;
    uint64_t limit = job->limits.value[CODR_LIMIT_STDIN];

    /* a ^D counts as no input: it must not follow nothing again and again */
    if (len == 0) {
        return;
    }
    if (len > limit - job->input_bytes) {
        codr_answer_notice(job->control, CODR_NOTICE_INPUT_TOO_LARGE,
                           "the job has had all the input it may have");
        return;
    }

    result = codr_stdio_input(&job->io, data, len);
    if (result == -EPIPE) {
        codr_answer_notice(job->control, CODR_NOTICE_INPUT_CLOSED,
                           "the program's input is closed");
        return;
    }
    if (result < 0) {
        codr_log(CODR_LEVEL_ERROR, -result, "keep input of a job");
        codr_answer_notice(job->control, CODR_NOTICE_INPUT_TOO_LARGE,
                           "there is no room for this input");
        return;
    }

    job->input_bytes += len;
    job->result->input_bytes = job->input_bytes;
    job->input_us = codr_now_us();
    job->eof = false;               /* on a terminal typing can go on */
    codr_stage_deadline(job);
}


void
codr_stage_eof(codr_job_t *job)
{
    if (job->eof) {
        return;
    }

    (void) codr_stdio_eof(&job->io);    /* without memory: no ^D */
    job->eof = true;
    job->eof_us = codr_now_us();
    job->result->input_closed = !job->io.terminal;
    codr_stage_deadline(job);
}


void
codr_stage_signal(codr_job_t *job, int signo)
{
    if (job->state != CODR_JOB_RUNNING || job->sandbox.run_us == 0) {
        codr_answer_notice(job->control, CODR_NOTICE_NOT_RUNNING,
                           "the program does not run yet");
        return;
    }

    codr_stdio_urge(&job->io);
    codr_sandbox_signal(&job->sandbox, signo);
}
