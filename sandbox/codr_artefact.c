/*
 * Fills and seals the memfd of an artefact.  Runs in the broker, which never
 * looks at the bytes.
 */

#define _GNU_SOURCE

#include "codr_artefact.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "codr_io.h"
#include "codr_util.h"

#ifndef MFD_EXEC
#define MFD_EXEC    0x0010U     /* since Linux 6.3 */
#endif


int
codr_artefact_begin(codr_artefact_t *artefact, uint64_t size, uint64_t max)
{
    unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;

    if (artefact->memfd != -1 || size == 0 || size > max) {
        return -EPROTO;
    }

    artefact->memfd = memfd_create("codr-program", flags | MFD_EXEC);
    if (artefact->memfd == -1 && errno == EINVAL) {
        artefact->memfd = memfd_create("codr-program", flags);
    }
    if (artefact->memfd == -1) {
        return -errno;
    }

    artefact->size = size;
    return 0;
}


int
codr_artefact_add(codr_artefact_t *artefact, const void *data, size_t len)
{
    int result;

    if (artefact->memfd == -1 || artefact->sealed || len == 0
        || len > artefact->size - artefact->received)
    {
        return -EPROTO;
    }

    result = codr_io_write_all(artefact->memfd, data, len);
    if (result < 0) {
        return result;
    }

    artefact->received += len;
    if (artefact->received < artefact->size) {
        return 0;
    }

    result = codr_io_seal(artefact->memfd);
    artefact->sealed = result == 0;
    return result;
}


void
codr_artefact_free(codr_artefact_t *artefact)
{
    codr_close(&artefact->memfd);
    *artefact = CODR_ARTEFACT_NONE;
}
