/*
 * Asks languages for their versions.  Runs in the broker; each question is a
 * sandbox like any job's, with a few fixed limits, so that a language's own
 * program is no more trusted than the programs written in it.
 */

#define _GNU_SOURCE

#include "codr_probe.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "codr_broker.h"
#include "codr_io.h"
#include "codr_language.h"
#include "codr_log.h"
#include "codr_util.h"
#include "codr_verdict.h"
#include "codr_words.h"

#define WALL_US         10000000
#define RETRY_US        30000000        /* for what was not there */
#define DESCRIPTION_MAX (CODR_IPC_CHUNK - sizeof(codr_init_request_t))


static int describe(codr_sandbox_t *sandbox);
static void no_terminal(codr_sandbox_t *sandbox, int master);
static void sandbox_started(codr_sandbox_t *sandbox);
static void sandbox_changed(codr_sandbox_t *sandbox);
static void said(codr_stdio_t *io, uint8_t stream, uint8_t *data, size_t len);
static void streams_ended(codr_stdio_t *io);
static void no_line(codr_stdio_t *io);
static void advance(codr_probe_t *probe);

static const codr_sandbox_handlers_t sandbox_handlers = {
    describe, no_terminal, sandbox_started, sandbox_changed,
};

static const codr_stdio_handlers_t stdio_handlers = {
    said, streams_ended, no_line,
};


