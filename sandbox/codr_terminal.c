/*
 * Pseudo terminals.  Runs in init.  Must never open anything but the job's own
 * devpts, which codr_box.c has mounted just before.
 */

#define _GNU_SOURCE

#include "codr_terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "codr_util.h"


int
codr_terminal_open(void)
{
    int                    unlock = 0;
    codr_cleanup_close int fd = open("/dev/pts/ptmx",
                                     O_RDWR | O_NOCTTY | O_CLOEXEC);

    if (fd == -1 || ioctl(fd, TIOCSPTLCK, &unlock) == -1) {
        return -errno;
    }

    return codr_steal_fd(&fd);
}


int
codr_terminal_control(int master)
{
    codr_cleanup_close int fd = ioctl(master, TIOCGPTPEER,
                                      O_RDWR | O_NOCTTY | O_CLOEXEC);

    if (fd == -1 || setsid() == -1 || ioctl(fd, TIOCSCTTY, 0) == -1) {
        return -errno;
    }

    return codr_steal_fd(&fd);
}


int
codr_terminal_set(int slave, uint16_t cols, uint16_t rows, bool echo)
{
    struct termios mode;
    struct winsize size = { .ws_col = cols, .ws_row = rows };

    if (tcgetattr(slave, &mode) == -1) {
        return -errno;
    }

    mode.c_iflag |= IUTF8;      /* erasing takes a whole character */
    mode.c_cc[VSUSP] = _POSIX_VDISABLE;     /* nobody would let it go on */
    if (!echo) {
        mode.c_lflag &= ~(tcflag_t) (ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE);
    }

    if (tcsetattr(slave, TCSANOW, &mode) == -1
        || ioctl(slave, TIOCSWINSZ, &size) == -1)
    {
        return -errno;
    }

    return 0;
}


void
codr_terminal_leave(void)
{
    codr_cleanup_close int fd = open("/dev/tty", O_RDWR | O_CLOEXEC);

    if (fd >= 0) {
        (void) ioctl(fd, TIOCNOTTY);
    }
}


pid_t
codr_terminal_foreground(int master)
{
    pid_t group;

    return ioctl(master, TIOCGPGRP, &group) == 0 && group > 1 ? group : 0;
}
