/*
 * Makes and keeps precompiled headers.  Runs in the broker.  Nothing of a
 * user's is in them: their source are the names the configuration has, and a
 * job only shows, by the lines it begins with, which of them it could use.
 */

#define _GNU_SOURCE

#include "codr_headers.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "codr_broker.h"
#include "codr_fingerprint.h"
#include "codr_includes.h"
#include "codr_io.h"
#include "codr_job.h"
#include "codr_language.h"
#include "codr_log.h"
#include "codr_util.h"
#include "codr_verdict.h"

#define BEGIN_US        100000      /* let the job that wants them begin */
#define WALL_US         120000000
#define SHARE           2           /* of the cache: they may have half */
#define SOURCE_MAX      (256 * 1024)
#define SPARE           (64ULL * 1024 * 1024)       /* of its disk */
#define DESCRIPTION_MAX (CODR_IPC_CHUNK - sizeof(codr_init_request_t))


static int describe(codr_sandbox_t *sandbox);
static void no_terminal(codr_sandbox_t *sandbox, int master);
static void sandbox_started(codr_sandbox_t *sandbox);
static void sandbox_changed(codr_sandbox_t *sandbox);
static void said(codr_stdio_t *io, uint8_t stream, uint8_t *data, size_t len);
static void streams_ended(codr_stdio_t *io);
static void no_line(codr_stdio_t *io);
static void begin(codr_timer_t *timer);
static void advance(codr_headers_t *headers);

static const codr_sandbox_handlers_t sandbox_handlers = {
    describe, no_terminal, sandbox_started, sandbox_changed,
};

static const codr_stdio_handlers_t stdio_handlers = {
    said, streams_ended, no_line,
};


void
codr_headers_init(codr_headers_t *headers, codr_broker_t *broker)
{
    size_t i;

    *headers = (codr_headers_t) {
        .broker = broker,
        .timer = { .handler = begin, .data = headers },
        .source = CODR_SOURCE_EMPTY,
        .ends = { -1, -1, -1 },
    };
    for (i = 0; i < CODR_HEADERS_SETS; i++) {
        headers->set[i].artefact = CODR_ARTEFACT_NONE;
    }

    codr_sandbox_init(&headers->sandbox, &broker->loop, &sandbox_handlers,
                      headers);
    codr_stdio_init(&headers->io, &broker->loop, &stdio_handlers, headers);
}


static uint64_t
most(const codr_headers_t *headers)
{
    return headers->broker->config[0]->cache_size / SHARE;
}


/* What they have of it, programs have not. */
static void
share_room(codr_headers_t *headers)
{
    codr_broker_t *broker = headers->broker;
    uint64_t       size = broker->config[0]->cache_size;

    broker->cache.size = size > headers->used ? size - headers->used : 0;
    codr_cache_shrink(&broker->cache, broker->cache.size);
}


static void
drop(codr_headers_t *headers, codr_header_set_t *set)
{
    if (set->state == CODR_HEADERS_READY) {
        headers->used -= set->artefact.size;
    }

    codr_artefact_free(&set->artefact);
    set->state = CODR_HEADERS_NONE;
}


/* The one used longest ago, but not the one that is wanted. */
static codr_header_set_t *
oldest(codr_headers_t *headers)
{
    size_t             i;
    codr_header_set_t *set, *found = NULL;

    for (i = 0; i < CODR_HEADERS_SETS; i++) {
        set = &headers->set[i];
        if (set != headers->wanted && set->state != CODR_HEADERS_NONE
            && (found == NULL || set->used_us < found->used_us))
        {
            found = set;
        }
    }

    return found;
}


void
codr_headers_drop(codr_headers_t *headers)
{
    codr_header_set_t *set;

    while ((set = oldest(headers)) != NULL) {
        drop(headers, set);
    }

    headers->stale = headers->wanted != NULL;
    if (headers->broker->config[0]) {
        share_room(headers);
    }
}


void
codr_headers_configure(codr_headers_t *headers)
{
    if (headers->used > most(headers)) {
        codr_headers_drop(headers);
    }
    share_room(headers);
}


/* Choosing */


