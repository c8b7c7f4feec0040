/*
 * Users of this host.
 */

#ifndef CODR_USER_H
#define CODR_USER_H

#include <sys/types.h>

/*
 * Looks a name up in /etc/passwd, and nowhere else: name services are plugins,
 * which a privileged and statically linked program does not load.  0, -ENOENT,
 * or another negative errno.
 */
int codr_user_find(const char *name, uid_t *ret_uid, gid_t *ret_gid);

#endif /* CODR_USER_H */
