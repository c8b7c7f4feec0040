/*
 * The compile stage: what the compiler says and leaves behind, and what the
 * client is told of it.  Runs in the broker.
 */

#define _GNU_SOURCE

#include "codr_compile.h"

#include <stdlib.h>
#include <string.h>

#include "codr_answer.h"
#include "codr_words.h"


static void
fail(codr_job_t *job, codr_error_t code, const char *message)
{
    codr_job_refuse(job, code, message, 0);
}


void
codr_compile_release(codr_job_t *job)
{
    if (job->holds_compile) {
        job->holds_compile = false;
        job->broker->compiling--;
        codr_dispatch_soon(job->broker);
    }
}


void
codr_compile_output(codr_stdio_t *io, uint8_t stream, uint8_t *data,
    size_t len)
{
    codr_job_t *job = io->data;

    (void) stream;

    if (job->words == NULL) {
        job->words = malloc(CODR_WORDS_MAX);
        if (job->words == NULL) {
            return;                 /* the job goes on without them */
        }
    }

    if (len > CODR_WORDS_MAX - job->words_len) {
        len = CODR_WORDS_MAX - job->words_len;
    }

    memcpy(job->words + job->words_len, data, len);
    job->words_len += len;
}


static void
keep_compile_figures(codr_job_t *job)
{
    size_t                    size;
    const codr_sandbox_end_t *end = &job->sandbox.end;
    codr_compile_figures_t   *compile = &job->compile;

    compile->done = true;
    compile->cpu_us = end->cpu_us;
    compile->wall_us = end->wall_us;
    compile->memory_peak = end->memory_peak;

    if (job->words_len > 0) {
        compile->words = malloc(CODR_WORDS_MAX);
        if (compile->words) {
            size = codr_words_clean(compile->words, CODR_WORDS_MAX,
                                    job->words, job->words_len);
            compile->words[size] = '\0';
        }
    }

    free(job->words);
    job->words = NULL;
}


static const char *
limit_message(codr_status_t status)
{
    if (status == CODR_STATUS_MEMORY_LIMIT) {
        return "the compiler needed too much memory";
    }
    if (status == CODR_STATUS_DISK_LIMIT) {
        return "the compiler needed too much disk space";
    }
    if (status == CODR_STATUS_OUTPUT_LIMIT) {
        return "the compiler exceeded a limit";
    }

    return "the compiler took too long";
}


static void
fail_compile(codr_job_t *job)
{
    const char *words = job->compile.words;

    if (words && codr_words_tell_full(words)) {
        fail(job, CODR_ERROR_COMPILE_LIMIT,
             limit_message(CODR_STATUS_DISK_LIMIT));
        return;
    }

    fail(job, CODR_ERROR_COMPILE_ERROR,
         words && *words ? words : "the compiler made no program");
}


static void
compile_succeeded(codr_job_t *job)
{
    if (!job->sandbox.artefact.sealed) {
        if (job->sandbox.end.flags & CODR_EXITED_NO_ARTEFACT) {
            fail_compile(job);
        } else {
            fail(job, CODR_ERROR_INTERNAL, "the program was lost");
        }
        return;
    }

    if (!codr_dispatch_store(job->broker, job, job->sandbox.artefact.size)) {
        fail(job, CODR_ERROR_BUSY, "no room for the program");
        return;
    }

    job->artefact = job->sandbox.artefact;
    job->sandbox.artefact = CODR_ARTEFACT_NONE;
    codr_stage_run(job);
}


void
codr_compile_ended(codr_job_t *job)
{
    codr_verdict_t verdict = codr_verdict(&job->sandbox.end);

    codr_stdio_close(&job->compiler);
    keep_compile_figures(job);

    codr_compile_release(job);

    switch (verdict.status) {

    case CODR_STATUS_OK:
        compile_succeeded(job);
        return;

    case CODR_STATUS_ERROR:
    case CODR_STATUS_SIGNALED:
        fail_compile(job);
        return;

    case CODR_STATUS_CPU_LIMIT:
    case CODR_STATUS_WALL_LIMIT:
    case CODR_STATUS_MEMORY_LIMIT:
    case CODR_STATUS_OUTPUT_LIMIT:
    case CODR_STATUS_DISK_LIMIT:
        fail(job, CODR_ERROR_COMPILE_LIMIT, limit_message(verdict.status));
        return;

    case CODR_STATUS_STOPPED:
        /* its figures are the compiler's: the program never ran */
        codr_sandbox_init(&job->sandbox, &job->broker->loop, NULL, job);
        codr_answer_complete(job, &verdict);
        codr_job_finish(job);
        return;

    case CODR_STATUS_INTERNAL:
    case CODR_STATUS_COUNT:
        fail(job, CODR_ERROR_INTERNAL, "the compile stage was lost");
        return;
    }
}
