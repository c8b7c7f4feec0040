/*
 * How broker and validator lock themselves in.
 */

#ifndef CODR_CONFINE_H
#define CODR_CONFINE_H

#include <seccomp.h>
#include <stddef.h>
#include <sys/types.h>

typedef struct {
    int          number;
    const char  *reason;
} codr_confine_call_t;

#define CODR_CONFINE_CALL(name, reason)     { SCMP_SYS(name), reason }

typedef struct {
    uid_t                       uid;
    gid_t                       gid;
    const codr_confine_call_t  *call;       /* besides the common ones */
    size_t                      calls;
} codr_confine_t;

/*
 * Gives up everything a role does not need: the root directory becomes an
 * empty one, the user uid and gid, groups and capabilities none, the file
 * system out of reach, and system calls those of a list.  Dies with its
 * parent from then on.
 *
 * Returns what could not be done for want of privileges as a text, or NULL
 * when all of it was; ends the process when anything fails that must not.
 */
const char *codr_confine(const codr_confine_t *plan);

#endif /* CODR_CONFINE_H */
