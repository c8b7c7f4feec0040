/*
 * The stages of a job: compile (for compiled languages), then run.  Runs in
 * the broker.
 *
 * advance() is called whenever something about the sandbox or the streams has
 * changed, looks at what is true now, and does the next step.  A stage is over
 * when its sandbox is gone and what it wrote has been read to the end; only
 * then anything final is said.
 */

#define _GNU_SOURCE

#include "codr_job.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codr_answer.h"
#include "codr_command.h"
#include "codr_compile.h"
#include "codr_inspect.h"
#include "codr_log.h"
#include "codr_supply.h"
#include "codr_util.h"


static void sandbox_started(codr_sandbox_t *sandbox);
static void sandbox_changed(codr_sandbox_t *sandbox);
static void run_output(codr_stdio_t *io, uint8_t stream, uint8_t *data,
    size_t len);
static void streams_ended(codr_stdio_t *io);
static void line_truncated(codr_stdio_t *io);
static void advance(codr_job_t *job);

static const codr_sandbox_handlers_t sandbox_handlers = {
    codr_command_describe, codr_supply_terminal, sandbox_started,
    sandbox_changed,
};

static const codr_stdio_handlers_t run_handlers = {
    run_output, streams_ended, line_truncated,
};

static const codr_stdio_handlers_t compiler_handlers = {
    codr_compile_output, streams_ended, line_truncated,
};


codr_stage_t
codr_stage_of(const codr_job_t *job)
{
    return job->state == CODR_JOB_COMPILING ? CODR_STAGE_COMPILE
                                            : CODR_STAGE_RUN;
}


bool
codr_stage_may_run(const codr_job_t *job)
{
    return (job->state == CODR_JOB_COMPILING && job->language->shortcut)
           || codr_inspect_passed(job);
}


static void
close_ends(codr_job_t *job)
{
    size_t i;

    for (i = 0; i < CODR_ARRAY_LEN(job->ends); i++) {
        codr_close(&job->ends[i]);
    }
}


static void
fail(codr_job_t *job, codr_error_t code, const char *message)
{
    codr_job_refuse(job, code, message, 0);
}


/* Back into the queue, for the next spawner. */
static void
start_over(codr_job_t *job)
{
    codr_stdio_t *io = &job->io;

    /* input that came meanwhile stays */
    codr_event_close(io->loop, &io->in);
    codr_event_close(io->loop, &io->out);
    codr_event_close(io->loop, &io->err);
    codr_stdio_close(&job->compiler);
    io->error = 0;

    /* what is done ahead is its own, whoever ends it */
    if (job->state == CODR_JOB_RUNNING) {
        job->spent_us += job->sandbox.end.cpu_us;
    }

    codr_stage_release(job);
    codr_sandbox_free(&job->sandbox);
    job->state = CODR_JOB_QUEUED;
    codr_dispatch_add(job->broker, job);
}


static void
log_trace(const codr_job_t *job, const char *stage)
{
    char text[CODR_LOG_LINE];

    if (job->trace.wanted) {
        codr_trace_text(&job->trace, text, sizeof(text));
        codr_log(CODR_LEVEL_DEBUG, 0, "job %s, %s: %s", job->id, stage, text);
    }
}


/* Not before it is known whether there are warnings. */
static void
announce(codr_job_t *job)
{
    if (!job->announced) {
        job->announced = true;
        job->result->announced = true;
        codr_pump_all(job->result);
    }
}


/* Who waits for it hears that it begins, unless it may be refused yet. */
static void
tell_begin(codr_job_t *job)
{
    if (!codr_inspect_passed(job)) {
        return;
    }

    announce(job);
    if (!job->told_stage) {
        job->told_stage = true;
        codr_answer_stage(job, codr_stage_of(job));
    }
}


/* A program in a ready sandbox says something at once, and where all processors
   are in use one message with both costs its worker and its client half as
   much.  One that had to wait for its verdict stands before its exec: what is
   said now takes the processor that init is to let it go on. */
static bool
waits_for_start(const codr_job_t *job)
{
    const codr_broker_t *broker = job->broker;

    if (job->state == CODR_JOB_RUNNING
        && job->inspection.mode != CODR_POLICY_OFF)
    {
        return true;
    }

    return job->path == CODR_PATH_POOL
           && broker->running[CODR_KIND_INTERACTIVE]
              + broker->running[CODR_KIND_BATCH] > broker->host.cpus;
}


/* Nothing holds the program back any more.  It goes first: who waits for it
   hears of that while it starts. */
