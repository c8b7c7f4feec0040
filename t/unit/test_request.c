/*
 * EXECUTE frames and the files after them: what a worker may ask for, and
 * what is refused.
 */

#define _GNU_SOURCE

#include "tap.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include "../../sandbox/codr_request.h"
#include "../../sandbox/codr_source.h"

#define SIZE    4096
#define ID          "0123456789abcdef0123456789abcdef"
#define ID_CAPITAL  "0123456789ABCDEF0123456789abcdef"


static size_t
sample(uint8_t *buffer)
{
    codr_writer_t  writer;

    codr_writer_init(&writer, buffer, SIZE);
    codr_put_number(&writer, CODR_FIELD_LOCATION, 3);
    codr_put_text(&writer, CODR_FIELD_LANGUAGE, "python");
    codr_put_text(&writer, CODR_FIELD_OWNER, "me");
    codr_put_number(&writer, CODR_FIELD_KIND, CODR_KIND_BATCH);
    codr_put_number(&writer, CODR_FIELD_TERMINAL, CODR_TERMINAL_FULL);
    codr_put_number(&writer, CODR_FIELD_COLS, 132);
    codr_put_number(&writer, CODR_FIELD_ECHO, 1);
    codr_put_text(&writer, CODR_FIELD_ARG, "-x");
    codr_put_limit(&writer, CODR_FIELD_LIMIT, CODR_LIMIT_CPU_MS, 100);
    codr_put_number(&writer, CODR_FIELD_DETACH_MS, 5000);
    codr_put_number(&writer, CODR_FIELD_ASYNC, 1);
    codr_put_text(&writer, CODR_FIELD_TAG, "a tag");
    codr_put_text(&writer, CODR_FIELD_JOB_ID, ID);

    return (size_t) (writer.pos - writer.start);
}


static void
decodes(void)
{
    size_t          len;
    uint8_t         buffer[SIZE];
    codr_request_t  request = { .location = 0 };

    len = sample(buffer);
    tap_number(codr_request_decode(&request, buffer, len), 0, "decodes");
    tap_number(request.location, 3, "location");
    tap_text(request.language, "python", "language");
    tap_number(request.cols, 132, "columns");
    tap_number(request.rows, 24, "rows by default");
    tap_ok(request.echo && !request.live, "echo, not live");
    tap_number(request.asked.value[CODR_LIMIT_CPU_MS], 100, "a limit");
    tap_number(request.invalid, -1, "all of them valid");
    tap_number((int) request.detach_ms, 5000, "how long it may be detached");
    tap_ok(request.async && !request.quiet, "from the start, not quiet");
    tap_text(request.tag, "a tag", "tag");
    tap_text(request.job_id, ID, "id");
    codr_request_free(&request);
}


static int
decode_with(codr_field_tag_t tag, const void *data, size_t len,
    codr_request_t *request)
{
    size_t         size;
    uint8_t        buffer[SIZE];
    codr_writer_t  writer;

    size = sample(buffer);
    codr_writer_init(&writer, buffer + size, sizeof(buffer) - size);
    codr_put_bytes(&writer, tag, data, len);

    memset(request, 0, sizeof(*request));
    return codr_request_decode(request, buffer,
                               size + (size_t) (writer.pos - writer.start));
}


static void
refuses(void)
{
    codr_request_t  request;

    static const uint8_t  zero_cpu[12] = { CODR_LIMIT_CPU_MS };
    static const uint8_t  stack[12] = { CODR_LIMIT_STACK, 0, 0, 0, 1 };
    static const uint8_t  no_cols[8] = { 0 };
    static const uint8_t  detach[8] = { 0, 0, 0, 0, 1 };
    static const char     tag[CODR_TAG_MAX + 1] = "";

    tap_number(decode_with(CODR_FIELD_JOB_ID, ID, 31, &request), -EPROTO,
               "a short id");
    codr_request_free(&request);
    tap_number(decode_with(CODR_FIELD_JOB_ID, ID_CAPITAL, 32, &request),
               -EPROTO, "capitals in an id");
    codr_request_free(&request);
    tap_number(decode_with(CODR_FIELD_TAG, tag, sizeof(tag), &request),
               -EPROTO, "a long tag");
    codr_request_free(&request);
    tap_number(decode_with(CODR_FIELD_DETACH_MS, detach, 8, &request),
               -EPROTO, "a time beyond all bounds");
    codr_request_free(&request);

    tap_number(decode_with(CODR_FIELD_LIMIT, zero_cpu, 12, &request), 0,
               "a limit that is no number");
    tap_number(request.invalid, CODR_LIMIT_CPU_MS, "is named");
    codr_request_free(&request);

    tap_number(decode_with(CODR_FIELD_LIMIT, stack, 12, &request), -EPROTO,
               "a limit that is not a client's to choose");
    codr_request_free(&request);
    tap_number(decode_with(CODR_FIELD_COLS, no_cols, 8, &request), -EPROTO,
               "no columns");
    codr_request_free(&request);
    tap_number(decode_with(CODR_FIELD_ARG, "a\0b", 3, &request), -EPROTO,
               "NUL in an argument");
    codr_request_free(&request);
    tap_number(decode_with(CODR_FIELD_STATUS, no_cols, 8, &request), -EPROTO,
               "a field of another frame");
    codr_request_free(&request);
}


static void
survives_cuts(void)
{
    size_t          i, len;
    uint8_t         buffer[SIZE], *exact;
    codr_request_t  request;

    len = sample(buffer);

    for (i = 0; i < len; i++) {
        exact = malloc(i ? i : 1);
        memcpy(exact, buffer, i);
        memset(&request, 0, sizeof(request));
        (void) codr_request_decode(&request, exact, i);
        codr_request_free(&request);
        free(exact);
    }

    tap_ok(true, "cut anywhere");
}


