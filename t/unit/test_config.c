/*
 * The configuration memfd: what is well formed is decoded, what is not is
 * refused at every place where it can be cut or changed.
 */

#include "tap.h"

#include <errno.h>
#include <stdlib.h>

#include "../../sandbox/codr_config.h"

#define SIZE    4096


static size_t
sample(uint8_t *image)
{
    codr_writer_t  writer;

    codr_writer_init(&writer, image, SIZE);
    codr_put_number(&writer, CODR_FIELD_MAX_BATCH, 8);
    codr_put_text(&writer, CODR_FIELD_ALLOW_MISSING, "landlock_net");
    codr_put_bytes(&writer, CODR_FIELD_BIND, "/srv/data\0/data", 15);
    codr_put_number(&writer, CODR_FIELD_LOCATION, 0);
    codr_put_limit(&writer, CODR_FIELD_LIMIT, CODR_LIMIT_MEMORY, 1000);
    codr_put_number(&writer, CODR_FIELD_LOCATION, 7);
    codr_put_number(&writer, CODR_FIELD_OUTPUT_DROP, 1);
    codr_put_text(&writer, CODR_FIELD_LANGUAGE, "python");
    codr_put_text(&writer, CODR_FIELD_ALIAS, "py");
    codr_put_text(&writer, CODR_FIELD_SOURCE, "main.py");
    codr_put_text(&writer, CODR_FIELD_RUN_ARG, "/usr/bin/python3");
    codr_put_text(&writer, CODR_FIELD_RUN_ARG, "$source");
    codr_put_text(&writer, CODR_FIELD_LANGUAGE, "c");
    codr_put_text(&writer, CODR_FIELD_SOURCE, "main.c");
    codr_put_text(&writer, CODR_FIELD_COMPILE_ARG, "/usr/bin/gcc");
    codr_put_text(&writer, CODR_FIELD_RUN_ARG, "$program");
    codr_put_limit(&writer, CODR_FIELD_LIMIT, CODR_LIMIT_DISK, 5);

    return (size_t) (writer.pos - writer.start);
}


static void
decodes(void)
{
    size_t            len;
    uint8_t           image[SIZE];
    codr_config_t    *config = NULL, *other = NULL;
    codr_language_t  *c;

    len = sample(image);
    tap_number(codr_config_decode(&config, image, len, 42), 0, "decodes");
    tap_number(config->generation, 42, "generation");
    tap_number(config->max_batch, 8, "a global number");
    tap_number(config->queue_length, 1000, "a default");
    tap_text(config->binds.item[0], "/srv/data:/data", "a bind");
    tap_number(config->locations, 2, "locations");
    tap_ok(codr_config_location(config, 7)->output_drop, "location 7");
    tap_ok(codr_config_location(config, 1) == NULL, "no location 1");
    tap_number(codr_config_location(config, 0)->limits.value
               [CODR_LIMIT_MEMORY], 1000, "a location's limit");

    c = codr_config_language(config, "C", 1);
    tap_ok(c && strcmp(c->name, "c") == 0, "names ignore case");
    tap_ok(codr_config_language(config, "PY", 2) == &config->language[0],
           "aliases do too");
    tap_ok(codr_config_language(config, "p", 1) == NULL, "no prefixes");
    tap_number(c->limits.value[CODR_LIMIT_DISK], 5, "a language's limit");

    tap_number(codr_config_decode(&other, image, len, 43), 0, "once more");
    tap_ok(codr_config_language_same(config, c, other, &other->language[1]),
           "equal languages");
    tap_ok(!codr_config_language_same(config, c, other, &other->language[0]),
           "different languages");

    codr_config_unref(codr_config_ref(config));
    tap_number(config->references, 1, "references");
    codr_config_unref(config);
    codr_config_unref(other);
    codr_config_unref(NULL);
}


static void
survives_changes(void)
{
    size_t          i, len, refused = 0;
    uint8_t         image[SIZE], *exact;
    codr_config_t  *config;

    len = sample(image);

    for (i = 0; i < len; i++) {
        /* of exactly that size, so that a sanitizer sees reads beyond */
        exact = malloc(i ? i : 1);
        memcpy(exact, image, i);
        if (codr_config_decode(&config, exact, i, 0) == 0) {
            codr_config_unref(config);
        } else {
            refused++;
        }
        free(exact);

        image[i] = (uint8_t) ~image[i];
        if (codr_config_decode(&config, image, len, 0) == 0) {
            codr_config_unref(config);
        }
        image[i] = (uint8_t) ~image[i];
    }

    tap_ok(refused > len / 2, "cut anywhere: refused, or decoded whole");
}


static int
decode_one(codr_field_tag_t tag, const char *data, size_t len)
{
    int             result;
    uint8_t         image[SIZE];
    codr_config_t  *config = NULL;
    codr_writer_t   writer;

    codr_writer_init(&writer, image, sizeof(image));
    codr_put_bytes(&writer, tag, data, len);
    result = codr_config_decode(&config, image,
                                (size_t) (writer.pos - writer.start), 0);
    codr_config_unref(config);
    return result;
}


static void
refuses(void)
{
    tap_number(decode_one(CODR_FIELD_LANGUAGE, "x", 1), -EPROTO,
               "a language without source and run");
    tap_number(decode_one(CODR_FIELD_RUN_ARG, "x", 1), -EPROTO,
               "an argument without language");
    tap_number(decode_one(CODR_FIELD_LIMIT, "\0\0\0\0\1\0\0\0\0\0\0\0", 12),
               -EPROTO, "a limit without owner");
    tap_number(decode_one(CODR_FIELD_BIND, "/a:b\0/c", 7), -EPROTO,
               "a bind with a colon");
    tap_number(decode_one(CODR_FIELD_BIND, "a\0/c", 4), -EPROTO,
               "a relative bind");
    tap_number(decode_one(CODR_FIELD_BIND, "/a", 2), -EPROTO,
               "a bind without its other half");
    tap_number(decode_one(CODR_FIELD_BIND, "/a\0/b\0", 6), -EPROTO,
               "a bind with a third part");
    tap_number(decode_one(CODR_FIELD_MESSAGE, "x", 1), -EPROTO,
               "a tag of something else");
    tap_number(decode_one(CODR_FIELD_MAX_JOBS, "x", 1), -EPROTO,
               "a number that is none");
}


int
main(void)
{
    decodes();
    survives_changes();
    refuses();

    return tap_done();
}
