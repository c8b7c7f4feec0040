/*
 * Instances of the helper, and what dead ones left behind.  Each helper keeps
 * a locked file in the run directory with one line a cgroup directory it has
 * made; a file that can be locked belongs to nobody any more.  Runs in the
 * spawner at start and end.  Must never remove what a living helper holds, nor
 * anything outside a cgroup file system.
 */

#define _GNU_SOURCE

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "codr_cgroup_impl.h"
#include "codr_io.h"
#include "codr_util.h"

#define PREFIX          "codr-"
#define SUFFIX          ".lock"
#define RECORD_MAX      (CODR_CGROUP_TREES * (CODR_CGROUP_PATH + 64))
#define INSTANCE_BYTES  4       /* random; as many names are tried as needed */
#define MEMBERS_MAX     4096    /* bytes of a list of processes */


static bool
is_cgroup(int dir)
{
    struct statfs fs;

    return fstatfs(dir, &fs) == 0
           && (fs.f_type == CGROUP_SUPER_MAGIC
               || fs.f_type == CGROUP2_SUPER_MAGIC);
}


/* As many as there is room for; the next helper that starts finds others. */
static bool
read_members(int dir, char *text)
{
    ssize_t                n;
    codr_cleanup_close int fd = openat(dir, "cgroup.procs",
                                       O_RDONLY | O_CLOEXEC);

    n = fd == -1 ? -1 : read(fd, text, MEMBERS_MAX - 1);
    while (n > 0 && text[n - 1] != '\n') {
        n--;                                    /* half a number */
    }

    text[n > 0 ? n : 0] = '\0';
    return n > 0;
}


/* 0 behind the last one. */
static pid_t
next_pid(char **line)
{
    return (pid_t) strtol(*line, line, 10);
}


static bool
is_member(int dir, pid_t pid)
{
    char  text[MEMBERS_MAX], *line = text;
    pid_t member = 0;

    if (read_members(dir, text)) {
        do {
            member = next_pid(&line);
        } while (member != 0 && member != pid);
    }

    return member == pid;
}


/* The number may be another's by now, who is no member; and who is held before
   it is looked for is not replaced meanwhile. */
static void
kill_member(int dir, pid_t pid)
{
    codr_cleanup_close int process = (int) syscall(SYS_pidfd_open, pid, 0);

    if (process >= 0 && is_member(dir, pid)) {
        (void) syscall(SYS_pidfd_send_signal, process, SIGKILL, NULL, 0);
    }
}


/* Their spawner is dead and its death signal has reached its inits, so that
   this finds a process only in the same instant. */
static void
kill_members(int dir)
{
    char  text[MEMBERS_MAX], *line = text;
    pid_t pid;

    if (codr_cgroup_write(dir, "cgroup.kill", "1") == 0
        || !read_members(dir, text))
    {
        return;
    }

    while ((pid = next_pid(&line)) != 0) {
        if (pid > 1) {
            kill_member(dir, pid);
        }
    }
}


/* Sandboxes are one level below their instance. */
static void
remove_children(int dir)
{
    int            child;
    DIR           *list;
    struct dirent *entry;

    child = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    list = child == -1 ? NULL : fdopendir(child);
    if (list == NULL) {
        codr_close(&child);
        return;
    }

    while ((entry = readdir(list)) != NULL) {
        if (entry->d_type != DT_DIR || entry->d_name[0] == '.') {
            continue;
        }
        child = openat(dir, entry->d_name,
                       O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
        if (child >= 0) {
            kill_members(child);
            codr_close(&child);
        }
        (void) unlinkat(dir, entry->d_name, AT_REMOVEDIR);
    }

    (void) closedir(list);
}


/* path: a line of a record.  True when nothing of it is left. */
static bool
remove_instance(const char *path)
{
    const char            *name = strrchr(path, '/');
    codr_cleanup_close int dir = -1;

    if (path[0] != '/' || strncmp(name + 1, PREFIX, strlen(PREFIX)) != 0) {
        return true;
    }

    dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (dir == -1) {
        return errno == ENOENT;
    }
    if (!is_cgroup(dir)) {
        return true;
    }

    kill_members(dir);
    remove_children(dir);

    return rmdir(path) == 0;
}


static void
clean_record(int run_dir, const char *name)
{
    bool                   gone = true;
    char                   text[RECORD_MAX], *line, *save = NULL;
    codr_cleanup_close int fd = openat(run_dir, name,
                                       O_RDWR | O_CLOEXEC | O_NOFOLLOW);

    if (fd == -1 || flock(fd, LOCK_EX | LOCK_NB) == -1
        || codr_io_read_text(fd, text, sizeof(text)) < 0)
    {
        return;
    }

    for (line = strtok_r(text, "\n", &save); line;
         line = strtok_r(NULL, "\n", &save))
    {
        gone = remove_instance(line) && gone;
    }

    if (gone) {
        (void) unlinkat(run_dir, name, 0);
    }
}


static bool
is_record(const char *name)
{
    size_t len = strlen(name);

    return len > strlen(PREFIX) + strlen(SUFFIX)
           && strncmp(name, PREFIX, strlen(PREFIX)) == 0
           && strcmp(name + len - strlen(SUFFIX), SUFFIX) == 0;
}


static void
clean_stale(int run_dir)
{
    int            fd = openat(run_dir, ".",
                               O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR           *list = fd == -1 ? NULL : fdopendir(fd);
    struct dirent *entry;

    if (list == NULL) {
        codr_close(&fd);
        return;
    }

    while ((entry = readdir(list)) != NULL) {
        if (is_record(entry->d_name)) {
            clean_record(run_dir, entry->d_name);
        }
    }

    (void) closedir(list);
}


/* Under the run directory's own lock, or a helper that starts at the same
   moment would take a record just made, and not locked yet, for a stale one. */
static int
make_record(codr_cgroup_t *cgroup)
{
    char                   random[INSTANCE_BYTES * 2 + 1];
    codr_cleanup_close int fd = -1;

    codr_random_hex(random, INSTANCE_BYTES);
    (void) snprintf(cgroup->instance, sizeof(cgroup->instance), PREFIX "%s",
                    random);
    (void) snprintf(cgroup->lock_name, sizeof(cgroup->lock_name), "%s" SUFFIX,
                    cgroup->instance);

    fd = openat(cgroup->run_dir, cgroup->lock_name,
                O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd == -1 || flock(fd, LOCK_EX | LOCK_NB) == -1) {
        return -errno;
    }

    cgroup->lock = codr_steal_fd(&fd);
    return 0;
}


int
codr_cgroup_instance_open(codr_cgroup_t *cgroup)
{
    int                    rc;
    codr_cleanup_close int dir = openat(cgroup->run_dir, ".",
                                        O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (dir == -1 || flock(dir, LOCK_EX) == -1) {
        return -errno;
    }

    clean_stale(cgroup->run_dir);

    do {
        rc = make_record(cgroup);
    } while (rc == -EEXIST);

    return rc;
}


int
codr_cgroup_instance_record(const codr_cgroup_t *cgroup, const char *path)
{
    char line[CODR_CGROUP_PATH + 64];
    int  n = snprintf(line, sizeof(line), "%s\n", path);

    if (n < 0 || (size_t) n >= sizeof(line)) {
        return -ENAMETOOLONG;
    }

    return codr_io_write_all(cgroup->lock, line, (size_t) n);
}


void
codr_cgroup_instance_close(codr_cgroup_t *cgroup)
{
    if (cgroup->lock >= 0) {
        (void) unlinkat(cgroup->run_dir, cgroup->lock_name, 0);
        codr_close(&cgroup->lock);
    }
}