/* An image of this many bytes in pieces, and what its descriptor then has. */
static void
image(size_t len, bool few)
{
    char            back[3 * CODR_SOURCE_FEW];
    size_t          i, got;
    codr_source_t   source = CODR_SOURCE_EMPTY;
    codr_limits_t   limits = { .value = {
        [CODR_LIMIT_CODE] = sizeof(back), [CODR_LIMIT_FILES] = sizeof(back),
        [CODR_LIMIT_FILE_COUNT] = 1,
    } };
    codr_language_t language = { .source = (char []) { "m.c" } };

    (void) codr_source_open(&source);
    (void) codr_source_file(&source, &language, &limits, "", 0, len);
    for (i = 0; i < len; i++) {
        (void) codr_source_data(&source, &"0123456789"[i % 10], 1);
    }
    tap_number(codr_source_end(&source), CODR_SOURCE_OK, "an image");
    tap_ok((source.memfd == -1) == few, "in memory, if they are few");
    tap_number(codr_source_seal(&source), CODR_SOURCE_OK, "sealed");

    got = (size_t) pread(source.memfd, back, sizeof(back), 0);
    tap_number(got, source.image, "the image is whole");
    for (i = 0; i < len && back[got - len + i] == "0123456789"[i % 10]; i++) {
        continue;
    }
    tap_number(i, len, "with all that was put in");
    codr_source_free(&source);
}


static codr_source_result_t
put(codr_source_t *source, const char *name, uint64_t size)
{
    static const codr_limits_t  limits = { .value = {
        [CODR_LIMIT_CODE] = 10, [CODR_LIMIT_FILES] = 20,
        [CODR_LIMIT_FILE_COUNT] = 5,
    } };
    codr_language_t             language = { .source = (char []) { "m.c" } };

    return codr_source_file(source, &language, &limits, name, strlen(name),
                            size);
}


static void
files(void)
{
    codr_source_t  source = CODR_SOURCE_EMPTY;

    tap_number(codr_source_open(&source), CODR_SOURCE_OK, "opens");
    tap_number(put(&source, "", 4), CODR_SOURCE_OK, "the main file");
    tap_text(source.names.item[0], "m.c", "has the language's name");
    tap_number(codr_source_end(&source), CODR_SOURCE_PROTOCOL,
               "nothing is missing at the end");
    tap_number(codr_source_data(&source, "abcde", 5), CODR_SOURCE_PROTOCOL,
               "no more than announced");
    tap_number(codr_source_data(&source, "abcd", 4), CODR_SOURCE_OK, "data");
    tap_number(put(&source, "m.c", 0), CODR_SOURCE_DUPLICATE, "duplicate");
    tap_number(put(&source, "m.c/x", 0), CODR_SOURCE_DUPLICATE,
               "a file is no directory");
    tap_number(put(&source, "../x", 0), CODR_SOURCE_BAD_NAME, "bad name");
    codr_source_free(&source);

    source = CODR_SOURCE_EMPTY;
    (void) codr_source_open(&source);
    tap_number(put(&source, "x", 11), CODR_SOURCE_CODE_TOO_LARGE,
               "a main file is code");
    codr_source_free(&source);

    source = CODR_SOURCE_EMPTY;
    (void) codr_source_open(&source);
    tap_number(put(&source, "x", 0), CODR_SOURCE_OK, "no code");
    tap_number(put(&source, "y", 20), CODR_SOURCE_OK, "20 bytes of data");
    (void) codr_source_data(&source, "12345678901234567890", 20);
    tap_number(put(&source, "z", 1), CODR_SOURCE_TOO_LARGE, "one too many");
    codr_source_free(&source);
    codr_source_free(&source);
}


static void
quotas(void)
{
    int             i, result = 0;
    uint8_t         buffer[8192], key[CODR_QUOTA_KEY] = { 9 };
    uint8_t         cpu[CODR_CPU_QUOTA] = { 8 };
    codr_writer_t   writer;
    codr_request_t  request = { .location = 0 };

    codr_writer_init(&writer, buffer, sizeof(buffer));
    codr_put_text(&writer, CODR_FIELD_LANGUAGE, "c");
    codr_put_quota(&writer, key, 3);
    codr_put_bytes(&writer, CODR_FIELD_CPU_QUOTA, cpu, sizeof(cpu));
    tap_number(codr_request_decode(&request, buffer,
                                   (size_t) (writer.pos - buffer)), 0,
               "quotas");
    tap_ok(request.quotas == 1 && request.quota[0].max == 3
           && request.quota[0].key[0] == 9, "of jobs");
    tap_ok(request.cpu_quotas == 1 && request.cpu_quota[0][0] == 8,
           "of CPU time");
    codr_request_free(&request);

    for (i = 0; i < CODR_QUOTAS_MAX; i++) {
        codr_put_quota(&writer, key, 3);
    }
    request = (codr_request_t) { .location = 0 };
    result = codr_request_decode(&request, buffer,
                                 (size_t) (writer.pos - buffer));
    tap_number(result, -EPROTO, "too many of them");
    codr_request_free(&request);

    request = (codr_request_t) { .location = 0 };
    tap_number(decode_with(CODR_FIELD_CPU_QUOTA, cpu, 31, &request), -EPROTO,
               "one of another size");
    codr_request_free(&request);
}


int
main(void)
{
    decodes();
    refuses();
    survives_cuts();
    files();
    image(10, true);
    image(CODR_SOURCE_FEW - 100, true);
    image(CODR_SOURCE_FEW, false);
    image(2 * CODR_SOURCE_FEW + 1, false);
    quotas();

    return tap_done();
}
