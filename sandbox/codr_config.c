/*
 * The configuration memfd, from its bytes to its end.  Runs in the supervisor,
 * which learns from it how to start the spawner, and in the broker, which
 * learns everything else.
 */

#define _GNU_SOURCE

#include "codr_config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "codr_config_fields.h"
#include "codr_io.h"
#include "codr_util.h"

#define QUEUE_LENGTH    1000
#define QUEUE_MS        30000
#define RESULTS         (64ULL * 1024 * 1024)
#define JOB_TTL_MS      3600000
#define CACHE_SIZE      (256ULL * 1024 * 1024)


static codr_config_t *
create(uint8_t *image, size_t len, uint64_t generation)
{
    codr_config_t *config = calloc(1, sizeof(*config));

    if (config) {
        config->references = 1;
        config->generation = generation;
        config->queue_length = QUEUE_LENGTH;
        config->queue_ms = QUEUE_MS;
        config->results = RESULTS;
        config->job_ttl_ms = JOB_TTL_MS;
        config->cache_size = CACHE_SIZE;
        config->image = image;
        config->length = len;
    }

    return config;
}


/* Takes ownership of the image. */
static int
decode_owned(codr_config_t **ret, uint8_t *image, size_t len,
    uint64_t generation)
{
    int            result;
    codr_config_t *config = create(image, len, generation);

    if (config == NULL) {
        free(image);
        return -ENOMEM;
    }

    result = codr_config_fields(config);
    if (result < 0) {
        codr_config_unref(config);
        return result;
    }

    *ret = config;
    return 0;
}


int
codr_config_decode(codr_config_t **ret, const void *image, size_t len,
    uint64_t generation)
{
    uint8_t *copy;

    if (len > CODR_CONFIG_MAX) {
        return -EPROTO;
    }

    copy = malloc(len + 1);
    if (copy == NULL) {
        return -ENOMEM;
    }

    if (len > 0) {
        memcpy(copy, image, len);
    }
    return decode_owned(ret, copy, len, generation);
}


int
codr_config_read(codr_config_t **ret, int memfd, uint64_t generation)
{
    int      result;
    ssize_t  size = codr_io_sealed_size(memfd, CODR_CONFIG_MAX);
    uint8_t *image;

    if (size < 0) {
        return (int) size;
    }

    image = malloc((size_t) size + 1);
    if (image == NULL) {
        return -ENOMEM;
    }

    result = codr_io_read_at(memfd, image, (size_t) size, 0);
    if (result < 0) {
        free(image);
        return result;
    }

    return decode_owned(ret, image, (size_t) size, generation);
}


codr_config_t *
codr_config_ref(codr_config_t *config)
{
    config->references++;
    return config;
}


static void
free_language(codr_language_t *language)
{
    free(language->name);
    free(language->source);
    free(language->grammar);
    free(language->policy);
    codr_list_free(&language->aliases);
    codr_list_free(&language->sources);
    codr_list_free(&language->version);
    codr_list_free(&language->compile);
    codr_list_free(&language->run);
    codr_list_free(&language->env);
    codr_list_free(&language->env_live);
    codr_list_free(&language->precompile);
    codr_list_free(&language->preload);
}


void
codr_config_unref(codr_config_t *config)
{
    if (config == NULL || --config->references > 0) {
        return;
    }

    while (config->languages > 0) {
        free_language(&config->language[--config->languages]);
    }

    free(config->language);
    free(config->location);
    codr_list_free(&config->allow_missing);
    codr_list_free(&config->binds);
    free(config->policies);
    free(config->image);
    free(config);
}


const codr_location_t *
codr_config_location(const codr_config_t *config, uint64_t id)
{
    size_t i;

    if (id < config->locations && config->location[id].id == id) {
        return &config->location[id];
    }

    for (i = 0; i < config->locations; i++) {
        if (config->location[i].id == id) {
            return &config->location[i];
        }
    }

    return NULL;
}


static bool
name_matches(const char *name, const void *other, size_t len)
{
    return name && strlen(name) == len && strncasecmp(name, other, len) == 0;
}


codr_language_t *
codr_config_language(const codr_config_t *config, const void *name,
    size_t len)
{
    size_t           i, k;
    codr_language_t *language;

    for (i = 0; i < config->languages; i++) {
        language = &config->language[i];
        if (name_matches(language->name, name, len)) {
            return language;
        }
        for (k = 0; k < language->aliases.count; k++) {
            if (name_matches(language->aliases.item[k], name, len)) {
                return language;
            }
        }
    }

    return NULL;
}


bool
codr_config_language_same(const codr_config_t *a, const codr_language_t *x,
    const codr_config_t *b, const codr_language_t *y)
{
    return x->length == y->length
           && memcmp(a->image + x->offset, b->image + y->offset,
                     x->length) == 0;
}
