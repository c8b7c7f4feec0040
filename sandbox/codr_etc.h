/*
 * The /etc of a sandbox.
 */

#ifndef CODR_ETC_H
#define CODR_ETC_H

#include <stdint.h>
#include <sys/types.h>

/*
 * Fills the directory "etc" below root, from the host's /etc as far as a list
 * names it, and with users and groups of our own.  0, or negative errno.
 */
int codr_etc_fill(int root, uid_t first_uid, uint32_t uids);

#endif /* CODR_ETC_H */
