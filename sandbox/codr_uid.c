/*
 * Uid leases: one byte of a lock file a uid.  Open-file-description locks
 * leave with the last process that holds the descriptor, so a killed helper
 * leaves none behind; inits close theirs.  Runs in the spawner.
 */

#define _GNU_SOURCE

#include "codr_uid.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "codr_util.h"

#define RUN_DIR     "/run/codr"


int
codr_uid_run_dir(void)
{
    struct stat            st;
    codr_cleanup_close int fd = -1;

    if (mkdir(RUN_DIR, 0755) == -1 && errno != EEXIST) {
        return -errno;
    }

    fd = open(RUN_DIR, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (fd == -1 || fstat(fd, &st) == -1) {
        return -errno;
    }

    /* others could take our leases, or name directories to be removed */
    if (st.st_uid != 0 || (st.st_mode & 022) != 0) {
        return -EPERM;
    }

    return codr_steal_fd(&fd);
}


int
codr_uid_open(int run_dir)
{
    int fd = openat(run_dir, "uids.lock",
                    O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

    return fd == -1 ? -errno : fd;
}


int
codr_uid_lease(int fd, uid_t uid)
{
    struct flock lock = {
        .l_type = F_WRLCK,
        .l_whence = SEEK_SET,
        .l_start = (off_t) uid,
        .l_len = 1,
    };

    if (fcntl(fd, F_OFD_SETLK, &lock) == -1) {
        return errno == EAGAIN || errno == EACCES ? -EADDRINUSE : -errno;
    }

    return 0;
}
