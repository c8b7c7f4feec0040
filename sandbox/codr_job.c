/*
 * A job from its first frame to the queue, and its end.  Runs in the broker.
 *
 * Which frame is accepted in which state is one table: whatever a worker
 * sends out of turn ends that job and nothing else.
 */

#define _GNU_SOURCE

#include "codr_job.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "codr_answer.h"
#include "codr_charge.h"
#include "codr_client.h"
#include "codr_command.h"
#include "codr_figures.h"
#include "codr_inspect.h"
#include "codr_log.h"
#include "codr_util.h"

#define OVERHEAD    (64 * 1024) /* of a job's memfds, whatever is in them */

#define IN(state)   (1U << CODR_JOB_##state)
#define SUBMITTED   (IN(QUEUED) | IN(COMPILING) | IN(RUNNING))

typedef struct {
    codr_frame_type_t   type;
    unsigned            states;
    int               (*take)(codr_job_t *job, const uint8_t *payload,
                              size_t len);
} row_t;


static int take_file(codr_job_t *, const uint8_t *, size_t);
static int take_data(codr_job_t *, const uint8_t *, size_t);
static int take_submit(codr_job_t *, const uint8_t *, size_t);
static int take_input(codr_job_t *, const uint8_t *, size_t);
static int take_eof(codr_job_t *, const uint8_t *, size_t);
static int take_resize(codr_job_t *, const uint8_t *, size_t);
static int take_signal(codr_job_t *, const uint8_t *, size_t);
static int take_stop(codr_job_t *, const uint8_t *, size_t);

static const row_t rows[] = {
    { CODR_FRAME_FILE,      IN(FILES),  take_file },
    { CODR_FRAME_DATA,      IN(FILES),  take_data },
    { CODR_FRAME_SUBMIT,    IN(FILES),  take_submit },
    { CODR_FRAME_INPUT,     SUBMITTED,  take_input },
    { CODR_FRAME_EOF,       SUBMITTED,  take_eof },
    { CODR_FRAME_RESIZE,    SUBMITTED,  take_resize },
    { CODR_FRAME_SIGNAL,    SUBMITTED,  take_signal },
    { CODR_FRAME_STOP,      SUBMITTED,  take_stop },
};


int
codr_job_frame(codr_job_t *job, codr_frame_t frame, const uint8_t *payload)
{
    size_t i;

    for (i = 0; i < CODR_ARRAY_LEN(rows); i++) {
        if (rows[i].type == frame.type
            && (rows[i].states & (1U << job->state)))
        {
            return rows[i].take(job, payload, frame.length);
        }
    }

    return -EPROTO;
}


static void
enlist(codr_broker_t *broker, codr_job_t *job)
{
    job->next = broker->jobs;
    if (job->next) {
        job->next->prev = job;
    }
    broker->jobs = job;
    broker->job_count++;
}


static void
delist(codr_broker_t *broker, codr_job_t *job)
{
    if (job->prev) {
        job->prev->next = job->next;
    } else {
        broker->jobs = job->next;
    }
    if (job->next) {
        job->next->prev = job->prev;
    }
    broker->job_count--;
}


/* Of the client that sent EXECUTE, whose configuration it takes over. */
static codr_job_t *
create(codr_client_t *client)
{
    codr_job_t    *job = calloc(1, sizeof(*job));
    codr_broker_t *broker = client->broker;

    if (job == NULL) {
        return NULL;
    }

    job->broker = broker;
    job->config = client->config;
    client->config = NULL;
    job->source = CODR_SOURCE_EMPTY;
    job->artefact = CODR_ARTEFACT_NONE;
    job->waiter.data = job;
    job->ends[0] = job->ends[1] = job->ends[2] = -1;
    codr_sandbox_init(&job->sandbox, &broker->loop, NULL, job);
    codr_stdio_init(&job->io, &broker->loop, NULL, job);
    codr_stdio_init(&job->compiler, &broker->loop, NULL, job);
    enlist(broker, job);

    job->control = client;
    codr_client_set_job(client, job);
    return job;
}


static void
destroy(codr_doomed_t *doomed)
{
    codr_job_t *job = (codr_job_t *) doomed;

    codr_config_unref(job->config);
    free(job);
}


/* Its clients have its result only. */
static void
let_go(codr_job_t *job)
{
    codr_client_t *client;

    if (job->control) {
        codr_client_set_job(job->control, NULL);
        job->control = NULL;
    }

    if (job->result == NULL) {
        return;
    }

    job->result->job = NULL;
    for (client = job->result->clients; client; client = client->right) {
        codr_client_set_job(client, NULL);
    }
}


