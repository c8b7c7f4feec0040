/*
 * Socket messages with descriptors, whole writes, sealed memfds.  Runs in
 * every role; never logs, never trusts a peer's counts.
 */

#define _GNU_SOURCE

#include "codr_io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "codr_util.h"

#define SEALS   (F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_WRITE | F_SEAL_SEAL)


typedef union {
    char            space[CMSG_SPACE(CODR_IO_FDS_MAX * sizeof(int))
                          + CMSG_SPACE(sizeof(struct ucred))];
    struct cmsghdr  align;
} ancillary_t;


static int
send_message(int sock, const struct iovec *iov, size_t niov, const int *fds,
    size_t nfds, int flags)
{
    struct cmsghdr *cmsg;
    ancillary_t     ancillary;
    struct msghdr   msg = {
        .msg_iov = (struct iovec *) (uintptr_t) iov,
        .msg_iovlen = niov,
    };

    if (nfds > CODR_IO_FDS_MAX) {
        return -EINVAL;
    }

    if (nfds > 0) {
        memset(&ancillary, 0, sizeof(ancillary));
        msg.msg_control = &ancillary;
        msg.msg_controllen = CMSG_SPACE(nfds * sizeof(int));
        cmsg = CMSG_FIRSTHDR(&msg);
        cmsg->cmsg_level = SOL_SOCKET;
        cmsg->cmsg_type = SCM_RIGHTS;
        cmsg->cmsg_len = CMSG_LEN(nfds * sizeof(int));
        memcpy(CMSG_DATA(cmsg), fds, nfds * sizeof(int));
    }

    while (sendmsg(sock, &msg, MSG_NOSIGNAL | flags) == -1) {
        if (errno != EINTR) {
            return -errno;
        }
    }

    return 0;
}


int
codr_io_send(int sock, const struct iovec *iov, size_t niov, const int *fds,
    size_t nfds)
{
    return send_message(sock, iov, niov, fds, nfds, 0);
}


int
codr_io_send_one(int sock, const void *data, size_t len, const int *fds,
    size_t nfds)
{
    struct iovec iov = { (void *) (uintptr_t) data, len };

    return codr_io_send(sock, &iov, 1, fds, nfds);
}


int
codr_io_send_now(int sock, const void *data, size_t len)
{
    struct iovec iov = { (void *) (uintptr_t) data, len };

    return send_message(sock, &iov, 1, NULL, 0, MSG_DONTWAIT);
}


bool
codr_io_is_unix(int fd, int type)
{
    int       value;
    socklen_t len = sizeof(value);

    if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &value, &len) == -1
        || value != AF_UNIX)
    {
        return false;
    }

    len = sizeof(value);
    return getsockopt(fd, SOL_SOCKET, SO_TYPE, &value, &len) == 0
           && value == type;
}


