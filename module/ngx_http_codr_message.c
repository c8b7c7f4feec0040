
/*
 * The server's messages of docs/protocol.md, each in one place: their fields,
 * names and units.  Only "output", the hot one, is made elsewhere.  Runs in
 * workers.
 */

#include "ngx_http_codr_findings.h"
#include "ngx_http_codr_json.h"


static void ngx_http_codr_json_queued(ngx_http_codr_json_t *j,
    ngx_http_codr_answer_t *a);
static void ngx_http_codr_json_started(ngx_http_codr_json_t *j,
    ngx_http_codr_answer_t *a, ngx_http_codr_job_t *job);
static void ngx_http_codr_json_limits(ngx_http_codr_json_t *j,
    codr_limits_t *limits);
static void ngx_http_codr_json_stage(ngx_http_codr_json_t *j,
    ngx_http_codr_answer_t *a);
static void ngx_http_codr_json_notice(ngx_http_codr_json_t *j,
    ngx_http_codr_answer_t *a, ngx_http_codr_job_t *job);
static void ngx_http_codr_json_id(ngx_http_codr_json_t *j,
    ngx_http_codr_answer_t *a, ngx_http_codr_job_t *job);
static void ngx_http_codr_json_tag(ngx_http_codr_json_t *j,
    ngx_http_codr_job_t *job);
static void ngx_http_codr_json_compile(ngx_http_codr_json_t *j,
    ngx_http_codr_answer_t *a, uint64_t cached);
static void ngx_http_codr_json_memory(ngx_http_codr_json_t *j,
    ngx_uint_t known, uint64_t bytes);


void
ngx_http_codr_json_answer(ngx_http_codr_json_t *j, ngx_http_codr_answer_t *a,
    ngx_http_codr_job_t *job)
{
    const char  *code;

    ngx_http_codr_json_open(j, NULL);

    switch (a->type) {

    case CODR_FRAME_QUEUED:
        ngx_http_codr_json_queued(j, a);
        break;

    case CODR_FRAME_STARTED:
        ngx_http_codr_json_started(j, a, job);
        break;

    case CODR_FRAME_STAGE:
        ngx_http_codr_json_stage(j, a);
        break;

    case CODR_FRAME_COMPLETE:
        ngx_http_codr_json_name(j, "type", "complete");
        ngx_http_codr_json_complete(j, a, job);
        break;

    case CODR_FRAME_NOTICE:
        ngx_http_codr_json_notice(j, a, job);
        break;

    default: /* CODR_FRAME_ERROR */
        code = codr_error_name(a->code);

        ngx_http_codr_json_name(j, "type", "error");
        ngx_http_codr_json_name(j, "code", code ? code : "internal");
        ngx_http_codr_json_error(j, a, job);
    }

    ngx_http_codr_json_close(j);
}


static void
ngx_http_codr_json_queued(ngx_http_codr_json_t *j, ngx_http_codr_answer_t *a)
{
    ngx_http_codr_json_name(j, "type", "queued");
    ngx_http_codr_json_text(j, "job_id", &a->job_id);
    ngx_http_codr_json_number(j, "position", a->position);

    if (ngx_http_codr_has(a, WAIT_MS)) {
        ngx_http_codr_json_seconds(j, "wait", a->wait_ms * 1000);
    }
}


static void
ngx_http_codr_json_started(ngx_http_codr_json_t *j, ngx_http_codr_answer_t *a,
    ngx_http_codr_job_t *job)
{
    ngx_http_codr_json_name(j, "type", "started");
    ngx_http_codr_json_text(j, "job_id", &a->job_id);

    if (ngx_http_codr_has(a, ATTACH_TOKEN)) {
        ngx_http_codr_json_text(j, "attach_token", &a->attach_token);
    }

    if (ngx_http_codr_has(a, VIEW_TOKEN)) {
        ngx_http_codr_json_text(j, "view_token", &a->view_token);
    }

    ngx_http_codr_json_text(j, "language", &a->language);

    if (ngx_http_codr_has(a, OFFSET)) {
        ngx_http_codr_json_number(j, "offset", a->offset);
    }

    ngx_http_codr_json_limits(j, &a->limits);
    ngx_http_codr_json_tag(j, job);
    ngx_http_codr_findings_json(j, "warnings", a);
}