static void
release(codr_job_t *job)
{
    size_t         i;
    codr_broker_t *broker = job->broker;

    codr_queue_remove(&broker->queue, &job->waiter);
    codr_timer_clear(&broker->loop.timers, &job->timer);
    codr_timer_clear(&broker->loop.timers, &job->detached);
    codr_stdio_close(&job->io);
    codr_stdio_close(&job->compiler);
    codr_share_leave(job);
    codr_sandbox_free(&job->sandbox);
    codr_artefact_free(&job->artefact);
    codr_review_end(&job->inspection.review);
    free(job->inspection.findings);
    job->inspection.findings = NULL;
    codr_source_free(&job->source);
    codr_request_free(&job->request);
    free(job->words);
    free(job->compile.words);
    job->words = job->compile.words = NULL;

    for (i = 0; i < CODR_ARRAY_LEN(job->ends); i++) {
        codr_close(&job->ends[i]);
    }

    broker->stored -= job->stored;
    job->stored = 0;
    codr_stage_release(job);
    codr_charge_end(job);
    codr_figures_changed(broker);
}


void
codr_job_finish(codr_job_t *job)
{
    if (job->state == CODR_JOB_ENDED) {
        return;
    }

    release(job);
    let_go(job);
    delist(job->broker, job);
    job->state = CODR_JOB_ENDED;
    codr_loop_doom(&job->broker->loop, &job->doomed, destroy);
}


void
codr_job_refuse(codr_job_t *job, codr_error_t code, const char *message,
    uint64_t retry_ms)
{
    codr_answer_error_t error = {
        .code = code, .message = message, .retry_ms = retry_ms, .limit = -1,
    };

    codr_answer_error(job, &error);
    codr_job_finish(job);
}


static void
detached_too_long(codr_timer_t *timer)
{
    codr_stage_stop(timer->data);
}


void
codr_job_alone(codr_job_t *job)
{
    job->control = NULL;

    if (job->result == NULL) {              /* it was never submitted */
        codr_job_finish(job);
        return;
    }

    codr_stage_flow(job);
    if (job->request.async) {
        return;
    }

    job->detached.handler = detached_too_long;
    job->detached.data = job;
    if (job->detach_ms == 0
        || codr_timer_set(&job->broker->loop.timers, &job->detached,
                          codr_now_us() + job->detach_ms * 1000) < 0)
    {
        codr_stage_stop(job);
    }
}


void
codr_job_control(codr_job_t *job, codr_client_t *client)
{
    codr_timer_clear(&job->broker->loop.timers, &job->detached);
    job->control = client;
    codr_client_set_job(client, job);
}


/* Frames */


static int
refuse_limit(codr_job_t *job, int limit)
{
    codr_answer_error_t error = {
        .code = CODR_ERROR_BAD_MESSAGE,
        .message = "a limit must be a number above zero and at most its cap",
        .limit = limit,
        .cap = job->caps.value[limit],
    };

    codr_answer_error(job, &error);
    codr_job_finish(job);
    return 0;
}


static int
refuse(codr_job_t *job, codr_error_t code, const char *message)
{
    codr_job_refuse(job, code, message, 0);
    return 0;
}


/* A location of ours, or the one location of --config, which what nginx says
   about its own can only narrow. */
static const codr_location_t *
find_location(const codr_job_t *job)
{
    uint64_t id = job->request.location;

    return codr_config_location(job->config,
                                job->broker->listener.fd == -1 ? id : 0);
}


static void
narrow_by(codr_limits_t *limits, const codr_limits_t *caps)
{
    size_t i;

    for (i = 0; i < CODR_LIMIT_COUNT; i++) {
        if (caps->value[i] && caps->value[i] < limits->value[i]) {
            limits->value[i] = caps->value[i];
        }
    }
}


/* Modes and levels grow stricter. */
static uint64_t
larger(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}


