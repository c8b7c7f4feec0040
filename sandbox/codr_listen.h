/*
 * The listening socket of service mode.
 */

#ifndef CODR_LISTEN_H
#define CODR_LISTEN_H

#include <sys/types.h>

/* A new socket at path, which members of group may connect to.  Takes the
   place of one that nobody listens on.  The descriptor, or negative errno:
   -EADDRINUSE when somebody does. */
int codr_listen_open(const char *path, gid_t group);

/* The one a service manager has passed.  The descriptor, or -ENOENT when it
   has passed none, -EINVAL when it is of another kind. */
int codr_listen_inherited(void);

#endif /* CODR_LISTEN_H */
