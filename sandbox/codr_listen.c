/*
 * Opens or inherits the socket nginx connects to.  Runs in the supervisor,
 * before any other role exists.
 */

#define _GNU_SOURCE

#include "codr_listen.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "codr_util.h"

#define BACKLOG         128
#define FIRST_PASSED    3       /* sd_listen_fds(3) */


/* Whether somebody accepts connections there. */
static int
is_served(const struct sockaddr_un *address)
{
    codr_cleanup_close int sock;

    sock = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

    return sock != -1
           && connect(sock, (const struct sockaddr *) address,
                      sizeof(*address)) == 0;
}


static int
bind_socket(int sock, const struct sockaddr_un *address, gid_t group)
{
    struct stat st;

    if (lstat(address->sun_path, &st) == 0) {
        if (!S_ISSOCK(st.st_mode) || is_served(address)) {
            return -EADDRINUSE;
        }
        if (unlink(address->sun_path) == -1) {
            return -errno;
        }
    }

    /* closed until its group is right */
    (void) umask(0177);
    if (bind(sock, (const struct sockaddr *) address,
             sizeof(*address)) == -1
        || (geteuid() == 0 && chown(address->sun_path, 0, group) == -1)
        || chmod(address->sun_path, 0660) == -1
        || listen(sock, BACKLOG) == -1)
    {
        return -errno;
    }

    return 0;
}


int
codr_listen_open(const char *path, gid_t group)
{
    int                sock, result;
    struct sockaddr_un address = { .sun_family = AF_UNIX };

    if (strlen(path) >= sizeof(address.sun_path)) {
        return -ENAMETOOLONG;
    }
    memcpy(address.sun_path, path, strlen(path));

    sock = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (sock == -1) {
        return -errno;
    }

    result = bind_socket(sock, &address, group);
    if (result < 0) {
        codr_close(&sock);
        return result;
    }

    return sock;
}


static int
option(int sock, int name)
{
    int       value = -1;
    socklen_t len = sizeof(value);

    return getsockopt(sock, SOL_SOCKET, name, &value, &len) == 0 ? value : -1;
}


int
codr_listen_inherited(void)
{
    int         flags;
    const char *count = getenv("LISTEN_FDS"), *pid = getenv("LISTEN_PID");

    if (count == NULL || strcmp(count, "1") != 0 || pid == NULL
        || strtol(pid, NULL, 10) != getpid())
    {
        return -ENOENT;
    }

    if (option(FIRST_PASSED, SO_DOMAIN) != AF_UNIX
        || option(FIRST_PASSED, SO_TYPE) != SOCK_SEQPACKET
        || option(FIRST_PASSED, SO_ACCEPTCONN) != 1)
    {
        return -EINVAL;
    }

    flags = fcntl(FIRST_PASSED, F_GETFL);
    if (flags == -1
        || fcntl(FIRST_PASSED, F_SETFL, flags | O_NONBLOCK) == -1
        || fcntl(FIRST_PASSED, F_SETFD, FD_CLOEXEC) == -1)
    {
        return -errno;
    }

    return FIRST_PASSED;
}
