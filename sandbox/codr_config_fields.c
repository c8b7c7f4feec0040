/*
 * Decodes the fields of the configuration memfd.  Runs in the supervisor and
 * in the broker.  Never believes a length or a count, never follows a path.
 */

#define _GNU_SOURCE

#include "codr_config_fields.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "codr_util.h"

#define DETACH_MS       60000
#define ARGUMENT_MAX    4096            /* bytes of a configured string */
#define PATH_LENGTH     1024


/* Where a field goes: a number, a list, or a function of its own. */

typedef struct {
    codr_config_t    *config;
    codr_location_t  *location;         /* the open one, or NULL */
    codr_language_t  *language;         /* the open one, or NULL */
} decoder_t;

typedef struct {
    codr_field_tag_t  tag;
    size_t            offset;           /* in codr_config_t */
    uint64_t          max;
} number_row_t;

typedef struct {
    codr_field_tag_t  tag;
    size_t            offset;           /* in codr_language_t */
    size_t            max;
} list_row_t;

#define GLOBAL(field)   offsetof(codr_config_t, field)
#define OF_LANGUAGE(field)  offsetof(codr_language_t, field)

static const number_row_t number_rows[] = {
    { CODR_FIELD_MAX_JOBS,      GLOBAL(max_jobs),      UINT32_MAX },
    { CODR_FIELD_MAX_BATCH,     GLOBAL(max_batch),     UINT32_MAX },
    { CODR_FIELD_MAX_COMPILE,   GLOBAL(max_compile),   UINT32_MAX },
    { CODR_FIELD_QUEUE_LENGTH,  GLOBAL(queue_length),  1000000 },
    { CODR_FIELD_QUEUE_MS,      GLOBAL(queue_ms),      86400000 },
    { CODR_FIELD_TOTAL_MEMORY,  GLOBAL(total_memory),  INT64_MAX },
    { CODR_FIELD_TOTAL_PERCENT, GLOBAL(total_percent), 100 },
    { CODR_FIELD_TOTAL_CPU,     GLOBAL(total_cpu),     INT32_MAX },
    { CODR_FIELD_RESULTS,       GLOBAL(results),       INT64_MAX },
    { CODR_FIELD_JOB_TTL_MS,    GLOBAL(job_ttl_ms),    UINT32_MAX },
    { CODR_FIELD_CACHE_SIZE,    GLOBAL(cache_size),    INT64_MAX },
    { CODR_FIELD_CACHE_SHARED,  GLOBAL(cache_shared),  1 },
};

static const list_row_t list_rows[] = {
    { CODR_FIELD_ALIAS,         OF_LANGUAGE(aliases),  CODR_NAME_MAX },
    { CODR_FIELD_SOURCES,       OF_LANGUAGE(sources),  ARGUMENT_MAX },
    { CODR_FIELD_VERSION_ARG,   OF_LANGUAGE(version),  ARGUMENT_MAX },
    { CODR_FIELD_COMPILE_ARG,   OF_LANGUAGE(compile),  ARGUMENT_MAX },
    { CODR_FIELD_RUN_ARG,       OF_LANGUAGE(run),      ARGUMENT_MAX },
    { CODR_FIELD_ENV,           OF_LANGUAGE(env),      ARGUMENT_MAX },
    { CODR_FIELD_ENV_LIVE,      OF_LANGUAGE(env_live), ARGUMENT_MAX },
    { CODR_FIELD_PRECOMPILE,    OF_LANGUAGE(precompile), ARGUMENT_MAX },
    { CODR_FIELD_PRELOAD,       OF_LANGUAGE(preload),  CODR_NAME_MAX },
};


static int
add_text(codr_list_t *list, const codr_field_t *field, size_t max)
{
    if (codr_field_text(field, max) != 0) {
        return -EPROTO;
    }

    return codr_list_add(list, field->data, field->length);
}


/* The array with room for one element more, which is zeroed; NULL: no
   memory, and the array is as it was. */
static void *
grow(void *array, size_t count, size_t size)
{
    char *grown = realloc(array, (count + 1) * size);

    if (grown) {
        memset(grown + count * size, 0, size);
    }

    return grown;
}


static int
open_location(decoder_t *decoder, const codr_field_t *field)
{
    uint64_t         id;
    codr_config_t   *config = decoder->config;
    codr_location_t *location;

    if (config->locations >= CODR_CONFIG_LOCATIONS || decoder->language
        || codr_field_number(field, 0, UINT32_MAX, &id) != 0
        || codr_config_location(config, id))
    {
        return -EPROTO;
    }

    location = grow(config->location, config->locations, sizeof(*location));
    if (location == NULL) {
        return -ENOMEM;
    }

    config->location = location;
    decoder->location = &location[config->locations++];
    decoder->location->id = id;
    decoder->location->detach_ms = DETACH_MS;
    decoder->location->policy_mode = CODR_POLICY_BLOCK;
    decoder->location->policy_level = CODR_POLICY_STANDARD;
    return 0;
}