static void
run_stage(codr_job_t *job)
{
    int      result;
    bool     run = job->state == CODR_JOB_RUNNING;
    uint64_t cpu_ms = run ? job->limits.value[CODR_LIMIT_CPU_MS] : 0;

    codr_trace_mark(&job->trace, "run");

    /* a compiler's time is wall time: it may use all processors */
    result = codr_sandbox_run(&job->sandbox, CODR_US(cpu_ms),
                              run ? (unsigned) job->broker->host.cpus : 1);
    if (result < 0) {
        return;                 /* this sandbox runs nothing */
    }

    /* whatever is in a sandbox before its program may run can say what it
       likes: nobody listens */
    if (run && job->io.paused && codr_stdio_pause(&job->io, false) < 0) {
        streams_ended(&job->io);
        return;                 /* and there may be no job any more */
    }
    if (!waits_for_start(job)) {
        tell_begin(job);
    }
}


/* A sandbox for the state the job is in. */
static void
start_sandbox(codr_job_t *job)
{
    int          result = 0;
    codr_stage_t stage = codr_stage_of(job);

    codr_sandbox_init(&job->sandbox, &job->broker->loop, &sandbox_handlers,
                      job);

    if (stage == CODR_STAGE_COMPILE) {
        codr_stdio_init(&job->compiler, &job->broker->loop,
                        &compiler_handlers, job);
        result = codr_stdio_open_pipes(&job->compiler, true, job->ends);
    } else {
        job->io.paused = !codr_inspect_passed(job);
        if (!job->io.terminal) {
            result = codr_stdio_open_pipes(&job->io, false, job->ends);
        }
    }

    if (result == 0) {
        result = codr_supply_sandbox(job, stage);
    }
    codr_trace_mark(&job->trace, job->path == CODR_PATH_COLD ? "spawn"
                                                             : "lease");
    if (result == 0) {
        if (codr_stage_may_run(job)) {
            run_stage(job);
        }
        return;
    }

    if (result == -EPIPE || result == -ECONNRESET || result == -ENOTCONN) {
        if (job->broker->link) {
            codr_link_lose(job->broker->link);
        }
        start_over(job);
        return;
    }

    codr_log(CODR_LEVEL_ERROR, -result, "start a sandbox");
    if (result == -EBUSY || result == -EMFILE) {
        fail(job, CODR_ERROR_BUSY, "no sandbox is free");
    } else {
        fail(job, CODR_ERROR_INTERNAL, "no sandbox could be started");
    }
}


void
codr_stage_run(codr_job_t *job)
{
    log_trace(job, "compile");
    codr_trace_begin(&job->trace, "compiled");
    job->state = CODR_JOB_RUNNING;
    job->told_stage = false;
    start_sandbox(job);
}


void
codr_stage_inspected(codr_job_t *job)
{
    codr_sandbox_state_t state = job->sandbox.state;

    if (job->state == CODR_JOB_QUEUED && codr_inspect_refused(job)) {
        codr_inspect_refuse(job);
        return;
    }
    if (job->state != CODR_JOB_COMPILING && job->state != CODR_JOB_RUNNING) {
        return;
    }

    if (codr_inspect_refused(job)) {
        codr_sandbox_kill(&job->sandbox, CODR_STATUS_STOPPED);
        if (state == CODR_SANDBOX_GONE) {
            advance(job);
        }
        return;
    }

    codr_trace_mark(&job->trace, "verdict");
    if (job->sandbox.run_us != 0) {
        tell_begin(job);
    } else if (state != CODR_SANDBOX_IDLE && state != CODR_SANDBOX_GONE
               && !job->sandbox.ending)
    {
        run_stage(job);
        return;
    } else {
        announce(job);
    }

    advance(job);                   /* what a compiler made waits for this */
}


void
codr_stage_begin(codr_job_t *job)
{
    codr_trace_mark(&job->trace, "begin");
    job->io.handlers = &run_handlers;

    /* it may have been found missing while the job waited */
    if (job->language->availability == CODR_LANGUAGE_UNAVAILABLE) {
        fail(job, CODR_ERROR_UNAVAILABLE, job->language->reason);
        return;
    }

    if (codr_inspect_passed(job)) {
        codr_trace_mark(&job->trace, "verdict");
    }
    job->state = codr_compile_begin(job) ? CODR_JOB_COMPILING
                                         : CODR_JOB_RUNNING;
    start_sandbox(job);
}


void
codr_stage_release(codr_job_t *job)
{
    codr_broker_t *broker = job->broker;

    codr_compile_land(job, false);
    codr_compile_release(job);

    if (job->holds_place) {
        codr_dispatch_leave(broker, job);
    }
}


/* Streams */


