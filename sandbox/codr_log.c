/*
 * The log of every role.  Never blocks: a line that finds the log socket full
 * is lost, as a log must not stop a job.  The datagram is a LOG frame, so the
 * broker passes it on as it stands.
 */

#define _GNU_SOURCE

#include "codr_log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>


static const char *log_role = "codr-sandboxd";
static int         log_fd = -1;


void
codr_log_init(const char *role, int fd)
{
    log_role = role;
    log_fd = fd;
}


static void
send_line(codr_level_t level, const char *line)
{
    size_t        size;
    uint8_t       frame[CODR_LOG_LINE + 64];
    codr_writer_t writer;

    codr_writer_init(&writer, frame, sizeof(frame));
    codr_frame_begin(&writer, CODR_FRAME_LOG);
    codr_put_number(&writer, CODR_FIELD_LEVEL, level);
    codr_put_text(&writer, CODR_FIELD_MESSAGE, line);
    size = codr_frame_end(&writer);

    (void) send(log_fd, frame, size, MSG_DONTWAIT | MSG_NOSIGNAL);
}


void
codr_log(codr_level_t level, int error, const char *format, ...)
{
    int     saved = errno, n;
    char    line[CODR_LOG_LINE];
    size_t  len;
    va_list args;

    n = snprintf(line, sizeof(line), "%s: ", log_role);
    len = n < 0 ? 0 : (size_t) n;

    va_start(args, format);
    n = vsnprintf(line + len, sizeof(line) - len, format, args);
    va_end(args);
    len += n < 0 ? 0 : (size_t) n;

    if (error != 0 && len < sizeof(line)) {
        (void) snprintf(line + len, sizeof(line) - len, ": %s",
                        strerror(error));
    }

    if (log_fd >= 0) {
        send_line(level, line);
    } else {
        (void) dprintf(STDERR_FILENO, "codr[%s]: %s\n",
                       codr_level_name(level), line);
    }

    errno = saved;
}