static int
make_empty_image(void)
{
    int fd = memfd_create("codr-source", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    if (fd != -1 && codr_io_seal(fd) < 0) {
        codr_close(&fd);
    }

    return fd;
}


static void
retry_due(codr_timer_t *timer)
{
    codr_probe_restart(timer->data);
}


void
codr_probe_init(codr_probe_t *probe, codr_broker_t *broker)
{
    *probe = (codr_probe_t) {
        .broker = broker,
        .source = make_empty_image(),
        .ends = { -1, -1, -1 },
        .retry = { .handler = retry_due, .data = probe },
    };

    codr_sandbox_init(&probe->sandbox, &broker->loop, &sandbox_handlers,
                      probe);
    codr_stdio_init(&probe->io, &broker->loop, &stdio_handlers, probe);
}


static codr_language_t *
asked(const codr_probe_t *probe)
{
    return &probe->config->language[probe->index];
}


static int
describe(codr_sandbox_t *sandbox)
{
    int               fds[4];
    size_t            len;
    codr_probe_t     *probe = sandbox->data;
    codr_list_t       none = { NULL, 0 };
    codr_writer_t     writer;
    codr_language_t  *language = asked(probe);
    static uint8_t    fields[DESCRIPTION_MAX];  /* one process, one thread */

    codr_surroundings_t surroundings = { CODR_TERMINAL_NONE, false };

    codr_writer_init(&writer, fields, sizeof(fields));
    codr_language_put_argv(&writer, language, &language->version, &none,
                           &none);
    codr_language_put_programs(&writer, language);
    codr_language_put_env(&writer, language, surroundings);
    if (writer.failed) {
        return -E2BIG;
    }
    len = (size_t) (writer.pos - writer.start);

    fds[0] = probe->source;
    memcpy(&fds[1], probe->ends, sizeof(probe->ends));

    return codr_sandbox_describe(sandbox, CODR_DESCRIBE_STDIO, 0, fields, len,
                                 fds, CODR_ARRAY_LEN(fds));
}


static void
close_ends(codr_probe_t *probe)
{
    size_t i;

    for (i = 0; i < CODR_ARRAY_LEN(probe->ends); i++) {
        codr_close(&probe->ends[i]);
    }
}


static void
forget(codr_probe_t *probe)
{
    close_ends(probe);
    codr_stdio_close(&probe->io);
    codr_sandbox_free(&probe->sandbox);
    probe->length = 0;
    probe->found = false;
}


static codr_spawn_request_t
limits_of(const codr_language_t *language)
{
    codr_limits_t none = { { 0 } }, limits;

    codr_limits_combine(&limits, &none, &language->limits);

    return (codr_spawn_request_t) {
        .memory = limits.value[CODR_LIMIT_COMPILE_MEMORY],
        .stack = limits.value[CODR_LIMIT_STACK],
        .disk = limits.value[CODR_LIMIT_DISK],
        .inodes = limits.value[CODR_LIMIT_INODES],
        .file_size = limits.value[CODR_LIMIT_DISK],
        .cpu_seconds = WALL_US / 1000000,
        .processes = (uint32_t) limits.value[CODR_LIMIT_PROCESSES],
        .open_files = (uint32_t) limits.value[CODR_LIMIT_OPEN_FILES],
    };
}


static void
stop_asking(codr_probe_t *probe)
{
    codr_config_unref(probe->config);
    probe->config = NULL;
}


/* The next language, or none: then all of them are known. */
static void
ask(codr_probe_t *probe)
{
    int                  result;
    codr_link_t         *link = probe->broker->link;
    codr_spawn_request_t request;

    if (probe->index >= probe->config->languages) {
        stop_asking(probe);
        codr_channel_tell_status(probe->broker);
        return;
    }

    request = limits_of(asked(probe));
    codr_sandbox_init(&probe->sandbox, &probe->broker->loop,
                      &sandbox_handlers, probe);
    codr_stdio_init(&probe->io, &probe->broker->loop, &stdio_handlers, probe);

    result = codr_stdio_open_pipes(&probe->io, true, probe->ends);
    if (result == 0) {
        result = link ? codr_sandbox_start(&probe->sandbox, link, &request)
                      : -ENOTCONN;
    }
    if (result == 0) {
        return;
    }

    /* the next spawner, or the next retry, asks again */
    forget(probe);
    stop_asking(probe);
    (void) codr_timer_set(&probe->broker->loop.timers, &probe->retry,
                          codr_now_us() + RETRY_US);
}


void
codr_probe_restart(codr_probe_t *probe)
{
    codr_broker_t *broker = probe->broker;

    codr_timer_clear(&broker->loop.timers, &probe->retry);

    if (broker->config[0] == NULL || broker->link == NULL
        || broker->link->state != CODR_LINK_READY)
    {
        return;
    }

    codr_config_unref(probe->config);
    probe->config = codr_config_ref(broker->config[0]);
    probe->index = 0;

    if (probe->sandbox.state == CODR_SANDBOX_IDLE) {
        ask(probe);
        return;
    }

    /* its answer is about what there was before: it does not count */
    probe->stale = true;
    codr_sandbox_kill(&probe->sandbox, CODR_STATUS_STOPPED);
}


static void
no_terminal(codr_sandbox_t *sandbox, int master)
{
    codr_close(&master);
    codr_sandbox_kill(sandbox, CODR_STATUS_INTERNAL);
}


static void
no_line(codr_stdio_t *io)
{
    (void) io;
}


static void
said(codr_stdio_t *io, uint8_t stream, uint8_t *data, size_t len)
{
    codr_probe_t *probe = io->data;

    (void) stream;

    if (len > sizeof(probe->text) - probe->length) {
        len = sizeof(probe->text) - probe->length;
    }

    memcpy(probe->text + probe->length, data, len);
    probe->length += len;
}


static void
streams_ended(codr_stdio_t *io)
{
    advance(io->data);
}


static void
sandbox_started(codr_sandbox_t *sandbox)
{
    codr_probe_t *probe = sandbox->data;

    codr_stdio_begin(&probe->io);
    codr_sandbox_deadline(sandbox, sandbox->started_us + WALL_US);
}


static void
sandbox_changed(codr_sandbox_t *sandbox)
{
    advance(sandbox->data);
}


/* The first line of what it said that says something. */
static void
take_version(codr_probe_t *probe, codr_language_t *language)
{
    char  *text = language->version_text;
    size_t skip = 0;

    while (skip < probe->length && probe->text[skip] != '\0'
           && strchr(" \t\r\n", probe->text[skip]))
    {
        skip++;
    }

    (void) codr_words_clean(text, sizeof(language->version_text),
                            probe->text + skip, probe->length - skip);
    text[strcspn(text, "\r\n")] = '\0';
}


static void
make_unavailable(codr_language_t *language, const char *reason)
{
    if (language->availability != CODR_LANGUAGE_UNAVAILABLE
        || strcmp(language->reason, reason) != 0)
    {
        codr_log(CODR_LEVEL_WARNING, 0, "language \"%s\" is unavailable: %s",
                 language->name, reason);
    }

    language->availability = CODR_LANGUAGE_UNAVAILABLE;
    (void) snprintf(language->reason, sizeof(language->reason), "%s", reason);
}


static void
judge(codr_probe_t *probe)
{
    char                      reason[CODR_CONFIG_REASON];
    codr_verdict_t            verdict;
    codr_language_t          *language = asked(probe);
    const codr_sandbox_end_t *end = &probe->sandbox.end;

    if (end->failed && (end->step == CODR_STEP_PROGRAM
                        || end->step == CODR_STEP_EXEC))
    {
        make_unavailable(language, "the language's program is not installed");
        return;
    }
    if (end->failed) {
        (void) snprintf(reason, sizeof(reason), "%s: %s",
                        codr_step_name(end->step), strerror(end->error));
        make_unavailable(language, reason);
        return;
    }

    verdict = codr_verdict(end);
    if (probe->found && language->version.count == 0) {
        verdict.status = CODR_STATUS_OK;
    }
    if (verdict.status != CODR_STATUS_OK) {
        (void) snprintf(reason, sizeof(reason),
                        "the language's version command ended with %s",
                        codr_status_name(verdict.status));
        make_unavailable(language, reason);
        return;
    }

    take_version(probe, language);
    language->availability = CODR_LANGUAGE_AVAILABLE;
    language->reason[0] = '\0';
}


static void
answered(codr_probe_t *probe)
{
    codr_broker_t   *broker = probe->broker;
    codr_language_t *language = asked(probe);

    /* a spawner that was lost says nothing about the language, and the next
       one makes us ask again */
    if (probe->sandbox.end.lost) {
        forget(probe);
        stop_asking(probe);
        return;
    }

    if (probe->stale) {
        probe->stale = false;
        forget(probe);
        ask(probe);
        return;
    }

    judge(probe);
    forget(probe);

    if (language->availability == CODR_LANGUAGE_UNAVAILABLE) {
        (void) codr_timer_set(&broker->loop.timers, &probe->retry,
                              codr_now_us() + RETRY_US);
    }

    probe->index++;
    ask(probe);
}


static void
advance(codr_probe_t *probe)
{
    codr_sandbox_t *sandbox = &probe->sandbox;

    if (sandbox->state == CODR_SANDBOX_PREPARED) {
        close_ends(probe);
        probe->found = true;
        if (asked(probe)->version.count == 0) {
            codr_sandbox_kill(sandbox, CODR_STATUS_STOPPED);
            return;
        }
        if (sandbox->run_us == 0) {
            (void) codr_sandbox_run(sandbox, 0, 1);
        }
        return;
    }

    if (sandbox->state != CODR_SANDBOX_GONE) {
        return;
    }

    close_ends(probe);
    if (sandbox->started_us == 0 || codr_stdio_has_ended(&probe->io)) {
        answered(probe);
    }
}