static void
run_output(codr_stdio_t *io, uint8_t stream, uint8_t *data, size_t len)
{
    codr_job_t *job = io->data;
    uint64_t    offset = job->written;
    uint64_t    limit = job->limits.value[CODR_LIMIT_OUTPUT];
    uint64_t    left = offset < limit ? limit - offset : 0;

    codr_trace_mark(&job->trace, "output");
    job->written += len;            /* first: it does not start over now */
    tell_begin(job);

    if (len > left) {
        job->truncated = true;
        if (!job->output_drop && !job->output_over) {
            job->output_over = true;
            codr_sandbox_kill(&job->sandbox, CODR_STATUS_OUTPUT_LIMIT);
        }
        len = (size_t) left;
    }

    /* killing may have shown that the spawner is gone, and the job with it */
    if (len > 0 && job->state == CODR_JOB_RUNNING) {
        codr_answer_output(job, stream, data, len);
        codr_share_output(job);
    }

    codr_stage_flow(job);
}


void
codr_stage_flow(codr_job_t *job)
{
    bool wait = !codr_inspect_passed(job) || codr_share_rests(job)
                || (job->control && codr_pump_blocks(job->control));

    if (wait != job->io.paused && codr_stdio_pause(&job->io, wait) < 0) {
        streams_ended(&job->io);
    }
}


static void
streams_ended(codr_stdio_t *io)
{
    codr_job_t *job = io->data;

    codr_trace_mark(&job->trace, "drained");

    if (io->error) {
        codr_log(CODR_LEVEL_ERROR, io->error, "watch streams of job %s",
                 job->id);
        codr_sandbox_kill(&job->sandbox, CODR_STATUS_INTERNAL);
    }
    advance(job);
}


static void
line_truncated(codr_stdio_t *io)
{
    codr_job_t *job = io->data;

    codr_answer_notice(job->control, CODR_NOTICE_INPUT_TRUNCATED,
                       "a terminal keeps 4095 bytes of a line");
}


void
codr_stage_stop(codr_job_t *job)
{
    codr_verdict_t stopped = { CODR_STATUS_STOPPED, -SIGKILL, 0 };

    if (job->state == CODR_JOB_QUEUED) {    /* no signal: it never ran */
        codr_answer_complete(job, &stopped);
        codr_job_finish(job);
        return;
    }

    /* its compiler may have ended by itself, and its program must not begin */
    if (job->state == CODR_JOB_COMPILING) {
        job->sandbox.end.killed = true;
        job->sandbox.end.reason = CODR_STATUS_STOPPED;
        if (job->sandbox.state == CODR_SANDBOX_GONE) {
            advance(job);
            return;
        }
    }

    codr_sandbox_kill(&job->sandbox, CODR_STATUS_STOPPED);
}


/* Progress */


/* What has changed is what was not marked before. */
static void
mark_sandbox(codr_job_t *job)
{
    const codr_sandbox_t *sandbox = &job->sandbox;

    if (sandbox->spawned && job->path == CODR_PATH_COLD) {
        codr_trace_mark(&job->trace, "spawned");
    }
    if (sandbox->state == CODR_SANDBOX_PREPARED) {
        codr_trace_mark(&job->trace, "prepared");
    }
    if (sandbox->end.reported) {
        codr_trace_mark(&job->trace, "exited");
    }
    if (sandbox->state == CODR_SANDBOX_GONE) {
        codr_trace_mark(&job->trace, "gone");
    }
}


static void
sandbox_changed(codr_sandbox_t *sandbox)
{
    mark_sandbox(sandbox->data);
    advance(sandbox->data);
}


static void
fail_program(codr_job_t *job)
{
    char message[160];

    (void) snprintf(message, sizeof(message), "the program that was built"
                    " cannot be executed: %s",
                    strerror(job->sandbox.end.error));
    fail(job, CODR_ERROR_COMPILE_ERROR, message);
}


/* A sandbox that could not be made, or a program that could not be executed:
   the client learns whether it is its program's fault. */
static void
fail_sandbox(codr_job_t *job)
{
    const codr_sandbox_end_t *end = &job->sandbox.end;
    bool missing = end->step == CODR_STEP_EXEC && end->error == ENOENT;
    bool built = job->artefact.memfd != -1 && codr_verdict_no_program(end);

    /* EACCES is for the operator, too: it is what a host says that lets no
       memfd be executed */
    if (!built || end->error == EACCES) {
        codr_log(CODR_LEVEL_ERROR, end->error, "job %s: %s", job->id,
                 codr_step_name(end->step));
    }

    if (built) {
        fail_program(job);
    } else if (missing) {
        fail(job, CODR_ERROR_UNAVAILABLE, "the language is not installed");
    } else if (end->step == CODR_STEP_UID_LEASE) {
        fail(job, CODR_ERROR_BUSY, "no sandbox is free");
    } else {
        fail(job, CODR_ERROR_INTERNAL, "the sandbox could not be made");
    }
}


