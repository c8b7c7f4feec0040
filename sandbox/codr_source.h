/*
 * The files of a job on their way into one image.  It is a sealed memfd, so
 * that the bytes that are checked are the bytes that run; one of a few bytes
 * may stay in memory, where only the broker can write: it goes by value to who
 * checks and who runs it.
 */

#ifndef CODR_SOURCE_H
#define CODR_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "codr_config.h"
#include "codr_list.h"

/* A file in the image. */
typedef struct {
    uint32_t  offset;
    uint32_t  length;
    bool      checked;          /* policed */
} codr_source_piece_t;

#define CODR_SOURCE_FEW     4096

typedef struct {
    int                   memfd;    /* FILE_NAME FILE_DATA, alternating; or
                                       -1, and that is */
    uint8_t              *few;
    size_t                few_len;
    codr_list_t           names;    /* the first is the main file */
    codr_source_piece_t  *piece;    /* one a name */
    uint64_t              image;    /* its bytes, the last file whole */
    uint64_t              code;     /* bytes of source files */
    uint64_t              total;    /* bytes of all files */
    uint64_t              awaited;  /* bytes of the last file still to come */
} codr_source_t;

typedef enum {
    CODR_SOURCE_OK = 0,
    CODR_SOURCE_BAD_NAME,
    CODR_SOURCE_DUPLICATE,      /* or a file where another has a directory */
    CODR_SOURCE_TOO_MANY,       /* files */
    CODR_SOURCE_TOO_LARGE,      /* all files */
    CODR_SOURCE_CODE_TOO_LARGE,
    CODR_SOURCE_PROTOCOL,       /* the worker breaks the format */
    CODR_SOURCE_FAILED          /* errno says why */
} codr_source_result_t;

#define CODR_SOURCE_EMPTY   ((codr_source_t) { .memfd = -1 })


/* Before the first file. */
codr_source_result_t codr_source_open(codr_source_t *source);

/* Begins a file of size bytes.  An empty name on the first one is the
   language's own name for the main file. */
codr_source_result_t codr_source_file(codr_source_t *source,
    const codr_language_t *language, const codr_limits_t *limits,
    const char *name, size_t len, uint64_t size);

/* The next bytes of that file. */
codr_source_result_t codr_source_data(codr_source_t *source,
    const void *data, size_t len);

/* After the last file. */
codr_source_result_t codr_source_end(const codr_source_t *source);

/* After that, for who reads the image by its descriptor: makes the memfd if
   there is none yet, and seals it. */
codr_source_result_t codr_source_seal(codr_source_t *source);

/* Accepts CODR_SOURCE_EMPTY and half-built ones. */
void codr_source_free(codr_source_t *source);

#endif /* CODR_SOURCE_H */
