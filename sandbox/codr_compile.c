/*
 * The compile stage: what the compiler says and leaves behind, and what the
 * client is told of it.  Runs in the broker.
 */

#define _GNU_SOURCE

#include "codr_compile.h"

#include <stdlib.h>
#include <string.h>

#include "codr_answer.h"
#include "codr_fingerprint.h"
#include "codr_words.h"


static void
fail(codr_job_t *job, codr_error_t code, const char *message)
{
    codr_job_refuse(job, code, message, 0);
}


/* The cache */


static void
identify(codr_job_t *job)
{
    codr_broker_t           *broker = job->broker;
    const codr_request_t    *request = &job->request;
    const codr_fingerprint_t of = {
        .owner = job->config->cache_shared ? NULL : request->owner,
        .owner_len = request->owner_len,
        .toolchain = broker->toolchain,
        .language = job->language,
        .source = &job->source,
    };

    job->toolchain = broker->toolchain;
    job->cacheable = job->language->compile.count > 0
                     && broker->cache.size > 0
                     && codr_fingerprint(&job->key, &of);
}


/* What has been compiled meanwhile, by the present toolchain; a program that
   this job could not have made is not for it. */
static const codr_cached_t *
recall(codr_job_t *job)
{
    const codr_cached_t *entry;

    if (!job->identified) {
        job->identified = true;
        identify(job);
    }

    if (!job->cacheable || job->toolchain != job->broker->toolchain) {
        return NULL;
    }

    entry = codr_cache_find(&job->broker->cache, &job->key);
    return entry && entry->size <= job->caps.value[CODR_LIMIT_DISK] ? entry
                                                                    : NULL;
}


codr_compile_need_t
codr_compile_needs(codr_job_t *job)
{
    if (job->language->compile.count == 0 || job->artefact.memfd != -1
        || recall(job))
    {
        return CODR_COMPILE_NOTHING;
    }

    return job->cacheable && !job->alone
           && codr_cache_is_underway(&job->broker->cache, &job->key)
           ? CODR_COMPILE_PATIENCE : CODR_COMPILE_PLACE;
}


/* False: it has to be compiled after all. */
static bool
take_cached(codr_job_t *job, const codr_cached_t *entry)
{
    codr_compile_figures_t *compile = &job->compile;

    if (!codr_dispatch_store(job->broker, job, entry->size)) {
        return false;
    }
    /* which may have taken its room from this very entry */
    entry = recall(job);
    if (entry == NULL || codr_cache_copy(entry, &job->artefact) < 0) {
        return false;
    }

    compile->done = compile->cached = true;
    compile->words = entry->words ? strdup(entry->words) : NULL;
    job->broker->cache.hits++;
    return true;
}


bool
codr_compile_begin(codr_job_t *job)
{
    const codr_cached_t *entry;

    if (job->language->compile.count == 0 || job->artefact.memfd != -1) {
        return false;
    }

    entry = recall(job);
    if (entry && take_cached(job, entry)) {
        return false;
    }

    if (job->cacheable) {
        job->broker->cache.misses++;
        codr_cache_take_off(&job->broker->cache, &job->flight, &job->key);
    }

    return true;
}


void
codr_compile_land(codr_job_t *job, bool failed)
{
    if (job->flight.underway) {
        codr_cache_land(&job->broker->cache, &job->flight, failed);
        codr_dispatch_soon(job->broker);
    }
}


/* Nothing is lost where it cannot be kept. */
static void
keep_artefact(codr_job_t *job)
{
    if (job->cacheable && job->toolchain == job->broker->toolchain) {
        (void) codr_cache_put(&job->broker->cache, &job->key,
                              &job->sandbox.artefact, job->compile.words);
    }
    codr_compile_land(job, false);
}


/* The stage */


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

    codr_compile_land(job, true);

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

    keep_artefact(job);

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
        codr_compile_land(job, true);
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
