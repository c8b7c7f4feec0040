/*
 * What a job says to its worker, frame by frame.  Runs in the broker.
 */

#include "codr_answer.h"

#include <errno.h>
#include <string.h>

#include "codr_log.h"
#include "codr_util.h"
#include "codr_words.h"

#define SMALL       4096                /* bytes of any frame without words */


static void
send_frame(codr_job_t *job, codr_writer_t *writer)
{
    size_t len = codr_frame_end(writer);

    if (len == 0) {
        codr_log(CODR_LEVEL_PANIC, EMSGSIZE, "answer job %s", job->id);
        return;
    }

    /* a worker that is gone shows when its socket is read */
    (void) codr_wire_send(&job->wire, writer->start, len);
}


void
codr_answer_queued(codr_job_t *job, size_t position, uint64_t wait_ms)
{
    uint8_t       buffer[SMALL];
    codr_writer_t writer;

    codr_writer_init(&writer, buffer, sizeof(buffer));
    codr_frame_begin(&writer, CODR_FRAME_QUEUED);
    codr_put_text(&writer, CODR_FIELD_JOB_ID, job->id);
    codr_put_number(&writer, CODR_FIELD_POSITION, position);
    if (wait_ms > 0) {
        codr_put_number(&writer, CODR_FIELD_WAIT_MS, wait_ms);
    }
    send_frame(job, &writer);
}


void
codr_answer_started(codr_job_t *job)
{
    uint32_t      id;
    uint8_t       buffer[SMALL];
    codr_writer_t writer;

    codr_writer_init(&writer, buffer, sizeof(buffer));
    codr_frame_begin(&writer, CODR_FRAME_STARTED);
    codr_put_text(&writer, CODR_FIELD_JOB_ID, job->id);
    codr_put_text(&writer, CODR_FIELD_ATTACH_TOKEN, job->attach_token);
    codr_put_text(&writer, CODR_FIELD_VIEW_TOKEN, job->view_token);
    codr_put_text(&writer, CODR_FIELD_LANGUAGE, job->language->name);
    for (id = 0; id < CODR_LIMIT_COUNT; id++) {
        codr_put_limit(&writer, CODR_FIELD_LIMIT, id, job->limits.value[id]);
    }
    send_frame(job, &writer);
}


static void
put_compile(codr_writer_t *writer, const codr_compile_figures_t *compile)
{
    if (!compile->done) {
        return;
    }

    codr_put_number(writer, CODR_FIELD_COMPILE_CPU_US, compile->cpu_us);
    codr_put_number(writer, CODR_FIELD_COMPILE_WALL_US, compile->wall_us);
    if (compile->memory_peak) {
        codr_put_number(writer, CODR_FIELD_COMPILE_MEMORY,
                        compile->memory_peak);
    }
    codr_put_text(writer, CODR_FIELD_COMPILE_OUTPUT,
                  compile->words ? compile->words : "");
}


void
codr_answer_stage(codr_job_t *job, codr_stage_t stage)
{
    static uint8_t buffer[SMALL + CODR_WORDS_MAX];
    codr_writer_t  writer;

    codr_writer_init(&writer, buffer, sizeof(buffer));
    codr_frame_begin(&writer, CODR_FRAME_STAGE);
    codr_put_number(&writer, CODR_FIELD_STAGE, stage);
    if (job->compile.done) {
        codr_put_number(&writer, CODR_FIELD_CACHED, 0);
        put_compile(&writer, &job->compile);
    }
    send_frame(job, &writer);
}