static int
copy_text(char **ret, const codr_field_t *field, size_t max)
{
    char *copy;

    if (*ret || field->length == 0 || codr_field_text(field, max) != 0) {
        return -EPROTO;
    }

    copy = strndup((const char *) field->data, field->length);
    if (copy == NULL) {
        return -ENOMEM;
    }

    *ret = copy;
    return 0;
}


static int
open_language(decoder_t *decoder, const codr_field_t *field)
{
    codr_config_t   *config = decoder->config;
    codr_language_t *language;

    if (config->languages >= CODR_CONFIG_LANGUAGES
        || codr_config_language(config, field->data, field->length))
    {
        return -EPROTO;
    }

    language = grow(config->language, config->languages, sizeof(*language));
    if (language == NULL) {
        return -ENOMEM;
    }

    config->language = language;
    decoder->location = NULL;
    decoder->language = &language[config->languages++];
    return copy_text(&decoder->language->name, field, CODR_NAME_MAX);
}


static int
take_source(decoder_t *decoder, const codr_field_t *field)
{
    if (decoder->language == NULL
        || !codr_file_name_valid((const char *) field->data, field->length))
    {
        return -EPROTO;
    }

    return copy_text(&decoder->language->source, field, CODR_FILE_NAME_MAX);
}


static int
take_limit(decoder_t *decoder, const codr_field_t *field)
{
    uint32_t       id;
    uint64_t       value;
    codr_limits_t *limits;

    if (decoder->language) {
        limits = &decoder->language->limits;
    } else if (decoder->location) {
        limits = &decoder->location->limits;
    } else {
        return -EPROTO;
    }

    if (codr_field_limit(field, &id, &value) != 0) {
        return -EPROTO;
    }

    limits->value[id] = value;
    return 0;
}


static int
take_output_drop(decoder_t *decoder, const codr_field_t *field)
{
    bool    *drop = NULL;
    uint64_t value;

    if (decoder->language) {
        drop = &decoder->language->output_drop;
    } else if (decoder->location) {
        drop = &decoder->location->output_drop;
    }
    if (drop == NULL || codr_field_number(field, 0, 1, &value) != 0) {
        return -EPROTO;
    }

    *drop = value == 1;
    return 0;
}


static int
take_detach(decoder_t *decoder, const codr_field_t *field)
{
    if (decoder->location == NULL
        || codr_field_number(field, 0, UINT32_MAX,
                             &decoder->location->detach_ms) != 0)
    {
        return -EPROTO;
    }

    return 0;
}


/* A path, NUL, the path inside: both absolute, and without the colon that
   separates them on the spawner's command line. */
static int
take_bind(decoder_t *decoder, const codr_field_t *field)
{
    char        pair[2 * PATH_LENGTH];
    size_t      from;
    const char *text = (const char *) field->data;
    const char *nul = memchr(text, '\0', field->length);

    if (nul == NULL || field->length > sizeof(pair)
        || memchr(text, ':', field->length))
    {
        return -EPROTO;
    }

    from = (size_t) (nul - text);
    if (from == 0 || text[0] != '/' || from + 1 >= field->length
        || nul[1] != '/'
        || memchr(nul + 1, '\0', field->length - from - 1))
    {
        return -EPROTO;
    }

    memcpy(pair, text, field->length);
    pair[from] = ':';

    return codr_list_add(&decoder->config->binds, pair, field->length);
}


static int
take_warm(decoder_t *decoder, const codr_field_t *field)
{
    bool      warm = field->tag == CODR_FIELD_WARM;
    uint64_t *value;

    if (decoder->language == NULL) {
        return -EPROTO;
    }

    value = warm ? &decoder->language->warm : &decoder->language->zygote;
    return codr_field_number(field, 0, warm ? CODR_CONFIG_WARM
                                            : CODR_INTERPRETER_COUNT - 1,
                             value) == 0 ? 0 : -EPROTO;
}


static int
take_shortcut(decoder_t *decoder, const codr_field_t *field)
{
    return decoder->language
           && codr_field_number(field, 0, 1,
                                &decoder->language->shortcut) == 0
           ? 0 : -EPROTO;
}


static int
take_peer(decoder_t *decoder, const codr_field_t *field)
{
    codr_config_t *config = decoder->config;

    if (config->peers >= CODR_CONFIG_PEERS
        || codr_field_number(field, 0, UINT32_MAX - 1,
                             &config->peer[config->peers]) != 0)
    {
        return -EPROTO;
    }

    config->peers++;
    return 0;
}


/* Numbers of the whole configuration and lists of a language, by table;
   1 when the tag is neither. */
