/*
 * Messages to the broker, over its control socket.  Runs in the supervisor.
 */

#include "codr_tell.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "codr_io.h"
#include "codr_log.h"


int
codr_tell(const codr_relative_t *broker, codr_control_kind_t kind,
    uint64_t generation, int fd)
{
    int            result;
    codr_control_t control = {
        .version = CODR_IPC_VERSION, .kind = kind, .generation = generation,
    };

    if (broker->pid == 0) {
        return -ENOTCONN;
    }

    result = codr_io_send_one(broker->control, &control, sizeof(control), &fd,
                              fd != -1);
    if (result < 0 && result != -EPIPE) {
        codr_log(CODR_LEVEL_ERROR, -result, "tell the broker");
    }
    return result;
}


void
codr_tell_cause(const codr_relative_t *broker, codr_control_kind_t kind,
    const char *format, ...)
{
    va_list        args;
    codr_control_t control = {
        .version = CODR_IPC_VERSION, .kind = kind,
    };

    va_start(args, format);
    (void) vsnprintf(control.cause, sizeof(control.cause), format, args);
    va_end(args);

    codr_log(CODR_LEVEL_FATAL, 0, "%s", control.cause);
    if (broker->pid != 0) {
        /* a broker that does not take it is about to be replaced */
        (void) codr_io_send_one(broker->control, &control, sizeof(control),
                                NULL, 0);
    }
}
