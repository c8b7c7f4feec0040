/*
 * An event loop's descriptors mean the same to a clone and to its zygote, so
 * that they would wake each other: each clone gets new ones under the same
 * numbers.  What there is to know of them, /proc tells.
 */

#define _GNU_SOURCE

#include "codr_node_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "codr_util.h"

#define FILES_MAX   64
#define ABOVE       128         /* numbers none of them has */

typedef enum {
    KIND_EPOLL,
    KIND_EVENT,
    KIND_PIPE,                  /* the reading end */
    KIND_PIPE_OTHER,
    KIND_NULL
} kind_t;

typedef struct {
    kind_t  kind;
    int     fd;
    int     flags;
    int     other;              /* PIPE: the writing end */
    int     waiting;            /* PIPE: bytes */
    char    name[64];
} file_t;

typedef struct {
    int                 epoll;
    int                 fd;
    struct epoll_event  event;
} interest_t;

static int         last_fd;
static size_t      nfiles, ninterests;
static file_t      files[FILES_MAX];
static interest_t  interests[FILES_MAX];


static int
read_interests(int epoll)
{
    int           fd, rc = 0;
    char          path[64], line[256];
    FILE         *info;
    unsigned      events;
    unsigned long data;

    (void) snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", epoll);
    info = fopen(path, "re");
    if (info == NULL) {
        return -errno;
    }

    while (fgets(line, sizeof(line), info)) {
        if (sscanf(line, "tfd: %d events: %x data: %lx", &fd, &events, &data)
            != 3)
        {
            continue;
        }
        if (ninterests == FILES_MAX) {
            rc = -E2BIG;
            break;
        }
        interests[ninterests++] = (interest_t) {
            epoll, fd, { .events = events, .data.u64 = data },
        };
    }

    (void) fclose(info);
    return rc;
}


/* Which end comes first is of no matter: one of them writes. */
static int
join_pipe(file_t *file)
{
    size_t  i;
    file_t *other;

    file->kind = file->flags & O_ACCMODE ? KIND_PIPE_OTHER : KIND_PIPE;

    for (i = 0; i < nfiles; i++) {
        other = &files[i];
        if (other->kind == file->kind || strcmp(other->name, file->name) != 0)
        {
            continue;
        }
        if (file->kind == KIND_PIPE) {
            file->other = other->fd;
        } else {
            other->other = file->fd;
        }
    }

    return file->kind == KIND_PIPE
           && ioctl(file->fd, FIONREAD, &file->waiting) == -1 ? -errno : 0;
}


static int
add_file(int fd)
{
    int     rc = 0;
    char    path[64];
    file_t *file = &files[nfiles];
    ssize_t n;

    if (nfiles == FILES_MAX || fd >= ABOVE) {
        return -E2BIG;
    }

    (void) snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    *file = (file_t) { .fd = fd, .flags = fcntl(fd, F_GETFL), .other = -1 };
    n = readlink(path, file->name, sizeof(file->name) - 1);
    if (n == -1 || file->flags == -1) {
        return -errno;
    }

    if (strcmp(file->name, "anon_inode:[eventpoll]") == 0) {
        file->kind = KIND_EPOLL;
        rc = read_interests(fd);
    } else if (strcmp(file->name, "anon_inode:[eventfd]") == 0) {
        file->kind = KIND_EVENT;
    } else if (strcmp(file->name, "/dev/null") == 0) {
        file->kind = KIND_NULL;
    } else if (strncmp(file->name, "pipe:", 5) == 0) {
        rc = join_pipe(file);
    } else {
        rc = -ENOTSUP;
    }

    nfiles++;
    last_fd = fd > last_fd ? fd : last_fd;
    return rc;
}


int
codr_node_files_plan(int first)
{
    int            fd, rc = 0;
    DIR           *dir = opendir("/proc/self/fd");
    size_t         i;
    struct dirent *entry;

    if (dir == NULL) {
        return -errno;
    }

    last_fd = first - 1;
    while (rc == 0 && (entry = readdir(dir)) != NULL) {
        fd = atoi(entry->d_name);
        if (fd >= first && fd != dirfd(dir)) {
            rc = add_file(fd);
        }
    }
    (void) closedir(dir);

    for (i = 0; rc == 0 && i < nfiles; i++) {
        if (files[i].kind == KIND_PIPE && files[i].other < 0) {
            rc = -ENOTSUP;      /* somebody else has the other end */
        }
    }

    return rc;
}


int
codr_node_files_last(void)
{
    return last_fd;
}


static int
put(int from, int to)
{
    int rc = 0;

    if (from == -1) {
        return -errno;
    }
    if (from != to) {
        rc = dup3(from, to, O_CLOEXEC) == -1 ? -errno : 0;
        (void) close(from);
    }

    return rc;
}


static int
make_pipe(const file_t *file)
{
    int     rc, fds[2], up[2];
    char    bytes[FILES_MAX] = { 0 };

    if (pipe2(fds, O_CLOEXEC | (file->flags & O_NONBLOCK)) == -1) {
        return -errno;
    }
    up[0] = fcntl(fds[0], F_DUPFD_CLOEXEC, ABOVE);
    up[1] = fcntl(fds[1], F_DUPFD_CLOEXEC, ABOVE);
    (void) close(fds[0]);
    (void) close(fds[1]);

    rc = put(up[0], file->fd);
    if (rc == 0) {
        rc = put(up[1], file->other);
    }
    if (rc == 0 && file->waiting > 0
        && (file->waiting > FILES_MAX
            || write(file->other, bytes, (size_t) file->waiting)
               != file->waiting))
    {
        rc = -EIO;
    }

    return rc;
}


static int
make(const file_t *file)
{
    switch (file->kind) {
    case KIND_EPOLL:
        return put(epoll_create1(EPOLL_CLOEXEC), file->fd);
    case KIND_EVENT:
        return put(eventfd(0, EFD_CLOEXEC | (file->flags & O_NONBLOCK)),
                   file->fd);
    case KIND_NULL:
        return put(open("/dev/null", file->flags | O_CLOEXEC), file->fd);
    case KIND_PIPE:
        return make_pipe(file);
    case KIND_PIPE_OTHER:
        break;
    }

    return 0;
}


int
codr_node_files_remake(void)
{
    int    rc = 0;
    size_t i;

    for (i = 0; rc == 0 && i < nfiles; i++) {
        rc = make(&files[i]);
    }
    for (i = 0; rc == 0 && i < ninterests; i++) {
        if (epoll_ctl(interests[i].epoll, EPOLL_CTL_ADD, interests[i].fd,
                      &interests[i].event) == -1)
        {
            rc = -errno;
        }
    }

    return rc;
}
