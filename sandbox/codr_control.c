/*
 * Runs in the spawner and in the validator.
 */

#define _GNU_SOURCE

#include "codr_control.h"

#include <errno.h>
#include <sys/types.h>

#include "codr_io.h"
#include "codr_ipc.h"


bool
codr_control_is_alive(int fd)
{
    ssize_t        n;
    codr_control_t control;

    n = codr_io_recv_now(fd, &control, sizeof(control), NULL, 0, NULL, NULL);

    return n == -EAGAIN
           || (n == (ssize_t) sizeof(control)
               && control.version == CODR_IPC_VERSION
               && control.kind == CODR_CONTROL_ALIVE);
}
