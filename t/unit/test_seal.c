/*
 * A sealed memfd: nothing can be written to it, nor left on it for others who
 * have it.
 */

#define _GNU_SOURCE

#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "../../sandbox/codr_io.h"
#include "../../sandbox/codr_util.h"

#define NOBODY  65534


static int
open_again(int fd, int flags)
{
    char path[32];

    (void) snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    return open(path, flags | O_CLOEXEC);
}


/* The errno that somebody who was given the memfd gets, as another user. */
static int
mark_as_another(int fd)
{
    int   wait_status;
    pid_t pid = fork();

    if (pid == 0) {
        if (setresuid(NOBODY, NOBODY, NOBODY) == -1) {
            _exit(255);
        }
        _exit(fsetxattr(fd, "user.mark", "x", 1, 0) == -1 ? errno : 0);
    }

    if (pid == -1 || waitpid(pid, &wait_status, 0) != pid
        || !WIFEXITED(wait_status))
    {
        return -1;
    }

    return WEXITSTATUS(wait_status);
}


static void
marks(int fd, int unsealed)
{
    int control;

    if (geteuid() != 0) {
        tap_skip("a sealed one is not marked", "being another user needs root");
        return;
    }

    control = mark_as_another(unsealed);
    if (control == EOPNOTSUPP) {
        tap_skip("a sealed one is not marked",
                 "this kernel's memfds have no user attributes");
        return;
    }

    tap_number(control, 0, "control: one that is not sealed is marked");
    tap_number(mark_as_another(fd), EACCES, "a sealed one is not");
}


int
main(void)
{
    int                    again;
    struct stat            st;
    codr_cleanup_close int unsealed = memfd_create("test", MFD_CLOEXEC);
    codr_cleanup_close int fd = memfd_create("test", MFD_CLOEXEC
                                             | MFD_ALLOW_SEALING);

    tap_ok(unsealed >= 0 && fd >= 0 && write(fd, "abc", 3) == 3, "a memfd");
    tap_number(codr_io_sealed_size(fd, 3), -EPERM, "not sealed yet");
    tap_number(codr_io_seal(fd), 0, "sealed");
    tap_number(codr_io_sealed_size(fd, 3), 3, "and as long as it was");
    tap_number(codr_io_sealed_size(fd, 2), -EFBIG, "longer than wanted");
    tap_ok(fstat(fd, &st) == 0 && (st.st_mode & 07777) == 0555,
           "to be read and executed");

    again = open_again(fd, O_RDONLY);
    tap_ok(again >= 0, "opened again");
    codr_close(&again);
    tap_ok(write(fd, "d", 1) == -1 && errno == EPERM, "not written to");
    tap_ok(ftruncate(fd, 0) == -1 && errno == EPERM, "not cut");

    marks(fd, unsealed);
    return tap_done();
}
