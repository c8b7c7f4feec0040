/*
 * One line for the operator.  A line goes as a datagram to the log socket the
 * broker listens on, and from there to nginx's error_log; before that socket
 * exists, and under a service manager, it goes to stderr.
 *
 * Message form: what was tried, the object in quotes, the reason.
 */

#ifndef CODR_LOG_H
#define CODR_LOG_H

#include "codr_proto.h"

#define CODR_LOG_LINE   1024    /* bytes of a line; a longer one is cut */

/* fd -1: stderr.  role must be a string constant. */
void codr_log_init(const char *role, int fd);

/* Keeps errno. error is a positive errno whose text is appended, or 0. */
void codr_log(codr_level_t level, int error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif /* CODR_LOG_H */
