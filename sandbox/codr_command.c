/*
 * What init is told of a stage: the command, the environment, the files, the
 * streams; and what the spawner is told of its limits.  Runs in the broker.
 */

#define _GNU_SOURCE

#include "codr_command.h"

#include "codr_inspect.h"
#include "codr_language.h"

#define ARTEFACT_MAX    (1024ULL * 1024 * 1024)

#define CPU_SPARE       2       /* seconds */


static bool
uses_shortcut(const codr_job_t *job)
{
    return job->language->shortcut && job->broker->shortcut != -1;
}


/* For an interpreter, or whatever else "run" begins with. */
static bool
places_program(const codr_job_t *job)
{
    return job->language->compile.count > 0
           && !codr_language_executes(job->language);
}


/* The description of a stage, but for its descriptors. */
static void
put_description(codr_writer_t *writer, const codr_job_t *job,
    codr_stage_t stage, const char *shortcut)
{
    bool                      run = stage == CODR_STAGE_RUN;
    codr_list_t               none = { NULL, 0 };
    const codr_request_t     *request = &job->request;
    const codr_surroundings_t surroundings = {
        run ? request->terminal : CODR_TERMINAL_NONE, run && request->live,
    };

    if (!run || places_program(job)) {
        codr_put_text(writer, CODR_FIELD_FILE_NAME, CODR_LANGUAGE_PROGRAM);
    }

    if (!run && uses_shortcut(job)) {
        codr_language_put_shortcut(writer, shortcut);
    }
    codr_language_put_argv(writer, job->language,
                           run ? &job->language->run : &job->language->compile,
                           &job->source.names, run ? &request->args : &none);
    codr_language_put_env(writer, job->language, surroundings);

    codr_put_number(writer, CODR_FIELD_TERMINAL, surroundings.terminal);
    codr_put_number(writer, CODR_FIELD_COLS, job->io.cols);
    codr_put_number(writer, CODR_FIELD_ROWS, job->io.rows);
    codr_put_number(writer, CODR_FIELD_ECHO, request->echo);

    if (job->source.memfd == -1) {
        codr_put_bytes(writer, CODR_FIELD_FILE_DATA, job->source.few,
                       job->source.few_len);
    }
}


static size_t
encode_description(const codr_job_t *job, codr_stage_t stage,
    const char *shortcut, uint8_t *buffer, size_t size)
{
    codr_writer_t writer;

    codr_writer_init(&writer, buffer, size);
    put_description(&writer, job, stage, shortcut);

    return writer.failed ? 0 : (size_t) (writer.pos - writer.start);
}


static uint8_t description[CODR_IPC_CHUNK - sizeof(codr_init_request_t)];


bool
codr_command_fits(const codr_job_t *job)
{
    const char *mode = CODR_SHORTCUT_PRECOMPILE;    /* none is longer */

    return encode_description(job, CODR_STAGE_RUN, mode, description,
                              sizeof(description)) > 0
           && (job->language->compile.count == 0
               || encode_description(job, CODR_STAGE_COMPILE, mode,
                                     description, sizeof(description)) > 0);
}


int
codr_command_describe(codr_sandbox_t *sandbox)
{
    int           fds[6], headers = -1;
    size_t        nfds = 0, len;
    uint32_t      flags = codr_stage_may_run(sandbox->data)
                          ? CODR_DESCRIBE_RUN : 0;
    uint64_t      artefact_max = 0;
    const char   *mode = CODR_SHORTCUT_PLAIN;
    codr_job_t   *job = sandbox->data;
    codr_stage_t  stage = codr_stage_of(job);

    if (stage == CODR_STAGE_COMPILE) {
        headers = codr_headers_choose(&job->broker->headers, job, &mode);
    }
    len = encode_description(job, stage, mode, description,
                             sizeof(description));

    if (job->source.memfd == -1) {
        flags |= CODR_DESCRIBE_FILES;
    } else {
        fds[nfds++] = job->source.memfd;
    }
    if (stage == CODR_STAGE_COMPILE) {
        flags |= CODR_DESCRIBE_KEEP;
        artefact_max = job->caps.value[CODR_LIMIT_DISK];
        if (artefact_max > ARTEFACT_MAX) {
            artefact_max = ARTEFACT_MAX;
        }
    }
    if (job->artefact.memfd != -1) {
        flags |= CODR_DESCRIBE_ARTEFACT;
        flags |= places_program(job) ? CODR_DESCRIBE_PLACE : 0;
        fds[nfds++] = job->artefact.memfd;
    }
    if (stage == CODR_STAGE_COMPILE && uses_shortcut(job)) {
        flags |= CODR_DESCRIBE_ARTEFACT;
        fds[nfds++] = job->broker->shortcut;
        if (headers != -1) {
            flags |= CODR_DESCRIBE_HEADERS;
            fds[nfds++] = headers;
        }
    }
    if (job->ends[0] != -1) {
        flags |= CODR_DESCRIBE_STDIO;
        fds[nfds++] = job->ends[0];
        fds[nfds++] = job->ends[1];
        fds[nfds++] = job->ends[2];
    }

    return codr_sandbox_describe(sandbox, flags, artefact_max, description,
                                 len, fds, nfds);
}


/* RLIMIT_CPU is what there is without cgroups.  With them it is a second lock:
   it counts whole ticks and may be early, so it gets room. */
static uint64_t
cpu_seconds(const codr_link_t *link, uint64_t cpu_ms)
{
    bool counted = link && link->layer[CODR_LAYER_CGROUP] == CODR_LAYER_OK;

    return (cpu_ms + 999) / 1000 + (counted ? CPU_SPARE : 0);
}


static codr_spawn_request_t
make_request(const codr_link_t *link, const uint64_t *value, uint64_t memory,
    uint64_t cpu_ms)
{
    return (codr_spawn_request_t) {
        .memory = memory,
        .stack = value[CODR_LIMIT_STACK],
        .disk = value[CODR_LIMIT_DISK],
        .inodes = value[CODR_LIMIT_INODES],
        .file_size = value[CODR_LIMIT_DISK],
        .cpu_seconds = cpu_seconds(link, cpu_ms),
        .processes = (uint32_t) value[CODR_LIMIT_PROCESSES],
        .open_files = (uint32_t) value[CODR_LIMIT_OPEN_FILES],
    };
}


codr_spawn_request_t
codr_command_run_limits(const codr_broker_t *broker,
    const codr_limits_t *limits, bool terminal)
{
    const uint64_t       *value = limits->value;
    codr_spawn_request_t  request;

    request = make_request(broker->link, value, value[CODR_LIMIT_MEMORY],
                           value[CODR_LIMIT_CPU_MS]);
    request.flags = terminal ? CODR_SPAWN_TERMINAL : 0;
    return request;
}


/* What a stage may use: the compiler the operator's limits, the program what
   its client asked for. */
codr_spawn_request_t
codr_command_limits(const codr_job_t *job, codr_stage_t stage)
{
    const uint64_t *caps = job->caps.value;

    if (stage == CODR_STAGE_RUN) {
        return codr_command_run_limits(job->broker, &job->limits,
                                       job->io.terminal);
    }

    return make_request(job->broker->link, caps,
                        caps[CODR_LIMIT_COMPILE_MEMORY],
                        caps[CODR_LIMIT_COMPILE_MS] * job->broker->host.cpus);
}
