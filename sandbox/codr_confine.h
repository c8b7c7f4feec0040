/*
 * How the broker locks itself in.
 */

#ifndef CODR_CONFINE_H
#define CODR_CONFINE_H

#include <sys/types.h>

/*
 * Gives up everything a broker does not need: the root directory becomes an
 * empty one, the user uid and gid, groups and capabilities none, the file
 * system out of reach, and system calls those of a list.  Dies with its
 * parent from then on.
 *
 * Returns what could not be done for want of privileges as a text, or NULL
 * when all of it was; ends the process when anything fails that must not.
 */
const char *codr_confine(uid_t uid, gid_t gid);

#endif /* CODR_CONFINE_H */
