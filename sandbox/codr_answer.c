/*
 * What a job says to its worker, frame by frame.  Runs in the broker.
 */

#include "codr_answer.h"

#include <errno.h>
#include <string.h>

#include "codr_charge.h"
#include "codr_log.h"
#include "codr_offer.h"
#include "codr_util.h"
#include "codr_words.h"

#define SMALL       4096                /* bytes of any frame without words */
#define RETRY_MS    1000


/* Its size, 0 when it is too large. */
static size_t
end_frame(codr_writer_t *writer, const char *id)
{
    size_t len = codr_frame_end(writer);

    if (len == 0) {
        codr_log(CODR_LEVEL_PANIC, EMSGSIZE, "answer job %s", id);
    }

    return len;
}


static void
send_frame(codr_client_t *client, codr_writer_t *writer)
{
    size_t len = end_frame(writer, client->result ? client->result->id : "");

    if (len > 0) {
        (void) codr_wire_send(&client->wire, writer->start, len);
    }
}


void
codr_answer_queued(codr_job_t *job, size_t position, uint64_t wait_ms)
{
    size_t        len;
    uint8_t       buffer[SMALL];
    codr_writer_t writer;

    codr_writer_init(&writer, buffer, sizeof(buffer));
    codr_frame_begin(&writer, CODR_FRAME_QUEUED);
    codr_put_text(&writer, CODR_FIELD_JOB_ID, job->id);
    codr_put_number(&writer, CODR_FIELD_POSITION, position);
    if (wait_ms > 0) {
        codr_put_number(&writer, CODR_FIELD_WAIT_MS, wait_ms);
    }

    len = end_frame(&writer, job->id);
    codr_pump_waiting(job->result, buffer, len);
}


void
codr_answer_accepted(codr_client_t *client)
{
    uint8_t        buffer[SMALL];
    codr_writer_t  writer;
    codr_result_t *result = client->result;

    if (client->accepted || client->ended) {
        return;
    }
    client->accepted = true;

    codr_writer_init(&writer, buffer, sizeof(buffer));
    codr_frame_begin(&writer, CODR_FRAME_ACCEPTED);
    codr_put_text(&writer, CODR_FIELD_JOB_ID, result->id);
    codr_put_text(&writer, CODR_FIELD_ATTACH_TOKEN, result->attach_token);
    codr_put_text(&writer, CODR_FIELD_VIEW_TOKEN, result->view_token);
    send_frame(client, &writer);
}


/* What a worker knows of the jobs it submits. */
static void
put_joined(codr_writer_t *writer, const codr_client_t *client)
{
    uint8_t              stream, field[1 + CODR_TAPE_HELD];
    codr_held_t          held;
    const codr_result_t *result = client->result;

    if (result->tag[0] != '\0') {
        codr_put_text(writer, CODR_FIELD_TAG, result->tag);
    }
    codr_put_number(writer, CODR_FIELD_TERMINAL, result->terminal);
    codr_put_number(writer, CODR_FIELD_INPUT_BYTES, result->input_bytes);
    codr_put_number(writer, CODR_FIELD_INPUT_CLOSED, result->input_closed);
    codr_put_number(writer, CODR_FIELD_OFFSET, client->place.offset);

    stream = codr_tape_held(&result->tape, client->place.offset, &held);
    if (stream > 0) {
        field[0] = stream;
        memcpy(field + 1, held.data, held.len);
        codr_put_bytes(writer, CODR_FIELD_HELD, field, 1 + (size_t) held.len);
    }
}


