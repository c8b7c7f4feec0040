/*
 * Builds the source image.  Runs in the broker.  File names are data here:
 * nothing is ever opened by them outside the job's own sandbox.
 */

#define _GNU_SOURCE

#include "codr_source.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "codr_io.h"
#include "codr_language.h"
#include "codr_proto.h"
#include "codr_util.h"


codr_source_result_t
codr_source_open(codr_source_t *source)
{
    source->few = malloc(CODR_SOURCE_FEW);

    return source->few == NULL ? CODR_SOURCE_FAILED : CODR_SOURCE_OK;
}


/* "a" and "a/b" cannot both be files. */
static bool
collides(const char *a, const char *b)
{
    size_t i = 0;

    while (a[i] != '\0' && a[i] == b[i]) {
        i++;
    }

    return (a[i] == '\0' && (b[i] == '\0' || b[i] == '/'))
           || (b[i] == '\0' && a[i] == '/');
}


static codr_source_result_t
add_name(codr_source_t *source, const char *name, size_t len)
{
    size_t      i;
    const char *added;

    if (!codr_file_name_valid(name, len)) {
        return CODR_SOURCE_BAD_NAME;
    }

    errno = -codr_list_add(&source->names, name, len);
    if (errno != 0) {
        return CODR_SOURCE_FAILED;
    }

    added = source->names.item[source->names.count - 1];
    for (i = 0; i + 1 < source->names.count; i++) {
        if (collides(source->names.item[i], added)) {
            return CODR_SOURCE_DUPLICATE;
        }
    }

    return CODR_SOURCE_OK;
}


/* The few bytes become the first of a memfd. */
static int
make_memfd(codr_source_t *source)
{
    int error;

    source->memfd = memfd_create("codr-source",
                                 MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (source->memfd == -1) {
        return -errno;
    }

    error = codr_io_write_all(source->memfd, source->few, source->few_len);
    free(source->few);
    source->few = NULL;
    return error;
}


static codr_source_result_t
write_all(codr_source_t *source, const void *data, size_t len)
{
    int error = 0;

    if (source->memfd == -1 && len <= CODR_SOURCE_FEW - source->few_len) {
        memcpy(source->few + source->few_len, data, len);
        source->few_len += len;
        return CODR_SOURCE_OK;
    }

    if (source->memfd == -1) {
        error = make_memfd(source);
    }
    if (error == 0) {
        error = codr_io_write_all(source->memfd, data, len);
    }

    errno = -error;
    return error == 0 ? CODR_SOURCE_OK : CODR_SOURCE_FAILED;
}


/* 1024 files of 256 MB in all at most: 32 bits are enough. */
static codr_source_result_t
add_piece(codr_source_t *source, uint64_t size, bool checked)
{
    size_t               n = source->names.count;
    codr_source_piece_t *grown;

    grown = realloc(source->piece, n * sizeof(*grown));
    if (grown == NULL) {
        return CODR_SOURCE_FAILED;
    }

    source->piece = grown;
    grown[n - 1] = (codr_source_piece_t) { 0, (uint32_t) size, checked };
    return CODR_SOURCE_OK;
}


static codr_source_result_t
write_headers(codr_source_t *source, uint32_t size)
{
    uint8_t       head[CODR_FILE_NAME_MAX + 2 * CODR_FIELD_HEADER];
    const char   *name = source->names.item[source->names.count - 1];
    codr_writer_t writer;

    codr_writer_init(&writer, head, sizeof(head) - CODR_FIELD_HEADER);
    codr_put_text(&writer, CODR_FIELD_FILE_NAME, name);
    codr_field_header(writer.pos, CODR_FIELD_FILE_DATA, size);

    source->image += (size_t) (writer.pos - head) + CODR_FIELD_HEADER;
    source->piece[source->names.count - 1].offset = (uint32_t) source->image;
    source->image += size;

    return write_all(source, head, (size_t) (writer.pos - head)
                                   + CODR_FIELD_HEADER);
}


codr_source_result_t
codr_source_file(codr_source_t *source, const codr_language_t *language,
    const codr_limits_t *limits, const char *name, size_t len, uint64_t size)
{
    bool                 code, main_file = source->names.count == 0;
    codr_source_result_t result;

    if (source->awaited != 0 || size > UINT32_MAX) {
        return CODR_SOURCE_PROTOCOL;
    }
    if (source->names.count >= limits->value[CODR_LIMIT_FILE_COUNT]) {
        return CODR_SOURCE_TOO_MANY;
    }

    if (main_file && len == 0) {
        name = language->source;
        len = strlen(name);
    }

    result = add_name(source, name, len);
    if (result != CODR_SOURCE_OK) {
        return result;
    }

    source->total += size;
    if (source->total > limits->value[CODR_LIMIT_FILES]) {
        return CODR_SOURCE_TOO_LARGE;
    }

    name = source->names.item[source->names.count - 1];
    code = main_file || codr_language_is_source(language, name);
    if (code) {
        source->code += size;
    }
    if (source->code > limits->value[CODR_LIMIT_CODE]) {
        return CODR_SOURCE_CODE_TOO_LARGE;
    }

    result = add_piece(source, size, code
                       || codr_language_includes(language, name));
    if (result != CODR_SOURCE_OK) {
        return result;
    }

    source->awaited = size;
    return write_headers(source, (uint32_t) size);
}


codr_source_result_t
codr_source_data(codr_source_t *source, const void *data, size_t len)
{
    if (len > source->awaited) {
        return CODR_SOURCE_PROTOCOL;
    }

    source->awaited -= len;
    return write_all(source, data, len);
}


codr_source_result_t
codr_source_end(const codr_source_t *source)
{
    return source->names.count == 0 || source->awaited != 0
           ? CODR_SOURCE_PROTOCOL : CODR_SOURCE_OK;
}


codr_source_result_t
codr_source_seal(codr_source_t *source)
{
    int error = source->memfd == -1 ? make_memfd(source) : 0;

    if (error == 0) {
        error = codr_io_seal(source->memfd);
    }

    errno = -error;
    return error == 0 ? CODR_SOURCE_OK : CODR_SOURCE_FAILED;
}


void
codr_source_free(codr_source_t *source)
{
    codr_close(&source->memfd);
    codr_list_free(&source->names);
    free(source->piece);
    free(source->few);
    source->piece = NULL;
    source->few = NULL;
}