/* None of them: the steps. */
static const char *
names_of(const codr_language_t *language, int index)
{
    return index < 0 ? "" : language->precompile.item[index];
}


/* One source, of the name that is usual. */
static bool
is_usual(const codr_job_t *job)
{
    size_t             i;
    const codr_list_t *names = &job->source.names;

    for (i = 1; i < names->count; i++) {
        if (codr_language_is_source(job->language, names->item[i])) {
            return false;
        }
    }

    return strcmp(names->item[0], job->language->source) == 0;
}


/* By the main file, which is the first in the image. */
static int
choose_for(const codr_job_t *job)
{
    int           chosen = -1;
    void         *map;
    ssize_t       size;
    codr_field_t  name, data;
    codr_fields_t fields;

    if (job->language->precompile.count == 0) {
        return -1;
    }

    size = codr_io_sealed_size(job->source.memfd, SOURCE_MAX);
    map = size <= 0 ? MAP_FAILED : mmap(NULL, (size_t) size, PROT_READ,
                                        MAP_PRIVATE, job->source.memfd, 0);
    if (map == MAP_FAILED) {
        return -1;
    }

    codr_fields_init(&fields, map, (size_t) size);
    if (codr_fields_next(&fields, &name) == 1
        && codr_fields_next(&fields, &data) == 1)
    {
        chosen = codr_includes_choose(data.data, data.length,
                                      &job->language->precompile);
    }

    (void) munmap(map, (size_t) size);
    return chosen;
}


static codr_header_set_t *
find(codr_headers_t *headers, const codr_cache_key_t *key)
{
    size_t             i;
    codr_header_set_t *set;

    for (i = 0; i < CODR_HEADERS_SETS; i++) {
        set = &headers->set[i];
        if (set->state != CODR_HEADERS_NONE
            && memcmp(set->key.bytes, key->bytes, sizeof(key->bytes)) == 0)
        {
            return set;
        }
    }

    return NULL;
}


static codr_header_set_t *
free_set(codr_headers_t *headers)
{
    size_t             i;
    codr_header_set_t *set;

    for (i = 0; i < CODR_HEADERS_SETS; i++) {
        if (headers->set[i].state == CODR_HEADERS_NONE) {
            return &headers->set[i];
        }
    }

    set = oldest(headers);
    if (set) {
        drop(headers, set);
    }
    return set;
}


static void
want(codr_headers_t *headers, const codr_job_t *job,
    const codr_cache_key_t *key, int index)
{
    codr_header_set_t *set = headers->wanted ? NULL : free_set(headers);

    if (set == NULL
        || codr_timer_set(&headers->broker->loop.timers, &headers->timer,
                          codr_now_us() + BEGIN_US) < 0)
    {
        return;                     /* a later job wants them, too */
    }

    set->key = *key;
    set->state = CODR_HEADERS_WANTED;
    set->used_us = codr_now_us();
    headers->wanted = set;
    headers->stale = false;
    headers->config = codr_config_ref(job->config);
    headers->language = job->language;
    headers->index = index;
}


static int
find_or_want(codr_headers_t *headers, const codr_job_t *job, int index)
{
    codr_cache_key_t   key;
    codr_header_set_t *set;

    codr_fingerprint_headers(&key, headers->broker->toolchain, job->language,
                             names_of(job->language, index));
    set = find(headers, &key);
    if (set == NULL) {
        want(headers, job, &key, index);
        return -1;
    }

    set->used_us = codr_now_us();
    return set->state == CODR_HEADERS_READY ? set->artefact.memfd : -1;
}


int
codr_headers_choose(codr_headers_t *headers, const codr_job_t *job,
    const char **ret_mode)
{
    int            index, memfd = -1;
    codr_broker_t *broker = headers->broker;

    *ret_mode = CODR_SHORTCUT_PLAIN;
    if (!job->language->shortcut || broker->shortcut == -1
        || broker->config[0]->cache_size == 0 || !is_usual(job))
    {
        return -1;
    }

    index = choose_for(job);
    if (index >= 0) {
        memfd = find_or_want(headers, job, index);
    }
    if (memfd != -1) {
        *ret_mode = CODR_SHORTCUT_HEADERS;
        return memfd;
    }

    memfd = find_or_want(headers, job, -1);
    if (memfd != -1) {
        *ret_mode = CODR_SHORTCUT_KNOWN;
    }
    return memfd;
}