void
codr_answer_started(codr_client_t *client)
{
    uint32_t       id;
    static uint8_t buffer[CODR_FRAME_MAX];
    codr_writer_t  writer;
    codr_result_t *result = client->result;

    if (client->role == CODR_CLIENT_OBSERVER) {
        codr_answer_accepted(client);
    }

    codr_writer_init(&writer, buffer, sizeof(buffer));
    codr_frame_begin(&writer, CODR_FRAME_STARTED);
    codr_put_text(&writer, CODR_FIELD_JOB_ID, result->id);
    if (client->role != CODR_CLIENT_VIEWER) {
        codr_put_text(&writer, CODR_FIELD_ATTACH_TOKEN, result->attach_token);
    }
    if (!client->trusted) {
        codr_put_text(&writer, CODR_FIELD_VIEW_TOKEN, result->view_token);
    }
    codr_put_text(&writer, CODR_FIELD_LANGUAGE, result->language);
    for (id = 0; id < CODR_LIMIT_COUNT; id++) {
        codr_put_limit(&writer, CODR_FIELD_LIMIT, id,
                       result->limits.value[id]);
    }
    codr_put_fields(&writer, result->warnings, result->warnings_len);
    if (client->joined) {
        put_joined(&writer, client);
    }
    send_frame(client, &writer);
}


void
codr_answer_taken(codr_client_t *client)
{
    uint8_t       buffer[SMALL];
    codr_writer_t writer;

    codr_writer_init(&writer, buffer, sizeof(buffer));
    codr_frame_begin(&writer, CODR_FRAME_TAKEN);
    send_frame(client, &writer);
}


void
codr_answer_record(codr_client_t *client)
{
    uint8_t        buffer[SMALL];
    codr_writer_t  writer;
    codr_result_t *result = client->result;

    codr_writer_init(&writer, buffer, sizeof(buffer));
    codr_frame_begin(&writer, CODR_FRAME_RECORD);
    codr_put_text(&writer, CODR_FIELD_JOB_ID, result->id);
    codr_put_bytes(&writer, CODR_FIELD_OWNER, result->owner,
                   result->owner_len);
    codr_put_text(&writer, CODR_FIELD_LANGUAGE, result->language);
    if (result->tag[0] != '\0') {
        codr_put_text(&writer, CODR_FIELD_TAG, result->tag);
    }
    codr_put_number(&writer, CODR_FIELD_JOB_STATE,
                    result->completed_ms ? CODR_PHASE_ENDED
                    : result->announced ? CODR_PHASE_PROCESSING
                                        : CODR_PHASE_QUEUED);
    codr_put_number(&writer, CODR_FIELD_CREATED_MS, result->created_ms);
    if (result->started_ms) {
        codr_put_number(&writer, CODR_FIELD_STARTED_MS, result->started_ms);
    }
    if (result->completed_ms) {
        codr_put_number(&writer, CODR_FIELD_COMPLETED_MS,
                        result->completed_ms);
    }
    codr_put_number(&writer, CODR_FIELD_OFFSET, result->tape.begin);
    codr_put_number(&writer, CODR_FIELD_SIZE, result->tape.end);
    send_frame(client, &writer);
}


void
codr_answer_fetched(codr_client_t *client)
{
    uint8_t       buffer[SMALL];
    codr_writer_t writer;

    codr_writer_init(&writer, buffer, sizeof(buffer));
    codr_frame_begin(&writer, CODR_FRAME_FETCHED);
    codr_put_number(&writer, CODR_FIELD_OFFSET, client->place.offset);
    send_frame(client, &writer);
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
    size_t         len;
    static uint8_t buffer[SMALL + CODR_WORDS_MAX];
    codr_writer_t  writer;

    codr_writer_init(&writer, buffer, sizeof(buffer));
    codr_frame_begin(&writer, CODR_FRAME_STAGE);
    codr_put_number(&writer, CODR_FIELD_STAGE, stage);
    if (job->compile.done) {
        codr_put_number(&writer, CODR_FIELD_CACHED, job->compile.cached);
        put_compile(&writer, &job->compile);
    }

    len = end_frame(&writer, job->id);
    codr_results_stage(&job->broker->results, job->result, buffer, len);
    codr_pump_all(job->result);
}


/* The job is over for all who know of it. */
static void
send_final(codr_job_t *job, codr_writer_t *writer)
{
    size_t         len = end_frame(writer, job->id);
    codr_result_t *result = job->result;

    if (result == NULL) {               /* it was never submitted */
        (void) codr_wire_send(&job->control->wire, writer->start, len);
        codr_client_finish(job->control);
        return;
    }

    codr_results_end(&job->broker->results, result, writer->start, len);
    codr_pump_all(result);
    codr_offer(job->broker, result);
}