void
codr_answer_complete(codr_job_t *job, const codr_verdict_t *verdict)
{
    uint64_t                  ran_us;
    static uint8_t            buffer[SMALL + CODR_WORDS_MAX];
    codr_writer_t             writer;
    const codr_sandbox_end_t *end = &job->sandbox.end;

    ran_us = job->begun_us ? job->begun_us : codr_now_us();

    codr_writer_init(&writer, buffer, sizeof(buffer));
    codr_frame_begin(&writer, CODR_FRAME_COMPLETE);
    codr_put_text(&writer, CODR_FIELD_JOB_ID, job->id);
    codr_put_number(&writer, CODR_FIELD_STATUS, verdict->status);
    codr_put_number(&writer, CODR_FIELD_EXIT_CODE,
                    (uint64_t) verdict->exit_code);
    if (verdict->signo) {
        codr_put_number(&writer, CODR_FIELD_SIGNAL, (uint64_t) verdict->signo);
    }
    codr_put_number(&writer, CODR_FIELD_CPU_US, end->cpu_us);
    codr_put_number(&writer, CODR_FIELD_WALL_US, end->wall_us);
    codr_put_number(&writer, CODR_FIELD_QUEUE_US,
                    ran_us - job->submitted_us);
    codr_put_number(&writer, CODR_FIELD_START_US, job->start_us);
    if (end->memory_peak) {
        codr_put_number(&writer, CODR_FIELD_MEMORY_PEAK, end->memory_peak);
    }
    codr_put_number(&writer, CODR_FIELD_OUTPUT_BYTES, job->written);
    codr_put_number(&writer, CODR_FIELD_TRUNCATED, job->truncated);
    codr_put_number(&writer, CODR_FIELD_PATH, job->path);
    put_compile(&writer, &job->compile);
    send_frame(job, &writer);
}


/* Whole characters only: the text is UTF-8. */
static size_t
cut(const char *text, size_t max)
{
    size_t len = strlen(text);

    if (len <= max) {
        return len;
    }

    while (max > 0 && ((uint8_t) text[max] & 0xc0) == 0x80) {
        max--;
    }

    return max;
}


void
codr_answer_error(codr_job_t *job, const codr_answer_error_t *error)
{
    static uint8_t buffer[SMALL + CODR_MESSAGE_MAX + CODR_WORDS_MAX];
    codr_writer_t  writer;

    codr_writer_init(&writer, buffer, sizeof(buffer));
    codr_frame_begin(&writer, CODR_FRAME_ERROR);
    codr_put_number(&writer, CODR_FIELD_CODE, error->code);
    codr_put_bytes(&writer, CODR_FIELD_MESSAGE, error->message,
                   cut(error->message, CODR_MESSAGE_MAX));
    if (job->id[0] != '\0') {
        codr_put_text(&writer, CODR_FIELD_JOB_ID, job->id);
    }
    if (error->retry_ms) {
        codr_put_number(&writer, CODR_FIELD_RETRY_MS, error->retry_ms);
    }
    if (error->limit >= 0) {
        codr_put_limit(&writer, CODR_FIELD_LIMIT, (uint32_t) error->limit,
                       error->cap);
    }
    put_compile(&writer, &job->compile);
    send_frame(job, &writer);
}


void
codr_answer_notice(codr_job_t *job, codr_notice_t code, const char *message)
{
    uint8_t       buffer[SMALL];
    codr_writer_t writer;

    /* a client that does not read its output loses notices, not memory */
    if (!codr_wire_is_drained(&job->wire)) {
        return;
    }

    codr_writer_init(&writer, buffer, sizeof(buffer));
    codr_frame_begin(&writer, CODR_FRAME_NOTICE);
    codr_put_number(&writer, CODR_FIELD_CODE, code);
    codr_put_text(&writer, CODR_FIELD_MESSAGE, message);
    send_frame(job, &writer);
}


void
codr_answer_output(codr_job_t *job, uint8_t stream, uint64_t offset,
    uint8_t *data, size_t len)
{
    uint8_t *frame = data - CODR_STDIO_HEADROOM;
    size_t   payload = CODR_OUTPUT_HEADER + len;

    codr_frame_header(frame, CODR_FRAME_OUTPUT, (uint32_t) payload);
    codr_output_header(frame + CODR_FRAME_HEADER, stream, offset);

    (void) codr_wire_send(&job->wire, frame, CODR_FRAME_HEADER + payload);
}
