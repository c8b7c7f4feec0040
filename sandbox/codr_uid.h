/*
 * Leases of slot uids, so that two helpers of one host never run jobs under
 * the same uid.
 */

#ifndef CODR_UID_H
#define CODR_UID_H

#include <stdint.h>
#include <sys/types.h>

/* Unless codr_uids says otherwise. */
#define CODR_UID_BASE   1879048192U
#define CODR_UID_COUNT  4096U

/*
 * Opens the directory of leases and of instances (/run/codr), makes it if need
 * be, and refuses one that others could write to.  A descriptor, or negative
 * errno.
 */
int codr_uid_run_dir(void);

/* Opens the lock file below the run directory. A descriptor, or negative
   errno. */
int codr_uid_open(int run_dir);

/*
 * Leases a uid for the life of the calling process.  0, -EADDRINUSE when
 * another helper holds it, or negative errno.
 */
int codr_uid_lease(int fd, uid_t uid);

#endif /* CODR_UID_H */