int
codr_job_begin(codr_client_t *client, const uint8_t *payload, size_t len)
{
    int                    result;
    codr_job_t            *job = create(client);
    codr_request_t        *request;
    const codr_location_t *location;

    if (job == NULL) {
        return -ENOMEM;
    }

    request = &job->request;
    result = codr_request_decode(request, payload, len);
    if (result < 0) {
        return result;
    }

    location = find_location(job);
    if (location == NULL) {
        return -EPROTO;
    }

    job->language = codr_config_language(job->config, request->language,
                                         strlen(request->language));
    if (job->language == NULL) {
        return refuse(job, CODR_ERROR_UNKNOWN_LANGUAGE, "unknown language");
    }

    codr_limits_combine(&job->caps, &location->limits,
                        &job->language->limits);
    narrow_by(&job->caps, &request->caps);
    job->inspection.mode = larger(location->policy_mode, request->policy_mode);
    job->inspection.level = larger(location->policy_level,
                               request->policy_level);
    job->output_drop = location->output_drop || job->language->output_drop
                       || request->output_drop;
    job->detach_ms = request->detach_ms < location->detach_ms
                     ? request->detach_ms : location->detach_ms;

    if (request->invalid >= 0) {
        return refuse_limit(job, request->invalid);
    }
    result = codr_limits_narrow(&job->limits, &job->caps, &request->asked);
    if (result >= 0) {
        return refuse_limit(job, result);
    }

    if (codr_source_open(&job->source) != CODR_SOURCE_OK) {
        return refuse(job, CODR_ERROR_BUSY, "no room for the files");
    }

    job->trace.wanted = request->trace;
    codr_trace_begin(&job->trace, "execute");
    job->io.terminal = request->terminal != CODR_TERMINAL_NONE;
    codr_stdio_resize(&job->io, request->cols, request->rows);
    job->state = CODR_JOB_FILES;
    return 0;
}


/* What a client is told about its files. */
static int
judge_source(codr_job_t *job, codr_source_result_t result)
{
    codr_answer_error_t error = {
        .code = CODR_ERROR_BAD_MESSAGE, .limit = -1,
    };

    switch (result) {

    case CODR_SOURCE_OK:
        return 0;

    case CODR_SOURCE_PROTOCOL:
        return -EPROTO;

    case CODR_SOURCE_FAILED:
        codr_log(CODR_LEVEL_ERROR, errno, "store files of a job");
        return refuse(job, CODR_ERROR_INTERNAL, "the files cannot be stored");

    case CODR_SOURCE_BAD_NAME:
        error.message = "a file name is not valid";
        break;

    case CODR_SOURCE_DUPLICATE:
        error.message = "two files have the same name";
        break;

    case CODR_SOURCE_TOO_MANY:
        error.message = "too many files";
        error.limit = CODR_LIMIT_FILE_COUNT;
        break;

    case CODR_SOURCE_TOO_LARGE:
        error.message = "the files are too large";
        error.code = CODR_ERROR_CODE_TOO_LARGE;
        error.limit = CODR_LIMIT_FILES;
        break;

    case CODR_SOURCE_CODE_TOO_LARGE:
        error.message = "the code is too large";
        error.code = CODR_ERROR_CODE_TOO_LARGE;
        error.limit = CODR_LIMIT_CODE;
        break;
    }

    error.cap = error.limit >= 0 ? job->limits.value[error.limit] : 0;
    codr_answer_error(job, &error);
    codr_job_finish(job);
    return 0;
}


static int
take_file(codr_job_t *job, const uint8_t *payload, size_t len)
{
    int           result;
    size_t        name_len = 0;
    uint64_t      size = 0;
    const char   *name = NULL;
    codr_field_t  field;
    codr_fields_t fields;

    codr_fields_init(&fields, payload, len);

    while ((result = codr_fields_next(&fields, &field)) > 0) {
        if (field.tag == CODR_FIELD_FILE_NAME) {
            name = (const char *) field.data;
            name_len = field.length;
        } else if (field.tag != CODR_FIELD_SIZE
                   || codr_field_number(&field, 0, UINT32_MAX, &size) != 0)
        {
            return -EPROTO;
        }
    }

    if (result < 0 || name == NULL) {
        return -EPROTO;
    }

    if (!codr_dispatch_store(job->broker, job, size)) {
        return refuse(job, CODR_ERROR_BUSY, "no room for the files");
    }

    return judge_source(job, codr_source_file(&job->source, job->language,
                                              &job->limits, name, name_len,
                                              size));
}


static int
take_data(codr_job_t *job, const uint8_t *payload, size_t len)
{
    return judge_source(job, codr_source_data(&job->source, payload, len));
}


/* From here on it can be found, and what is said of it is kept. */
static int
publish(codr_job_t *job)
{
    codr_client_t  *client = job->control;
    codr_result_t  *result;
    codr_request_t *request = &job->request;

    if (request->job_id[0] != '\0') {
        memcpy(job->id, request->job_id, sizeof(job->id));
    } else {
        codr_random_hex(job->id, CODR_JOB_ID_LEN / 2);
    }

    result = codr_results_add(&job->broker->results, job->id);
    if (result == NULL) {
        return -1;
    }

    memcpy(result->owner, request->owner, request->owner_len);
    result->owner_len = request->owner_len;
    memcpy(result->language, job->language->name,
           strlen(job->language->name));
    memcpy(result->tag, request->tag, sizeof(result->tag));
    result->limits = job->limits;
    result->terminal = request->terminal;
    result->outlives = request->async || job->detach_ms > 0;
    result->job = job;
    job->result = result;

    codr_timer_clear(&job->broker->loop.timers, &client->timer);
    client->quiet = request->quiet;
    codr_client_join(client, result, request->async ? CODR_CLIENT_OBSERVER
                                                    : CODR_CLIENT_CONTROL);
    if (request->async) {
        job->control = NULL;
    }

    return 0;
}


