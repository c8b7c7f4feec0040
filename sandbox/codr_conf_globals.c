/*
 * The directives of the configuration file that are about the whole helper:
 * who runs it, which ceilings all jobs have together, what is kept of them.
 * Runs in the supervisor.
 */

#define _GNU_SOURCE

#include "codr_conf_globals.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codr_config.h"
#include "codr_layer.h"
#include "codr_place.h"
#include "codr_user.h"
#include "codr_util.h"

#define TOTAL_MIN       (16ULL * 1024 * 1024)
#define TOTAL_MAX       (1ULL << 50)
#define TOTAL_CPU_MAX   (4096 * 1000)
#define JOBS_MAX        65535
#define QUEUE_MAX       100000
#define RESULTS_MIN     (64ULL * 1024)
#define RESULTS_MAX     (64ULL * 1024 * 1024 * 1024)
#define TTL_MS_MIN      1000
#define TTL_MS_MAX      (30ULL * 24 * 3600 * 1000)

typedef codr_conf_parser_t  parser_t;
typedef codr_conf_row_t     row_t;


static void
put_global(parser_t *parser, codr_field_tag_t tag, uint64_t value)
{
    codr_put_number(&parser->piece[CODR_CONF_GLOBALS], tag, value);
}


static bool
take_uids(parser_t *parser, const row_t *row, const codr_list_t *words)
{
    char text[64];

    (void) row;
    (void) snprintf(text, sizeof(text), "%s%s%s", words->item[1],
                    words->count > 2 ? ":" : "",
                    words->count > 2 ? words->item[2] : "");

    return codr_settings_uids(&parser->file->settings, text) == 0
           || codr_conf_invalid(parser, words, 1);
}


static bool
keep(char **place, const char **setting, const char *text)
{
    free(*place);
    *place = strdup(text);
    *setting = *place;
    return *place != NULL;
}


static bool
take_user(parser_t *parser, const row_t *row, const codr_list_t *words)
{
    uid_t             uid;
    gid_t             gid;
    codr_conf_file_t *file = parser->file;

    (void) row;
    if (codr_user_find(words->item[1], &uid, &gid) != 0) {
        return codr_conf_fail(parser, "no user \"%s\"", words->item[1]);
    }

    return keep(&file->user, &file->settings.user, words->item[1]);
}


static bool
take_cgroup(parser_t *parser, const row_t *row, const codr_list_t *words)
{
    codr_conf_file_t *file = parser->file;

    (void) row;
    if (!codr_place_valid(words->item[1], strlen(words->item[1]))) {
        return codr_conf_invalid(parser, words, 1);
    }

    return keep(&file->cgroup, &file->settings.cgroup, words->item[1]);
}


static bool
take_peer(parser_t *parser, const row_t *row, const codr_list_t *words)
{
    uid_t  uid;
    gid_t  gid;
    size_t i;

    (void) row;
    for (i = 1; i < words->count; i++) {
        if (codr_user_find(words->item[i], &uid, &gid) != 0) {
            return codr_conf_fail(parser, "no user \"%s\"", words->item[i]);
        }
        if (parser->file->group == (gid_t) -1) {
            parser->file->group = gid;
        }
        put_global(parser, CODR_FIELD_PEER, uid);
    }

    return true;
}


static bool
take_total_memory(parser_t *parser, const char *text)
{
    char     number[16];
    size_t   len = strlen(text);
    uint64_t value;

    if (len > 1 && len < sizeof(number) && text[len - 1] == '%') {
        memcpy(number, text, len - 1);
        number[len - 1] = '\0';
        if (!codr_conf_number(number, &value) || value == 0 || value > 100) {
            return false;
        }
        put_global(parser, CODR_FIELD_TOTAL_PERCENT, value);
        return true;
    }

    if (!codr_conf_size(text, &value) || value < TOTAL_MIN
        || value > TOTAL_MAX)
    {
        return false;
    }
    put_global(parser, CODR_FIELD_TOTAL_MEMORY, value);
    return true;
}


/* "1.5" processors; at most three digits after the point. */
static bool
take_total_cpu(parser_t *parser, const char *text)
{
    int      used = -1;
    double   cpus = 0;
    uint64_t milli;

    if (sscanf(text, "%9[0-9.]%n", (char [10]) { 0 }, &used) != 1
        || text[used] != '\0' || sscanf(text, "%lf%n", &cpus, &used) != 1
        || text[used] != '\0')
    {
        return false;
    }

    milli = (uint64_t) (cpus * 1000 + 0.5);
    put_global(parser, CODR_FIELD_TOTAL_CPU, milli);
    return milli > 0 && milli <= TOTAL_CPU_MAX;
}


static bool
take_total(parser_t *parser, const row_t *row, const codr_list_t *words)
{
    bool        ok, memory = false, cpu = false;
    size_t      i;
    const char *value;

    (void) row;
    for (i = 1; i < words->count; i++) {
        if ((value = codr_conf_named(words->item[i], "memory")) != NULL) {
            ok = !memory && take_total_memory(parser, value);
            memory = true;
        } else if ((value = codr_conf_named(words->item[i], "cpu")) != NULL) {
            ok = !cpu && take_total_cpu(parser, value);
            cpu = true;
        } else {
            ok = false;
        }
        if (!ok) {
            return codr_conf_invalid(parser, words, i);
        }
    }

    return true;
}