/* Making */


static const char *
wanted_names(const codr_headers_t *headers)
{
    return names_of(headers->language, headers->index);
}


/* A source that includes them in their order. */
static bool
write_source(codr_headers_t *headers)
{
    char          text[4096];
    size_t        len, used = 0;
    const char   *name;
    codr_limits_t none = { { 0 } }, limits;

    for (name = wanted_names(headers); *name != '\0';
         name += len + (name[len] == ' '))
    {
        len = strcspn(name, " ");
        if (len + sizeof("#include <>\n") > sizeof(text) - used) {
            return false;
        }
        used += (size_t) snprintf(text + used, sizeof(text) - used,
                                  "#include <%.*s>\n", (int) len, name);
    }

    codr_limits_combine(&limits, &none, &headers->language->limits);
    return codr_source_open(&headers->source) == CODR_SOURCE_OK
           && codr_source_file(&headers->source, headers->language, &limits,
                               "", 0, used) == CODR_SOURCE_OK
           && codr_source_data(&headers->source, text, used)
              == CODR_SOURCE_OK
           && codr_source_end(&headers->source) == CODR_SOURCE_OK
           && codr_source_seal(&headers->source) == CODR_SOURCE_OK;
}


static int
describe(codr_sandbox_t *sandbox)
{
    int                 fds[5];
    codr_list_t         none = { NULL, 0 };
    codr_writer_t       writer;
    codr_headers_t     *headers = sandbox->data;
    static uint8_t      fields[DESCRIPTION_MAX];    /* one thread */
    codr_surroundings_t surroundings = { CODR_TERMINAL_NONE, false };

    codr_writer_init(&writer, fields, sizeof(fields));
    codr_put_text(&writer, CODR_FIELD_FILE_NAME, CODR_LANGUAGE_PROGRAM);
    codr_language_put_shortcut(&writer, headers->index < 0
                                        ? CODR_SHORTCUT_LEARN
                                        : CODR_SHORTCUT_PRECOMPILE);
    codr_language_put_argv(&writer, headers->language,
                           &headers->language->compile,
                           &headers->source.names, &none);
    codr_language_put_env(&writer, headers->language, surroundings);
    if (writer.failed) {
        return -1;
    }

    fds[0] = headers->source.memfd;
    fds[1] = headers->broker->shortcut;
    memcpy(&fds[2], headers->ends, sizeof(headers->ends));

    return codr_sandbox_describe(sandbox, CODR_DESCRIBE_ARTEFACT
                                 | CODR_DESCRIBE_STDIO | CODR_DESCRIBE_KEEP,
                                 most(headers), fields,
                                 (size_t) (writer.pos - writer.start), fds,
                                 CODR_ARRAY_LEN(fds));
}


static codr_spawn_request_t
limits_of(const codr_headers_t *headers)
{
    codr_limits_t none = { { 0 } }, limits;

    codr_limits_combine(&limits, &none, &headers->language->limits);

    return (codr_spawn_request_t) {
        .memory = limits.value[CODR_LIMIT_COMPILE_MEMORY],
        .stack = limits.value[CODR_LIMIT_STACK],
        .disk = most(headers) + SPARE,
        .inodes = limits.value[CODR_LIMIT_INODES],
        .file_size = most(headers) + SPARE,
        .cpu_seconds = WALL_US / 1000000,
        .processes = (uint32_t) limits.value[CODR_LIMIT_PROCESSES],
        .open_files = (uint32_t) limits.value[CODR_LIMIT_OPEN_FILES],
    };
}


static void
close_ends(codr_headers_t *headers)
{
    size_t i;

    for (i = 0; i < CODR_ARRAY_LEN(headers->ends); i++) {
        codr_close(&headers->ends[i]);
    }
}


