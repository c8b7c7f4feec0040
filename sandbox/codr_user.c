/*
 * Users of this host.  Runs in the supervisor, before there are jobs.
 */

#define _DEFAULT_SOURCE

#include "codr_user.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>


int
codr_user_find(const char *name, uid_t *ret_uid, gid_t *ret_gid)
{
    int                  rc = -ENOENT;
    FILE                *file = fopen("/etc/passwd", "re");
    const struct passwd *user;

    if (file == NULL) {
        return -errno;
    }

    while (rc != 0 && (user = fgetpwent(file)) != NULL) {
        if (strcmp(user->pw_name, name) == 0) {
            *ret_uid = user->pw_uid;
            *ret_gid = user->pw_gid;
            rc = 0;
        }
    }

    (void) fclose(file);
    return rc;
}