/* "auto" is what is in force where nothing is said. */
static bool
put_jobs(parser_t *parser, codr_field_tag_t tag, const char *text)
{
    uint64_t value;

    if (strcmp(text, "auto") == 0) {
        return true;
    }
    if (!codr_conf_number(text, &value) || value == 0 || value > JOBS_MAX) {
        return false;
    }

    put_global(parser, tag, value);
    return true;
}


static bool
take_max_jobs(parser_t *parser, const row_t *row, const codr_list_t *words)
{
    bool        ok, batch = false, compile = false;
    size_t      i;
    const char *value;

    (void) row;
    if (!put_jobs(parser, CODR_FIELD_MAX_JOBS, words->item[1])) {
        return codr_conf_invalid(parser, words, 1);
    }

    for (i = 2; i < words->count; i++) {
        if ((value = codr_conf_named(words->item[i], "batch")) != NULL) {
            ok = !batch && put_jobs(parser, CODR_FIELD_MAX_BATCH, value);
            batch = true;
        } else if ((value = codr_conf_named(words->item[i], "compile"))
                   != NULL)
        {
            ok = !compile && put_jobs(parser, CODR_FIELD_MAX_COMPILE, value);
            compile = true;
        } else {
            ok = false;
        }
        if (!ok) {
            return codr_conf_invalid(parser, words, i);
        }
    }

    return true;
}


static bool
take_queue(parser_t *parser, const row_t *row, const codr_list_t *words)
{
    uint64_t    ms, length;
    const char *timeout;

    (void) row;
    if (!codr_conf_number(words->item[1], &length) || length > QUEUE_MAX) {
        return codr_conf_invalid(parser, words, 1);
    }
    put_global(parser, CODR_FIELD_QUEUE_LENGTH, length);

    if (words->count > 2) {
        timeout = codr_conf_named(words->item[2], "timeout");
        if (timeout == NULL || !codr_conf_time(timeout, &ms) || ms == 0
            || ms > 86400000)
        {
            return codr_conf_invalid(parser, words, 2);
        }
        put_global(parser, CODR_FIELD_QUEUE_MS, ms);
    }

    return true;
}


static bool
take_cache(parser_t *parser, const row_t *row, const codr_list_t *words)
{
    uint64_t size = 0;

    (void) row;
    if (strcmp(words->item[1], "off") != 0
        && strcmp(words->item[1], "0") != 0
        && (!codr_conf_size(words->item[1], &size) || size > INT64_MAX))
    {
        return codr_conf_invalid(parser, words, 1);
    }
    put_global(parser, CODR_FIELD_CACHE_SIZE, size);

    if (words->count > 2) {
        if (strcmp(words->item[2], "shared") != 0) {
            return codr_conf_invalid(parser, words, 2);
        }
        put_global(parser, CODR_FIELD_CACHE_SHARED, 1);
    }

    return true;
}


static bool
take_results(parser_t *parser, const row_t *row, const codr_list_t *words)
{
    uint64_t value;

    if (!codr_conf_size(words->item[1], &value) || value < RESULTS_MIN
        || value > RESULTS_MAX)
    {
        return codr_conf_invalid(parser, words, 1);
    }

    put_global(parser, row->id, value);
    return true;
}


static bool
take_job_ttl(parser_t *parser, const row_t *row, const codr_list_t *words)
{
    uint64_t ms;

    if (!codr_conf_time(words->item[1], &ms) || ms < TTL_MS_MIN
        || ms > TTL_MS_MAX)
    {
        return codr_conf_invalid(parser, words, 1);
    }

    put_global(parser, row->id, ms);
    return true;
}


static bool
take_allow(parser_t *parser, const row_t *row, const codr_list_t *words)
{
    size_t i;

    (void) row;
    for (i = 1; i < words->count; i++) {
        if (codr_layer_by_name(words->item[i]) < 0) {
            return codr_conf_invalid(parser, words, i);
        }
        codr_put_text(&parser->piece[CODR_CONF_GLOBALS],
                      CODR_FIELD_ALLOW_MISSING, words->item[i]);
    }

    return true;
}


const codr_conf_row_t codr_conf_globals[] = {
    { "uids",          CODR_CONF_TOP, 1, 2, take_uids, 0 },
    { "user",          CODR_CONF_TOP, 1, 1, take_user, 0 },
    { "peer",          CODR_CONF_TOP | CODR_CONF_MANY, 1, CODR_CONFIG_PEERS,
      take_peer, 0 },
    { "cgroup",        CODR_CONF_TOP, 1, 1, take_cgroup, 0 },
    { "total",         CODR_CONF_TOP, 1, 2, take_total, 0 },
    { "allow_missing", CODR_CONF_TOP, 1, 32, take_allow, 0 },
    { "max_jobs",      CODR_CONF_TOP, 1, 3, take_max_jobs, 0 },
    { "queue",         CODR_CONF_TOP, 1, 2, take_queue, 0 },
    { "compile_cache", CODR_CONF_TOP, 1, 2, take_cache, 0 },
    { "results",       CODR_CONF_TOP, 1, 1, take_results,
      CODR_FIELD_RESULTS },
    { "job_ttl",       CODR_CONF_TOP, 1, 1, take_job_ttl,
      CODR_FIELD_JOB_TTL_MS },
};

const size_t codr_conf_globals_count = CODR_ARRAY_LEN(codr_conf_globals);
