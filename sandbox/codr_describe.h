/*
 * The description of a program, as init gets it from the broker.
 */

#ifndef CODR_DESCRIBE_H
#define CODR_DESCRIBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "codr_ipc.h"
#include "codr_proto.h"

/* Arguments are those of a language, a file each, and the client's. */
#define CODR_DESCRIBE_ARGS      4096
#define CODR_DESCRIBE_ENV       256
#define CODR_DESCRIBE_NEEDS     8
#define CODR_DESCRIBE_FDS       6

typedef struct {
    uint32_t     flags;         /* CODR_DESCRIBE_* of codr_ipc.h */
    uint64_t     artefact_max;
    const char  *artefact_name; /* NULL: none wanted */
    char        *argv[CODR_DESCRIBE_ARGS + 1];
    char        *envp[CODR_DESCRIBE_ENV + 1];
    const char  *needs[CODR_DESCRIBE_NEEDS + 1];
    bool         terminal;
    bool         echo;
    uint16_t     cols;
    uint16_t     rows;
    const void  *files;         /* the source image, or NULL: it is image */
    size_t       files_len;
    int          image;         /* descriptors; -1 when absent */
    int          artefact;
    int          headers;
    int          stdio[3];
} codr_describe_t;


/*
 * Decodes a DESCRIBE message with its descriptors.  Strings point into the
 * message, which is changed and must have room for one byte more than len.
 * 0, or -EINVAL, or -E2BIG; takes the descriptors over only on success.
 */
int codr_describe_decode(codr_describe_t *ret, char *message, size_t len,
    const int *fds, size_t nfds);

#endif /* CODR_DESCRIBE_H */