static void
run_ended(codr_job_t *job)
{
    codr_verdict_t verdict = codr_verdict(&job->sandbox.end);

    if (job->output_over && !job->sandbox.end.killed) {
        verdict.status = CODR_STATUS_OUTPUT_LIMIT;  /* it was as fast as we */
    }

    codr_answer_complete(job, &verdict);
    codr_trace_mark(&job->trace, "complete");
    log_trace(job, "run");
    codr_job_finish(job);
}


static void
sandbox_started(codr_sandbox_t *sandbox)
{
    codr_job_t *job = sandbox->data;
    uint64_t    compile_ms = job->caps.value[CODR_LIMIT_COMPILE_MS];

    codr_trace_mark(&job->trace, "started");
    close_ends(job);

    if (job->state == CODR_JOB_COMPILING) {
        codr_sandbox_deadline(sandbox, sandbox->started_us
                                       + CODR_US(compile_ms));

    } else if (job->state == CODR_JOB_RUNNING) {
        /* init's time is that before its exec: here it would flatter */
        job->start_us = codr_now_us() - job->begun_us;
        codr_stage_deadline(job);

        /* not before its terminal is as it should be: input would be
           echoed */
        codr_stdio_begin(&job->io);
        tell_begin(job);
    }
}


/* Nothing has run, and another sandbox can do the same: the spawner was lost
   while it made this one, or a ready one was not, or what is done ahead, of
   which nobody shall hear, was too much for it. */
static bool
can_start_over(const codr_job_t *job)
{
    const codr_sandbox_t     *sandbox = &job->sandbox;
    const codr_sandbox_end_t *end = &sandbox->end;

    /* a program that writes has begun, whether init was heard or not */
    if (sandbox->started_us != 0 || job->written != 0) {
        return false;
    }
    if (end->lost && end->killed && end->reason == CODR_STATUS_INTERNAL) {
        return true;
    }

    return !job->cold
           && (!end->killed || (sandbox->run_us == 0
                                && end->reason == CODR_STATUS_MEMORY_LIMIT))
           && (job->path != CODR_PATH_COLD
               || (sandbox->request.flags & CODR_SPAWN_ZYGOTE));
}


/* By its client, who need not wait for a verdict. */
static bool
is_stopped(const codr_sandbox_t *sandbox)
{
    return sandbox->end.killed && sandbox->end.reason == CODR_STATUS_STOPPED;
}


/* The sandbox is gone; what it wrote may not have been read yet, and whether
   its compiler may be heard may not be known. */
static void
stage_gone(codr_job_t *job)
{
    bool                run = job->state == CODR_JOB_RUNNING;
    codr_sandbox_t     *sandbox = &job->sandbox;
    const codr_stdio_t *io = run ? &job->io : &job->compiler;

    close_ends(job);

    if (codr_inspect_refused(job)) {
        codr_inspect_refuse(job);
        return;
    }
    if (sandbox->run_us != 0) {
        tell_begin(job);
    }
    if (can_start_over(job)) {
        job->cold = true;
        start_over(job);
        return;
    }

    if (run) {
        codr_stage_release(job);
    }

    if (sandbox->end.failed && !sandbox->end.killed) {
        fail_sandbox(job);
        return;
    }

    /* a terminal nobody had opened never ends, nor what is held open by
       somebody who was killed and stays */
    if (sandbox->started_us != 0 && !sandbox->end.stays
        && !codr_stdio_has_ended(io))
    {
        return;
    }

    sandbox->end.unread = io->error != 0;
    if (run) {
        run_ended(job);
    } else if (codr_inspect_passed(job)) {
        codr_compile_ended(job);
    } else if (is_stopped(sandbox)) {
        job->words_len = 0;         /* nobody has checked what they quote */
        codr_compile_ended(job);
    }
}


static void
advance(codr_job_t *job)
{
    codr_sandbox_t *sandbox = &job->sandbox;

    /* what it left unread comes without turns */
    if (sandbox->state == CODR_SANDBOX_GONE) {
        codr_share_leave(job);
    }

    if (job->state != CODR_JOB_COMPILING && job->state != CODR_JOB_RUNNING) {
        return;
    }

    if (sandbox->state == CODR_SANDBOX_GONE) {
        stage_gone(job);
    }
}
