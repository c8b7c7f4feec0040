/*
 * The table of limits and the arithmetic of combining them.  Pure: no I/O, no
 * allocation.  Runs in nginx (configuration, codr_languages) and in the
 * broker, which is the one that judges.
 */

#include "codr_limits.h"

#include <string.h>

#define K           1024ULL
#define M           (1024 * K)
#define G           (1024 * M)
#define SECOND      1000ULL
#define MINUTE      (60 * SECOND)
#define HOUR        (60 * MINUTE)


/* A sandbox takes 2 MB itself: less would be refused by the kernel instead of
   ending the program, which ends with that, too. */
static const codr_limit_info_t table[CODR_LIMIT_COUNT] = {
    /* name            client          time   initial      minimum  maximum */
    { "timeout",       "wall_time",    true,  30 * SECOND, 1,       24 * HOUR },
    { "input",         NULL,           true,  5 * MINUTE,  1,       24 * HOUR },
    { "max",           NULL,           true,  30 * MINUTE, 1,       24 * HOUR },
    { "cpu_time",      "cpu_time",     true,  7 * SECOND,  1,       24 * HOUR },
    { "compile_timeout", NULL,         true,  20 * SECOND, 1,       1 * HOUR },
    { "compile_memory", NULL,          false, 1 * G,       2 * M,   1024 * G },
    { "memory",        "memory_bytes", false, 300 * M,     2 * M,   1024 * G },
    { "stack",         NULL,           false, 64 * M,      1,       64 * G },
    { "processes",     "processes",    false, 64,          1,       32768 },
    { "open_files",    NULL,           false, 256,         1,       65536 },
    { "disk",          NULL,           false, 64 * M,      1,       1024 * G },
    { "inodes",        NULL,           false, 10000,       1,       10000000 },
    { "output",        "output_bytes", false, 1 * M,       1,       64 * G },
    { "code_size",     NULL,           false, 64 * K,      1,       64 * M },
    { "files",         NULL,           false, 8 * M,       1,       256 * M },
    { "file_count",    NULL,           false, 64,          1,       1024 },
    { "stdin",         NULL,           false, 1 * M,       1,       256 * M },
    { "ast_nodes",     NULL,           false, 50000,       1,       1000000 },
};


const codr_limit_info_t *
codr_limit_info(codr_limit_id_t id)
{
    return &table[id];
}


int
codr_limit_by_client_name(const char *name, size_t len)
{
    int i;

    for (i = 0; i < CODR_LIMIT_COUNT; i++) {
        if (table[i].client && strlen(table[i].client) == len
            && memcmp(table[i].client, name, len) == 0)
        {
            return i;
        }
    }

    return -1;
}


static uint64_t
smaller(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}


static uint64_t
larger(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}


static uint64_t
at_least(uint64_t value, int id)
{
    return value > table[id].minimum ? value : table[id].minimum;
}


/* The smaller of what is set; 0 when neither is. */
static uint64_t
smaller_set(uint64_t a, uint64_t b)
{
    if (a == 0) {
        return b;
    }

    return b == 0 ? a : smaller(a, b);
}


/* A wall time alone is meant for every way of waiting. */
static uint64_t
explicit_value(const codr_limits_t *limits, int id)
{
    if ((id == CODR_LIMIT_INPUT_MS || id == CODR_LIMIT_MAX_MS)
        && limits->value[CODR_LIMIT_INPUT_MS] == 0
        && limits->value[CODR_LIMIT_MAX_MS] == 0)
    {
        return limits->value[CODR_LIMIT_WALL_MS];
    }

    return limits->value[id];
}


/* What is in force where nothing is said: "max" gives way to the times that
   it would cut short. */
static uint64_t
default_value(const codr_limits_t *limits, int id)
{
    const uint64_t *value = limits->value;

    if (id == CODR_LIMIT_MAX_MS) {
        return larger(table[id].initial,
                      larger(value[CODR_LIMIT_WALL_MS],
                             value[CODR_LIMIT_INPUT_MS]));
    }

    return table[id].initial;
}


void
codr_limits_explicit(codr_limits_t *ret, const codr_limits_t *location,
    const codr_limits_t *language)
{
    int           i;
    codr_limits_t limits = { { 0 } };

    for (i = 0; i < CODR_LIMIT_COUNT; i++) {
        limits.value[i] = smaller_set(explicit_value(location, i),
                                      explicit_value(language, i));
    }

    *ret = limits;
}


void
codr_limits_combine(codr_limits_t *ret_caps, const codr_limits_t *location,
    const codr_limits_t *language)
{
    int           i;
    uint64_t      value;
    codr_limits_t said, caps = { { 0 } };

    codr_limits_explicit(&said, location, language);

    for (i = 0; i < CODR_LIMIT_COUNT; i++) {
        value = said.value[i];
        value = smaller(value ? value : default_value(&said, i),
                        table[i].maximum);
        caps.value[i] = at_least(value, i);
    }

    *ret_caps = caps;
}


int
codr_limits_narrow(codr_limits_t *ret, const codr_limits_t *caps,
    const codr_limits_t *asked)
{
    int           i;
    uint64_t      wall = asked->value[CODR_LIMIT_WALL_MS];
    codr_limits_t limits = *caps;

    for (i = 0; i < CODR_LIMIT_COUNT; i++) {
        if (asked->value[i] > caps->value[i]) {
            return i;
        }
        if (asked->value[i] != 0) {
            limits.value[i] = at_least(asked->value[i], i);
        }
    }

    if (wall != 0) {
        limits.value[CODR_LIMIT_INPUT_MS] =
            smaller(limits.value[CODR_LIMIT_INPUT_MS], wall);
        limits.value[CODR_LIMIT_MAX_MS] =
            smaller(limits.value[CODR_LIMIT_MAX_MS], wall);
    }

    *ret = limits;
    return -1;
}