/* Whatever has come of it: the next one may be wanted. */
static void
finish(codr_headers_t *headers, codr_headers_state_t state)
{
    headers->wanted->state = state;
    headers->wanted = NULL;

    close_ends(headers);
    codr_stdio_close(&headers->io);
    codr_sandbox_free(&headers->sandbox);
    codr_source_free(&headers->source);
    headers->source = CODR_SOURCE_EMPTY;
    codr_config_unref(headers->config);
    headers->config = NULL;
}


static void
begin(codr_timer_t *timer)
{
    int                  result = -1;
    codr_headers_t      *headers = timer->data;
    codr_broker_t       *broker = headers->broker;
    codr_spawn_request_t request = limits_of(headers);

    codr_sandbox_init(&headers->sandbox, &broker->loop, &sandbox_handlers,
                      headers);
    codr_stdio_init(&headers->io, &broker->loop, &stdio_handlers, headers);

    if (!headers->stale && broker->link && broker->shortcut != -1
        && write_source(headers)
        && codr_stdio_open_pipes(&headers->io, true, headers->ends) == 0)
    {
        result = codr_sandbox_start(&headers->sandbox, broker->link,
                                    &request);
    }
    if (result != 0) {
        finish(headers, CODR_HEADERS_NONE);
    }
}


static void
keep(codr_headers_t *headers)
{
    codr_artefact_t   *made = &headers->sandbox.artefact;
    codr_header_set_t *set;

    while (headers->used + made->size > most(headers)
           && (set = oldest(headers)) != NULL)
    {
        drop(headers, set);
    }

    if (headers->index >= 0) {
        codr_log(CODR_LEVEL_INFO, 0, "language \"%s\": \"%s\" precompiled,"
                 " %llu bytes", headers->language->name,
                 wanted_names(headers), (unsigned long long) made->size);
    }

    headers->wanted->artefact = *made;
    *made = CODR_ARTEFACT_NONE;
    headers->used += headers->wanted->artefact.size;
    finish(headers, CODR_HEADERS_READY);
    share_room(headers);
}


static void
made(codr_headers_t *headers)
{
    codr_sandbox_end_t *end = &headers->sandbox.end;
    codr_verdict_t      verdict = codr_verdict(end);

    if (headers->stale || end->lost) {
        finish(headers, CODR_HEADERS_NONE);
        return;
    }

    if (verdict.status == CODR_STATUS_OK && headers->sandbox.artefact.sealed
        && headers->sandbox.artefact.size <= most(headers))
    {
        keep(headers);
        return;
    }

    codr_log(CODR_LEVEL_WARNING, 0, "language \"%s\": \"%s\" could not be"
             " precompiled: %s", headers->language->name,
             wanted_names(headers), codr_status_name(verdict.status));
    finish(headers, CODR_HEADERS_FAILED);
}


static void
advance(codr_headers_t *headers)
{
    codr_sandbox_t *sandbox = &headers->sandbox;

    if (sandbox->state == CODR_SANDBOX_PREPARED) {
        close_ends(headers);
        if (sandbox->run_us == 0) {
            (void) codr_sandbox_run(sandbox, 0, 1);
        }
        return;
    }

    if (sandbox->state != CODR_SANDBOX_GONE) {
        return;
    }

    close_ends(headers);
    if (sandbox->started_us == 0 || codr_stdio_has_ended(&headers->io)) {
        made(headers);
    }
}


static void
sandbox_started(codr_sandbox_t *sandbox)
{
    codr_headers_t *headers = sandbox->data;

    codr_stdio_begin(&headers->io);
    codr_sandbox_deadline(sandbox, sandbox->started_us + WALL_US);
}


static void
sandbox_changed(codr_sandbox_t *sandbox)
{
    advance(sandbox->data);
}


static void
streams_ended(codr_stdio_t *io)
{
    advance(io->data);
}


/* What a compiler says of the host's own headers is for nobody. */
static void
said(codr_stdio_t *io, uint8_t stream, uint8_t *data, size_t len)
{
    (void) io;
    (void) stream;
    (void) data;
    (void) len;
}


static void
no_line(codr_stdio_t *io)
{
    (void) io;
}


static void
no_terminal(codr_sandbox_t *sandbox, int master)
{
    codr_close(&master);
    codr_sandbox_kill(sandbox, CODR_STATUS_INTERNAL);
}
