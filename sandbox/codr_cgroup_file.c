/*
 * The files of a cgroup's directory, and the texts that tell where cgroups
 * are: what both versions read and write them with.
 */

#define _GNU_SOURCE

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "codr_cgroup_impl.h"
#include "codr_io.h"
#include "codr_util.h"


int
codr_cgroup_write(int dir, const char *file, const char *text)
{
    codr_cleanup_close int fd = openat(dir, file, O_WRONLY | O_CLOEXEC);

    if (fd == -1) {
        return -errno;
    }

    return codr_io_write_all(fd, text, strlen(text));
}


int
codr_cgroup_write_number(int dir, const char *file, uint64_t value)
{
    char text[32];

    (void) snprintf(text, sizeof(text), "%" PRIu64, value);

    return codr_cgroup_write(dir, file, text);
}


ssize_t
codr_cgroup_read(int dir, const char *file, char *text, size_t size)
{
    codr_cleanup_close int fd = openat(dir, file, O_RDONLY | O_CLOEXEC);

    if (fd == -1) {
        return -errno;
    }

    return codr_io_read_text(fd, text, size);
}


int
codr_cgroup_read_number(int dir, const char *file, uint64_t *ret)
{
    char     text[64], *end;
    ssize_t  n = codr_cgroup_read(dir, file, text, sizeof(text));
    uint64_t value;

    if (n < 0) {
        return (int) n;
    }

    value = strtoull(text, &end, 10);
    if (end == text) {
        return -EINVAL;
    }

    *ret = value;
    return 0;
}


int
codr_cgroup_limit_tasks(int dir)
{
    int      rc;
    uint64_t ids = 0;

    rc = codr_cgroup_read_number(AT_FDCWD, "/proc/sys/kernel/pid_max", &ids);
    if (rc == 0 && ids > 1) {
        rc = codr_cgroup_write_number(dir, "pids.max", ids / 2);
    }

    return rc == -ENOENT ? 0 : rc;      /* each sandbox has its own limit */
}


int
codr_cgroup_make(int dir, const char *name)
{
    int fd;

    if (mkdirat(dir, name, 0755) == -1 && errno != EEXIST) {
        return -errno;
    }

    fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);

    return fd == -1 ? -errno : fd;
}


int
codr_cgroup_make_path(int dir, const char *path, void (*visit)(int dir))
{
    int    fd = dup(dir), next;
    char   name[256];
    size_t len;

    for ( ;; ) {
        path += strspn(path, "/");
        if (fd < 0 || *path == '\0') {
            return fd == -1 ? -errno : fd;
        }

        len = strcspn(path, "/");
        if (len >= sizeof(name)) {
            (void) close(fd);
            return -ENAMETOOLONG;
        }
        memcpy(name, path, len);
        name[len] = '\0';
        path += len;

        if (visit) {
            visit(fd);
        }
        next = strcmp(name, "..") == 0 ? -EINVAL
                                       : codr_cgroup_make(fd, name);
        (void) close(fd);
        if (next < 0) {
            return next;
        }
        fd = next;
    }
}


bool
codr_cgroup_find_number(const char *text, const char *key, uint64_t *ret)
{
    char       *end;
    size_t      len = strlen(key);
    uint64_t    value;
    const char *line = text;

    while (line) {
        if (strncmp(line, key, len) == 0 && line[len] == ' ') {
            value = strtoull(line + len + 1, &end, 10);
            if (end == line + len + 1) {
                return false;
            }
            *ret = value;
            return true;
        }
        line = strchr(line, '\n');
        line = line ? line + 1 : NULL;
    }

    return false;
}


bool
codr_cgroup_has_word(const char *list, const char *word)
{
    size_t len, want = strlen(word);

    for ( ;; ) {
        list += strspn(list, " ,\n");
        len = strcspn(list, " ,\n");
        if (len == 0) {
            return false;
        }
        if (len == want && memcmp(list, word, len) == 0) {
            return true;
        }
        list += len;
    }
}


/* Octal escapes of /proc/self/mounts (a space is \040), in place. */
static void
unescape(char *text)
{
    char *out = text;

    while (*text) {
        if (text[0] == '\\' && text[1] && text[2] && text[3]) {
            *out++ = (char) ((text[1] - '0') * 64 + (text[2] - '0') * 8
                             + (text[3] - '0'));
            text += 4;
        } else {
            *out++ = *text++;
        }
    }

    *out = '\0';
}


bool
codr_cgroup_find_mount(const char *mounts, const char *controller,
    char path[CODR_CGROUP_PATH])
{
    char        at[CODR_CGROUP_PATH], type[32], options[512];
    const char *line;

    _Static_assert(CODR_CGROUP_PATH == 512, "the width below");

    for (line = mounts; line && *line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (sscanf(line, "%*s %511s %31s %511s", at, type, options) != 3) {
            continue;
        }
        if (controller == NULL ? strcmp(type, "cgroup2") != 0
            : strcmp(type, "cgroup") != 0
              || !codr_cgroup_has_word(options, controller))
        {
            continue;
        }
        unescape(at);
        (void) snprintf(path, CODR_CGROUP_PATH, "%s", at);
        return true;
    }

    return false;
}


bool
codr_cgroup_find_own(const char *text, char path[CODR_CGROUP_PATH])
{
    size_t      len;
    const char *line = text;

    while (line && strncmp(line, "0::", 3) != 0) {
        line = strchr(line, '\n');
        line = line ? line + 1 : NULL;
    }
    if (line == NULL) {
        return false;
    }

    len = strcspn(line + 3, "\n");
    if (len == 0 || len >= CODR_CGROUP_PATH) {
        return false;
    }

    memcpy(path, line + 3, len);
    path[len] = '\0';
    return true;
}