void
codr_answer_complete(codr_job_t *job, const codr_verdict_t *verdict)
{
    uint64_t                  ran_us;
    static uint8_t            buffer[SMALL + CODR_WORDS_MAX];
    codr_writer_t             writer;
    const codr_sandbox_end_t *end = &job->sandbox.end;

    codr_charge_cpu(job);

    ran_us = job->begun_us ? job->begun_us : codr_now_us();

    codr_writer_init(&writer, buffer, sizeof(buffer));
    codr_frame_begin(&writer, CODR_FRAME_COMPLETE);
    codr_put_text(&writer, CODR_FIELD_JOB_ID, job->id);
    codr_put_number(&writer, CODR_FIELD_STATUS, verdict->status);
    if (verdict->status != CODR_STATUS_STOPPED || job->sandbox.started_us) {
        codr_put_number(&writer, CODR_FIELD_EXIT_CODE,
                        (uint64_t) verdict->exit_code);
        if (verdict->signo) {
            codr_put_number(&writer, CODR_FIELD_SIGNAL,
                            (uint64_t) verdict->signo);
        }
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
    codr_put_number(&writer, CODR_FIELD_PATH,
                    job->sandbox.forked ? CODR_PATH_ZYGOTE : job->path);
    put_compile(&writer, &job->compile);
    send_final(job, &writer);
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
    static uint8_t buffer[SMALL + CODR_FRAME_MAX];
    codr_writer_t  writer;

    codr_charge_cpu(job);

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
    codr_put_fields(&writer, error->findings, error->findings_len);
    put_compile(&writer, &job->compile);
    send_final(job, &writer);
}


void
codr_answer_refusal(codr_client_t *client, codr_error_t code,
    const char *message)
{
    uint8_t       buffer[SMALL];
    codr_writer_t writer;

    codr_writer_init(&writer, buffer, sizeof(buffer));
    codr_frame_begin(&writer, CODR_FRAME_ERROR);
    codr_put_number(&writer, CODR_FIELD_CODE, code);
    codr_put_text(&writer, CODR_FIELD_MESSAGE, message);
    if (code == CODR_ERROR_BUSY) {
        codr_put_number(&writer, CODR_FIELD_RETRY_MS, RETRY_MS);
    }
    send_frame(client, &writer);
}


void
codr_answer_notice(codr_client_t *client, codr_notice_t code,
    const char *message)
{
    uint8_t       buffer[SMALL];
    codr_writer_t writer;

    /* a client that does not read its output loses notices, not memory */
    if (client == NULL || !codr_wire_is_drained(&client->wire)) {
        return;
    }

    codr_writer_init(&writer, buffer, sizeof(buffer));
    codr_frame_begin(&writer, CODR_FRAME_NOTICE);
    codr_put_number(&writer, CODR_FIELD_CODE, code);
    codr_put_text(&writer, CODR_FIELD_MESSAGE, message);
    send_frame(client, &writer);
}


void
codr_answer_lost(codr_client_t *client)
{
    uint8_t       buffer[SMALL];
    codr_writer_t writer;

    codr_writer_init(&writer, buffer, sizeof(buffer));
    codr_frame_begin(&writer, CODR_FRAME_NOTICE);
    codr_put_number(&writer, CODR_FIELD_CODE, CODR_NOTICE_OUTPUT_LOST);
    codr_put_text(&writer, CODR_FIELD_MESSAGE,
                  "some of the output is kept no more");
    codr_put_number(&writer, CODR_FIELD_OFFSET, client->place.offset);
    send_frame(client, &writer);
}


void
codr_answer_output(codr_job_t *job, uint8_t stream, uint8_t *data, size_t len)
{
    uint8_t       *frame = data - CODR_BATCH_HEADROOM;
    size_t         payload = CODR_OUTPUT_HEADER + len;
    uint64_t       offset = job->result->tape.end;

    codr_results_write(&job->broker->results, job->result, stream, data, len);

    codr_frame_header(frame, CODR_FRAME_OUTPUT, (uint32_t) payload);
    codr_output_header(frame + CODR_FRAME_HEADER, stream, offset);
    codr_pump_output(job->result, frame, CODR_FRAME_HEADER + payload, offset);
}