void
codr_io_discard(int *fd)
{
    struct linger none = { .l_onoff = 1 };

    if (*fd == -1) {
        return;
    }

    /* fails for what is no socket, and that does not linger */
    (void) setsockopt(*fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
    codr_close(fd);
}


/* Takes up to max descriptors, closes the others; false if there were any. */
static bool
take_fds(struct cmsghdr *cmsg, int *fds, size_t max, size_t *nfds)
{
    int    fd;
    bool   fits = true;
    size_t i, count = (cmsg->cmsg_len - CMSG_LEN(0)) / sizeof(int);

    for (i = 0; i < count; i++) {
        memcpy(&fd, CMSG_DATA(cmsg) + i * sizeof(int), sizeof(int));
        if (*nfds < max) {
            fds[(*nfds)++] = fd;
        } else {
            codr_io_discard(&fd);
            fits = false;
        }
    }

    return fits;
}


static bool
take_ancillary(struct msghdr *msg, int *fds, size_t max, size_t *nfds,
    uid_t *ret_uid)
{
    bool            fits = (msg->msg_flags & (MSG_TRUNC | MSG_CTRUNC)) == 0;
    struct ucred    cred;
    struct cmsghdr *cmsg;

    for (cmsg = CMSG_FIRSTHDR(msg); cmsg; cmsg = CMSG_NXTHDR(msg, cmsg)) {
        if (cmsg->cmsg_level != SOL_SOCKET) {
            continue;
        }
        if (cmsg->cmsg_type == SCM_RIGHTS) {
            fits = take_fds(cmsg, fds, max, nfds) && fits;
        }
        if (cmsg->cmsg_type == SCM_CREDENTIALS && ret_uid) {
            memcpy(&cred, CMSG_DATA(cmsg), sizeof(cred));
            *ret_uid = cred.uid;
        }
    }

    return fits;
}


static ssize_t
receive_message(int sock, void *data, size_t size, int *fds, size_t max,
    size_t *ret_nfds, uid_t *ret_uid, int flags)
{
    size_t        nfds = 0;
    ssize_t       n;
    ancillary_t   ancillary;
    struct iovec  iov = { data, size };
    struct msghdr msg = {
        .msg_iov = &iov,
        .msg_iovlen = 1,
        .msg_control = &ancillary,
        .msg_controllen = sizeof(ancillary),
    };

    if (ret_uid) {
        *ret_uid = (uid_t) -1;
    }

    do {
        n = recvmsg(sock, &msg, MSG_CMSG_CLOEXEC | flags);
    } while (n == -1 && errno == EINTR);

    if (n == -1) {
        return -errno;
    }

    if (!take_ancillary(&msg, fds, max, &nfds, ret_uid)) {
        while (nfds > 0) {
            codr_io_discard(&fds[--nfds]);
        }
        return -EMSGSIZE;
    }

    if (ret_nfds) {
        *ret_nfds = nfds;
    }
    return n;
}


ssize_t
codr_io_recv(int sock, void *data, size_t size, int *fds, size_t max,
    size_t *ret_nfds, uid_t *ret_uid)
{
    return receive_message(sock, data, size, fds, max, ret_nfds, ret_uid, 0);
}


ssize_t
codr_io_recv_now(int sock, void *data, size_t size, int *fds, size_t max,
    size_t *ret_nfds, uid_t *ret_uid)
{
    return receive_message(sock, data, size, fds, max, ret_nfds, ret_uid,
                           MSG_DONTWAIT);
}


int
codr_io_write_all(int fd, const void *data, size_t len)
{
    ssize_t     n;
    const char *p = data;

    while (len > 0) {
        n = write(fd, p, len);
        if (n == -1) {
            if (errno == EINTR) {
                continue;
            }
            return -errno;
        }
        p += n;
        len -= (size_t) n;
    }

    return 0;
}


int
codr_io_read_at(int fd, void *data, size_t len, off_t at)
{
    char    *p = data;
    ssize_t  n;

    while (len > 0) {
        n = pread(fd, p, len, at);
        if (n == -1 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return n == -1 ? -errno : -EIO;
        }
        p += n;
        at += n;
        len -= (size_t) n;
    }

    return 0;
}


ssize_t
codr_io_read_text(int fd, char *text, size_t size)
{
    size_t  len = 0;
    ssize_t n;

    for ( ;; ) {
        n = read(fd, text + len, size - len);
        if (n == -1 && errno == EINTR) {
            continue;
        }
        if (n == -1) {
            return -errno;
        }
        if (n == 0) {
            break;
        }
        len += (size_t) n;
        if (len == size) {
            return -EFBIG;
        }
    }

    text[len] = '\0';
    return (ssize_t) len;
}


ssize_t
codr_io_sealed_size(int fd, size_t max)
{
    int         seals = fcntl(fd, F_GET_SEALS);
    struct stat st;

    if (seals == -1) {
        return -errno;
    }
    if ((seals & SEALS) != SEALS) {
        return -EPERM;
    }
    if (fstat(fd, &st) == -1) {
        return -errno;
    }
    if (st.st_size < 0 || (uint64_t) st.st_size > max) {
        return -EFBIG;
    }

    return (ssize_t) st.st_size;
}


int
codr_io_seal(int fd)
{
    if (fchmod(fd, S_IRUSR | S_IXUSR | S_IRGRP | S_IXGRP | S_IROTH | S_IXOTH)
            == -1
        || fcntl(fd, F_ADD_SEALS, SEALS) == -1)
    {
        return -errno;
    }

    return 0;
}


int
codr_io_pair(int *ret_ours, int *ret_theirs)
{
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == -1) {
        return -errno;
    }

    if (fcntl(ends[0], F_SETFL, O_RDWR | O_NONBLOCK) == -1) {
        codr_close(&ends[0]);
        codr_close(&ends[1]);
        return -EBADF;
    }

    *ret_ours = ends[0];
    *ret_theirs = ends[1];
    return 0;
}
