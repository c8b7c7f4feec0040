/*
 * Messages with descriptors over seqpacket sockets, and whole reads and
 * writes.  Every descriptor received is close-on-exec; those a caller did not
 * ask for are closed here, so a peer cannot fill our table.
 */

#ifndef CODR_IO_H
#define CODR_IO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

#define CODR_IO_FDS_MAX         8


/*
 * Sends one message of the given pieces with nfds descriptors (at most
 * CODR_IO_FDS_MAX).  Never raises SIGPIPE; does not block when the socket is
 * non-blocking.  0, or negative errno.
 */
int codr_io_send(int sock, const struct iovec *iov, size_t niov,
    const int *fds, size_t nfds);

/* The same for one piece. */
int codr_io_send_one(int sock, const void *data, size_t len, const int *fds,
    size_t nfds);

/*
 * The same, and never blocks.  For a socket that a worker made: O_NONBLOCK
 * belongs to the open file, and who keeps a duplicate can clear it.
 */
int codr_io_send_now(int sock, const void *data, size_t len);

/*
 * Receives one message of at most size bytes and at most max descriptors.
 * Returns its length, 0 at the end of the stream, or negative errno:
 * -EMSGSIZE when the message or its descriptors were more than asked for
 * (all of them are closed then).  ret_uid, when not NULL, gets the sender's
 * uid; the socket must have SO_PASSCRED then, else it is -1.
 */
ssize_t codr_io_recv(int sock, void *data, size_t size, int *fds, size_t max,
    size_t *ret_nfds, uid_t *ret_uid);

/* The same, and never blocks, as codr_io_send_now(). */
ssize_t codr_io_recv_now(int sock, void *data, size_t size, int *fds,
    size_t max, size_t *ret_nfds, uid_t *ret_uid);

/*
 * Closes a descriptor that a worker sent.  Closing the last one of a TCP
 * socket can wait for its unsent data for as long as SO_LINGER says: what is
 * left is dropped instead.
 */
void codr_io_discard(int *fd);

/* Whether it is an AF_UNIX socket of this type. */
bool codr_io_is_unix(int fd, int type);

/* All of len, over short writes and EINTR.  0, or negative errno. */
int codr_io_write_all(int fd, const void *data, size_t len);

/* len bytes of a file from an offset on, over short reads and EINTR.  0, or
   negative errno; -EIO when it ends before. */
int codr_io_read_at(int fd, void *data, size_t len, off_t at);

/* A whole small file as text with a final NUL; its length, or negative errno
   (-EFBIG when it has size bytes or more). */
ssize_t codr_io_read_text(int fd, char *text, size_t size);

/* A sealed memfd (grow, shrink, write, seal): its size, or negative errno;
   -EPERM when a seal is missing, -EFBIG above max. */
ssize_t codr_io_sealed_size(int fd, size_t max);

/*
 * Seals a memfd completely: its bytes, and against marks, which no seal is
 * about.  A memfd is made with mode 0777, so that whoever has it could leave
 * user attributes on it (tmpfs has them since Linux 6.6).  0, or negative
 * errno.
 */
int codr_io_seal(int fd);

/* A SOCK_SEQPACKET pair, of which our own end does not block.  0, or negative
   errno. */
int codr_io_pair(int *ret_ours, int *ret_theirs);

#endif /* CODR_IO_H */
