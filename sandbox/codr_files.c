/*
 * The files of a job.  Runs in init, with the job's rights and inside its
 * root: a mistake here reaches nothing but the box.  No path that a job could
 * have written is followed: names are resolved beneath the box, without links
 * of any kind.
 */

#define _GNU_SOURCE

#include "codr_files.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "codr_io.h"
#include "codr_limits.h"
#include "codr_proto.h"
#include "codr_util.h"

#define FEW         4096

#define RESOLVE     (RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS                    \
                     | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV)


static int
open_beneath(const char *name, uint64_t flags, uint64_t mode)
{
    int             fd;
    struct open_how how = {
        .flags = flags | O_CLOEXEC | O_NOFOLLOW,
        .mode = mode,
        .resolve = RESOLVE,
    };

    fd = (int) syscall(SYS_openat2, AT_FDCWD, name, &how, sizeof(how));

    return fd == -1 ? -errno : fd;
}


/* The directories of a name, which nobody else can be changing yet. */
static int
make_parents(char *name)
{
    int   rc;
    char *slash;

    for (slash = strchr(name, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        rc = mkdir(name, 0755) == -1 && errno != EEXIST ? -errno : 0;
        *slash = '/';
        if (rc != 0) {
            return rc;
        }
    }

    return 0;
}


static int
write_one(const codr_field_t *name, const codr_field_t *data)
{
    int                    rc;
    char                   path[CODR_FILE_NAME_MAX + 1];
    codr_cleanup_close int fd = -1;

    if (!codr_file_name_valid((const char *) name->data, name->length)) {
        return -EINVAL;
    }
    memcpy(path, name->data, name->length);
    path[name->length] = '\0';

    rc = make_parents(path);
    if (rc != 0) {
        return rc;
    }

    fd = open_beneath(path, O_WRONLY | O_CREAT | O_EXCL, 0644);
    if (fd < 0) {
        return fd;
    }

    return codr_io_write_all(fd, data->data, data->length);
}


int
codr_files_write_image(const void *image, size_t size)
{
    int           rc;
    codr_field_t  name, data;
    codr_fields_t fields;

    codr_fields_init(&fields, image, size);

    while ((rc = codr_fields_next(&fields, &name)) == 1) {
        if (name.tag != CODR_FIELD_FILE_NAME
            || codr_fields_next(&fields, &data) != 1
            || data.tag != CODR_FIELD_FILE_DATA)
        {
            return -EINVAL;
        }
        rc = write_one(&name, &data);
        if (rc != 0) {
            return rc;
        }
    }

    return rc == 0 ? 0 : -EINVAL;
}


/* The most an image can be: all bytes, and names and headers of all files. */
static size_t
image_max(void)
{
    return codr_limit_info(CODR_LIMIT_FILES)->maximum
           + codr_limit_info(CODR_LIMIT_CODE)->maximum
           + codr_limit_info(CODR_LIMIT_FILE_COUNT)->maximum
             * (CODR_FILE_NAME_MAX + 2 * CODR_FIELD_HEADER);
}


/* To map a page or two costs more than to copy them. */
static int
write_few(int image, size_t size)
{
    char copy[FEW];
    int  rc = codr_io_read_at(image, copy, size, 0);

    return rc < 0 ? rc : codr_files_write_image(copy, size);
}


int
codr_files_write(int image)
{
    int     rc;
    void   *map;
    ssize_t size = codr_io_sealed_size(image, image_max());

    if (size <= 0) {
        return (int) size;
    }

    if (size <= FEW) {
        return write_few(image, (size_t) size);
    }

    map = mmap(NULL, (size_t) size, PROT_READ, MAP_PRIVATE, image, 0);
    if (map == MAP_FAILED) {
        return -errno;
    }

    rc = codr_files_write_image(map, (size_t) size);
    (void) munmap(map, (size_t) size);

    return rc;
}


int
codr_files_place(int artefact, const char *name)
{
    int                    rc;
    void                  *map;
    ssize_t                size;
    codr_cleanup_close int fd = -1;

    size = codr_io_sealed_size(artefact,
                               codr_limit_info(CODR_LIMIT_DISK)->maximum);
    if (size <= 0) {
        return size < 0 ? (int) size : -EINVAL;
    }

    fd = open_beneath(name, O_WRONLY | O_CREAT | O_EXCL, 0755);
    if (fd < 0) {
        return fd;
    }

    map = mmap(NULL, (size_t) size, PROT_READ, MAP_PRIVATE, artefact, 0);
    if (map == MAP_FAILED) {
        return -errno;
    }

    rc = codr_io_write_all(fd, map, (size_t) size);
    (void) munmap(map, (size_t) size);

    return rc;
}


int
codr_files_open_artefact(const char *name, uint64_t max, uint64_t *ret_size)
{
    struct stat            st;
    codr_cleanup_close int fd = -1;

    /* non-blocking: a FIFO of that name has no writer */
    fd = open_beneath(name, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
    if (fd < 0) {
        return fd;
    }

    if (fstat(fd, &st) == -1) {
        return -errno;
    }
    if (!S_ISREG(st.st_mode) || st.st_nlink != 1 || st.st_uid != geteuid()) {
        return -EINVAL;
    }
    if (st.st_size <= 0 || (uint64_t) st.st_size > max) {
        return -EFBIG;
    }

    *ret_size = (uint64_t) st.st_size;
    return codr_steal_fd(&fd);
}


int
codr_files_send(int sock, int fd, uint64_t size, void *buffer, size_t chunk)
{
    int     rc;
    ssize_t n;

    while (size > 0) {
        n = read(fd, buffer, size < chunk ? (size_t) size : chunk);
        if (n == -1 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return n == 0 ? -EIO : -errno;
        }
        rc = codr_io_send_one(sock, buffer, (size_t) n, NULL, 0);
        if (rc != 0) {
            return rc;
        }
        size -= (uint64_t) n;
    }

    return 0;
}