/* Those a client may ask for, under the names and in the units it uses. */

static void
ngx_http_codr_json_limits(ngx_http_codr_json_t *j, codr_limits_t *limits)
{
    ngx_uint_t                i;
    const codr_limit_info_t  *info;

    ngx_http_codr_json_open(j, "limits");

    for (i = 0; i < CODR_LIMIT_COUNT; i++) {
        info = codr_limit_info(i);

        if (info->client == NULL || limits->value[i] == 0) {
            continue;
        }

        if (info->is_time) {
            ngx_http_codr_json_seconds(j, info->client,
                                       limits->value[i] * 1000);

        } else {
            ngx_http_codr_json_number(j, info->client, limits->value[i]);
        }
    }

    ngx_http_codr_json_close(j);
}


static void
ngx_http_codr_json_stage(ngx_http_codr_json_t *j, ngx_http_codr_answer_t *a)
{
    ngx_http_codr_json_name(j, "type", "stage");
    ngx_http_codr_json_name(j, "stage", a->stage == CODR_STAGE_COMPILE
                                        ? "compile" : "run");

    if (ngx_http_codr_has(a, CACHED)) {
        ngx_http_codr_json_bool(j, "cached", a->cached);
    }

    ngx_http_codr_json_compile(j, a, a->cached);
}


void
ngx_http_codr_json_complete(ngx_http_codr_json_t *j, ngx_http_codr_answer_t *a,
    ngx_http_codr_job_t *job)
{
    const char  *name;

    ngx_http_codr_json_id(j, a, job);

    if (ngx_http_codr_has(a, EXIT_CODE)) {
        ngx_http_codr_json_number(j, "exit_code", (int64_t) a->exit_code);

    } else {
        ngx_http_codr_json_null(j, "exit_code");
    }

    ngx_http_codr_json_seconds(j, "execution_time", a->wall_us);
    ngx_http_codr_json_name(j, "status", codr_status_name(a->status));

    if (ngx_http_codr_has(a, SIGNAL)) {
        name = codr_signal_name(a->signal);

        if (name) {
            ngx_http_codr_json_name(j, "signal", name);
        }
    }

    ngx_http_codr_json_seconds(j, "cpu_time", a->cpu_us);
    ngx_http_codr_json_seconds(j, "wall_time", a->wall_us);
    ngx_http_codr_json_seconds(j, "queue_time", a->queue_us);
    ngx_http_codr_json_memory(j, ngx_http_codr_has(a, MEMORY_PEAK),
                              a->memory_peak);
    ngx_http_codr_json_number(j, "output_bytes", a->output_bytes);
    ngx_http_codr_json_bool(j, "truncated", a->truncated);
    ngx_http_codr_json_name(j, "path", codr_path_name(a->path));
    ngx_http_codr_json_tag(j, job);
    ngx_http_codr_json_compile(j, a, job ? job->cached : 0);
}


void
ngx_http_codr_json_uncompiled(ngx_http_codr_json_t *j,
    ngx_http_codr_answer_t *a, ngx_http_codr_job_t *job)
{
    ngx_http_codr_json_id(j, a, job);
    ngx_http_codr_json_null(j, "exit_code");
    ngx_http_codr_json_seconds(j, "execution_time", 0);
    ngx_http_codr_json_name(j, "status", codr_error_name(a->code));
    ngx_http_codr_json_seconds(j, "cpu_time", 0);
    ngx_http_codr_json_seconds(j, "wall_time", 0);
    ngx_http_codr_json_seconds(j, "queue_time", a->queue_us);
    ngx_http_codr_json_null(j, "memory_peak");
    ngx_http_codr_json_number(j, "output_bytes", 0);
    ngx_http_codr_json_bool(j, "truncated", 0);
    ngx_http_codr_json_name(j, "path", codr_path_name(CODR_PATH_COLD));
    ngx_http_codr_json_text(j, "message", &a->message);
    ngx_http_codr_json_tag(j, job);
    ngx_http_codr_json_compile(j, a, 0);
}