static int
take_row(decoder_t *decoder, const codr_field_t *field)
{
    size_t    i;
    uint64_t *number;
    char     *base;

    for (i = 0; i < CODR_ARRAY_LEN(number_rows); i++) {
        if (number_rows[i].tag == field->tag) {
            base = (char *) decoder->config + number_rows[i].offset;
            number = (uint64_t *) (void *) base;
            return codr_field_number(field, 0, number_rows[i].max, number)
                   ? -EPROTO : 0;
        }
    }

    for (i = 0; i < CODR_ARRAY_LEN(list_rows); i++) {
        if (list_rows[i].tag == field->tag) {
            if (decoder->language == NULL) {
                return -EPROTO;
            }
            base = (char *) decoder->language + list_rows[i].offset;
            return add_text((codr_list_t *) (void *) base, field,
                            list_rows[i].max);
        }
    }

    return 1;
}


/* 1 when the field is none of a policy. */
static int
take_policy(decoder_t *decoder, const codr_field_t *field)
{
    codr_location_t *location = decoder->location;
    codr_language_t *language = decoder->language;

    switch ((codr_field_tag_t) field->tag) {

    case CODR_FIELD_POLICIES:
        return copy_text(&decoder->config->policies, field, PATH_LENGTH);

    case CODR_FIELD_POLICY_FILE:
        return language ? copy_text(&language->policy, field, PATH_LENGTH)
                        : -EPROTO;

    case CODR_FIELD_GRAMMAR:
        return language ? copy_text(&language->grammar, field, CODR_NAME_MAX)
                        : -EPROTO;

    case CODR_FIELD_POLICY_MODE:
        return location && codr_field_number(field, 0, CODR_POLICY_MODES - 1,
                                             &location->policy_mode) == 0
               ? 0 : -EPROTO;

    case CODR_FIELD_POLICY_LEVEL:
        return location && codr_field_number(field, 0, CODR_POLICY_LEVELS - 1,
                                             &location->policy_level) == 0
               ? 0 : -EPROTO;

    default:
        return 1;
    }
}


static int
take_field(decoder_t *decoder, const codr_field_t *field)
{
    int result = take_row(decoder, field);

    if (result == 1) {
        result = take_policy(decoder, field);
    }
    if (result <= 0) {
        return result;
    }

    if (field->tag == CODR_FIELD_LOCATION) {
        return open_location(decoder, field);
    }
    if (field->tag == CODR_FIELD_LANGUAGE) {
        return open_language(decoder, field);
    }
    if (field->tag == CODR_FIELD_SOURCE) {
        return take_source(decoder, field);
    }
    if (field->tag == CODR_FIELD_LIMIT) {
        return take_limit(decoder, field);
    }
    if (field->tag == CODR_FIELD_OUTPUT_DROP) {
        return take_output_drop(decoder, field);
    }
    if (field->tag == CODR_FIELD_DETACH_MS) {
        return take_detach(decoder, field);
    }
    if (field->tag == CODR_FIELD_BIND) {
        return take_bind(decoder, field);
    }
    if (field->tag == CODR_FIELD_PEER) {
        return take_peer(decoder, field);
    }
    if (field->tag == CODR_FIELD_SHORTCUT) {
        return take_shortcut(decoder, field);
    }
    if (field->tag == CODR_FIELD_WARM || field->tag == CODR_FIELD_ZYGOTE) {
        return take_warm(decoder, field);
    }
    if (field->tag == CODR_FIELD_ALLOW_MISSING) {
        return add_text(&decoder->config->allow_missing, field,
                        CODR_NAME_MAX);
    }

    return -EPROTO;
}


/* What no job could do without. */
static bool
complete(const codr_config_t *config)
{
    size_t i;

    for (i = 0; i < config->languages; i++) {
        if (config->language[i].source == NULL
            || config->language[i].run.count == 0)
        {
            return false;
        }
    }

    return true;
}


int
codr_config_fields(codr_config_t *config)
{
    int           result;
    size_t        start;
    decoder_t     decoder = { config, NULL, NULL };
    codr_field_t  field;
    codr_fields_t fields;

    codr_fields_init(&fields, config->image, config->length);

    for ( ;; ) {
        start = (size_t) (fields.pos - config->image);
        result = codr_fields_next(&fields, &field);
        if (result <= 0) {
            break;
        }

        result = take_field(&decoder, &field);
        if (result < 0) {
            return result;
        }

        if (field.tag == CODR_FIELD_LANGUAGE) {
            decoder.language->offset = start;
        }
        if (decoder.language) {
            decoder.language->length = (size_t) (fields.pos - config->image)
                                       - decoder.language->offset;
        }
    }

    return result < 0 || !complete(config) ? -EPROTO : 0;
}