/* The image has a descriptor where several sandboxes read it, or when the
   description has no room for it. */
static codr_source_result_t
seal_source(codr_job_t *job)
{
    bool few = job->source.memfd == -1 && job->language->compile.count == 0
               && codr_command_fits(job);

    return few ? CODR_SOURCE_OK : codr_source_seal(&job->source);
}


static int
take_submit(codr_job_t *job, const uint8_t *payload, size_t len)
{
    int            result;
    codr_client_t *client;

    (void) payload;
    if (len != 0) {
        return -EPROTO;
    }

    result = judge_source(job, codr_source_end(&job->source));
    if (result == 0 && job->state != CODR_JOB_ENDED) {
        result = judge_source(job, seal_source(job));
    }
    if (result < 0 || job->state == CODR_JOB_ENDED) {
        return result;
    }

    if (!codr_dispatch_store(job->broker, job, OVERHEAD)) {
        return refuse(job, CODR_ERROR_BUSY, "no room for the files");
    }
    if (job->source.memfd != -1 && !codr_command_fits(job)) {
        return refuse(job, CODR_ERROR_BAD_MESSAGE,
                      "arguments and file names are too long");
    }
    if (job->language->availability == CODR_LANGUAGE_UNAVAILABLE) {
        return refuse(job, CODR_ERROR_UNAVAILABLE, job->language->reason);
    }

    if (publish(job) < 0) {
        return refuse(job, CODR_ERROR_INTERNAL, errno == EEXIST
                      ? "the job's id is in use" : "out of memory");
    }

    client = job->result->clients;
    codr_trace_mark(&job->trace, "submit");
    job->submitted_us = codr_now_us();
    job->state = CODR_JOB_QUEUED;
    codr_inspect_begin(job);
    if (job->state == CODR_JOB_QUEUED) {
        codr_dispatch_add(job->broker, job);
    }

    /* which computes: what makes its sandbox does not, and goes first */
    codr_review_ask(&job->broker->reviewer);

    if (job->state != CODR_JOB_ENDED && job->request.async) {
        codr_answer_accepted(client);
    }
    return 0;
}


static int
take_input(codr_job_t *job, const uint8_t *payload, size_t len)
{
    codr_stage_input(job, payload, len);
    return 0;
}


static int
take_eof(codr_job_t *job, const uint8_t *payload, size_t len)
{
    (void) payload;
    if (len != 0) {
        return -EPROTO;
    }

    codr_stage_eof(job);
    return 0;
}


static int
take_resize(codr_job_t *job, const uint8_t *payload, size_t len)
{
    int           result;
    uint64_t      value, cols = 0, rows_ = 0;
    codr_field_t  field;
    codr_fields_t fields;

    codr_fields_init(&fields, payload, len);

    while ((result = codr_fields_next(&fields, &field)) > 0) {
        if (codr_field_number(&field, 1, 1000, &value) != 0) {
            return -EPROTO;
        }
        if (field.tag == CODR_FIELD_COLS) {
            cols = value;
        } else if (field.tag == CODR_FIELD_ROWS) {
            rows_ = value;
        }
    }

    if (result < 0 || cols == 0 || rows_ == 0) {
        return -EPROTO;
    }

    codr_stdio_resize(&job->io, (uint16_t) cols, (uint16_t) rows_);
    return 0;
}


static int
take_signal(codr_job_t *job, const uint8_t *payload, size_t len)
{
    uint64_t      signo;
    codr_field_t  field;
    codr_fields_t fields;

    codr_fields_init(&fields, payload, len);

    if (codr_fields_next(&fields, &field) != 1
        || field.tag != CODR_FIELD_SIGNAL
        || codr_field_number(&field, 1, 31, &signo) != 0)
    {
        return -EPROTO;
    }

    codr_stage_signal(job, (int) signo);
    return 0;
}


static int
take_stop(codr_job_t *job, const uint8_t *payload, size_t len)
{
    (void) payload;
    if (len != 0) {
        return -EPROTO;
    }

    codr_stage_stop(job);
    return 0;
}