void
ngx_http_codr_json_error(ngx_http_codr_json_t *j, ngx_http_codr_answer_t *a,
    ngx_http_codr_job_t *job)
{
    uint64_t                  cap;
    const codr_limit_info_t  *info;

    ngx_http_codr_json_text(j, "message", &a->message);
    ngx_http_codr_json_id(j, a, job);
    ngx_http_codr_findings_json(j, "diagnostics", a);

    if (ngx_http_codr_has(a, RETRY_MS)) {
        ngx_http_codr_json_seconds(j, "retry_after", a->retry_ms * 1000);
    }

    if (ngx_http_codr_has(a, LIMIT)) {
        info = codr_limit_info(a->limit);
        cap = a->limits.value[a->limit];

        ngx_http_codr_json_name(j, "limit", info->client ? info->client
                                                         : info->name);
        if (info->is_time) {
            ngx_http_codr_json_seconds(j, "cap", cap * 1000);

        } else {
            ngx_http_codr_json_number(j, "cap", cap);
        }
    }

    ngx_http_codr_json_compile(j, a, 0);
}


static void
ngx_http_codr_json_notice(ngx_http_codr_json_t *j, ngx_http_codr_answer_t *a,
    ngx_http_codr_job_t *job)
{
    const char  *name;

    name = codr_notice_name(a->code);

    ngx_http_codr_json_name(j, "type", "notice");
    ngx_http_codr_json_name(j, "code", name ? name : "bad_message");
    ngx_http_codr_json_text(j, "message", &a->message);
    ngx_http_codr_json_id(j, a, job);

    if (ngx_http_codr_has(a, OFFSET)) {
        ngx_http_codr_json_number(j, "offset", a->offset);
    }
}


static void
ngx_http_codr_json_id(ngx_http_codr_json_t *j, ngx_http_codr_answer_t *a,
    ngx_http_codr_job_t *job)
{
    ngx_str_t  id;

    if (ngx_http_codr_has(a, JOB_ID)) {
        ngx_http_codr_json_text(j, "job_id", &a->job_id);
        return;
    }

    if (job && job->identified) {
        id.data = job->id;
        id.len = CODR_JOB_ID_LEN;

        ngx_http_codr_json_text(j, "job_id", &id);
    }
}


static void
ngx_http_codr_json_tag(ngx_http_codr_json_t *j, ngx_http_codr_job_t *job)
{
    if (job && job->tag.len) {
        ngx_http_codr_json_text(j, "tag", &job->tag);
    }
}


static void
ngx_http_codr_json_compile(ngx_http_codr_json_t *j, ngx_http_codr_answer_t *a,
    uint64_t cached)
{
    if (!ngx_http_codr_has(a, COMPILE_CPU_US)
        && !ngx_http_codr_has(a, COMPILE_WALL_US)
        && !ngx_http_codr_has(a, COMPILE_OUTPUT))
    {
        return;
    }

    ngx_http_codr_json_open(j, "compile");
    ngx_http_codr_json_seconds(j, "cpu_time", a->compile_cpu_us);
    ngx_http_codr_json_seconds(j, "wall_time", a->compile_wall_us);
    ngx_http_codr_json_memory(j, ngx_http_codr_has(a, COMPILE_MEMORY),
                              a->compile_memory);
    ngx_http_codr_json_bool(j, "cached", cached);
    ngx_http_codr_json_text(j, "output", &a->compile_output);
    ngx_http_codr_json_close(j);
}


/* Without cgroups nobody knows. */

static void
ngx_http_codr_json_memory(ngx_http_codr_json_t *j, ngx_uint_t known,
    uint64_t bytes)
{
    if (known) {
        ngx_http_codr_json_number(j, "memory_peak", bytes);

    } else {
        ngx_http_codr_json_null(j, "memory_peak");
    }
}
