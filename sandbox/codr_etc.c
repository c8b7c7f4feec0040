/*
 * A minimal /etc: what programs look for by name, copied so that nothing else
 * of the host's shows.  Runs in the spawner while it builds the template root.
 * Must never copy what is not in the table, nor follow a link out of it.
 */

#define _GNU_SOURCE

#include "codr_etc.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "codr_io.h"
#include "codr_util.h"

#define FILE_MAX_SIZE   (1024 * 1024)
#define ENTRIES_MAX     4096            /* of one directory */

typedef enum {
    ENTRY_ONE = 0,              /* a file or a link of that name */
    ENTRY_DIR,                  /* a directory: its files and links */
    ENTRY_PREFIX                /* each directory whose name starts so */
} entry_kind_t;

typedef struct {
    const char    *name;
    entry_kind_t   kind;
    const char    *reason;
} entry_t;

typedef struct {
    const char  *name;
    const char  *text;
} text_t;

static const entry_t entries[] = {
    { "alternatives", ENTRY_DIR, "cc, c++ and others of /usr/bin point here" },
    { "ld.so.cache", ENTRY_ONE, "the loader finds libraries at once" },
    { "ld.so.conf", ENTRY_ONE, "ld looks for indirect libraries" },
    { "ld.so.conf.d", ENTRY_DIR, "the same" },
    { "os-release", ENTRY_ONE, "platform.freedesktop_os_release()" },
    { "debian_version", ENTRY_ONE, "the same for older programs" },
    { "services", ENTRY_ONE, "getservbyname()" },
    { "protocols", ENTRY_ONE, "getprotobyname()" },
    { "mime.types", ENTRY_ONE, "mimetypes of Python" },
    { "python3", ENTRY_PREFIX, "sitecustomize.py is a link to here" },
};

/* name, text: ours, not the host's */
static const text_t texts[] = {
    { "nsswitch.conf", "passwd: files\ngroup: files\nhosts: files\n"
                       "services: files\nprotocols: files\n" },
    { "hosts", "127.0.0.1 localhost\n::1 localhost\n127.0.1.1 codr\n" },
    { "host.conf", "multi on\n" },
    { "resolv.conf", "" },
    { "hostname", "codr\n" },
    { "timezone", "Etc/UTC\n" },
    { "shells", "/bin/sh\n/bin/bash\n" },
};


/* With its time: what was compiled from it is looked at by that (Python's
   sitecustomize), and would be compiled again for each job. */
static int
copy_file(int from, int to, const char *name, const struct stat *st)
{
    ssize_t                n;
    struct timespec        times[2] = { st->st_mtim, st->st_mtim };
    codr_cleanup_close int in = -1, out = -1;

    if (st->st_size > FILE_MAX_SIZE) {
        return -EFBIG;
    }

    in = openat(from, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    out = openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444);
    if (in == -1 || out == -1) {
        return -errno;
    }

    do {
        n = sendfile(out, in, NULL, FILE_MAX_SIZE);
    } while (n > 0);

    return n == -1 || futimens(out, times) == -1 ? -errno : 0;
}


/* Links are copied as links: where they lead is decided inside. */
static int
copy_one(int from, int to, const char *name)
{
    char        target[512];
    ssize_t     len;
    struct stat st;

    if (fstatat(from, name, &st, AT_SYMLINK_NOFOLLOW) == -1) {
        return errno == ENOENT ? 0 : -errno;
    }

    if (S_ISREG(st.st_mode)) {
        return copy_file(from, to, name, &st);
    }
    if (!S_ISLNK(st.st_mode)) {
        return 0;
    }

    len = readlinkat(from, name, target, sizeof(target) - 1);
    if (len == -1) {
        return -errno;
    }
    target[len] = '\0';

    return symlinkat(target, to, name) == -1 ? -errno : 0;
}


static int
copy_entries(DIR *list, int to)
{
    int            rc, count = 0;
    struct dirent *entry;

    while ((entry = readdir(list)) != NULL) {
        if (strcmp(entry->d_name, ".") == 0
            || strcmp(entry->d_name, "..") == 0)
        {
            continue;
        }
        if (++count > ENTRIES_MAX) {
            return -E2BIG;
        }
        rc = copy_one(dirfd(list), to, entry->d_name);
        if (rc != 0) {
            return rc;
        }
    }

    return 0;
}


static int
copy_dir(int from, int to, const char *name)
{
    int                    rc, in;
    DIR                   *list;
    codr_cleanup_close int out = -1;

    in = openat(from, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (in == -1) {
        return errno == ENOENT || errno == ENOTDIR ? 0 : -errno;
    }

    list = fdopendir(in);
    if (list == NULL) {
        codr_close(&in);
        return -errno;
    }

    rc = mkdirat(to, name, 0755) == -1 ? -errno : 0;
    if (rc == 0) {
        out = openat(to, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        rc = out == -1 ? -errno : copy_entries(list, out);
    }

    (void) closedir(list);
    return rc;
}


static int
copy_prefix(int from, int to, const char *prefix)
{
    int            rc = 0, fd = openat(from, ".", O_RDONLY | O_DIRECTORY
                                                  | O_CLOEXEC);
    DIR           *list = fd == -1 ? NULL : fdopendir(fd);
    struct dirent *entry;

    if (list == NULL) {
        codr_close(&fd);
        return -errno;
    }

    while (rc == 0 && (entry = readdir(list)) != NULL) {
        if (strncmp(entry->d_name, prefix, strlen(prefix)) == 0) {
            rc = copy_dir(from, to, entry->d_name);
        }
    }

    (void) closedir(list);
    return rc;
}


static int
write_text(int etc, const char *name, const char *text)
{
    codr_cleanup_close int fd = openat(etc, name, O_WRONLY | O_CREAT | O_EXCL
                                                  | O_CLOEXEC, 0444);

    if (fd == -1) {
        return -errno;
    }

    return codr_io_write_all(fd, text, strlen(text));
}


/*
 * Every slot's uid is a user called "codr" at home in /box, so that
 * getpwuid() and `id` work whichever slot a job runs in.  Slots are used from
 * the first on, which keeps the look-up short.
 */
static int
write_users(int etc, const char *name, const char *first, const char *last,
    const char *format, uid_t base, uint32_t count)
{
    FILE    *file;
    uint32_t i;
    int      fd = openat(etc, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
                         0444);

    file = fd == -1 ? NULL : fdopen(fd, "w");
    if (file == NULL) {
        codr_close(&fd);
        return -errno;
    }

    (void) fputs(first, file);
    for (i = 1; i < count; i++) {
        (void) fprintf(file, format, base + i);
    }
    (void) fputs(last, file);

    return fclose(file) == 0 ? 0 : -errno;      /* tells all of it */
}


#define PASSWD  "codr:x:%1$u:%1$u:codr:/box:/bin/sh\n"
#define GROUP   "codr:x:%1$u:\n"


static int
fill(int host, int etc, uid_t first_uid, uint32_t uids)
{
    int    rc = 0;
    size_t i;

    for (i = 0; rc == 0 && i < CODR_ARRAY_LEN(entries); i++) {
        switch (entries[i].kind) {
        case ENTRY_ONE:
            rc = copy_one(host, etc, entries[i].name);
            break;
        case ENTRY_DIR:
            rc = copy_dir(host, etc, entries[i].name);
            break;
        case ENTRY_PREFIX:
            rc = copy_prefix(host, etc, entries[i].name);
            break;
        }
    }

    for (i = 0; rc == 0 && i < CODR_ARRAY_LEN(texts); i++) {
        rc = write_text(etc, texts[i].name, texts[i].text);
    }

    if (rc == 0 && symlinkat("/usr/share/zoneinfo/Etc/UTC", etc, "localtime")
                   == -1)
    {
        rc = -errno;
    }
    if (rc == 0) {
        rc = write_users(etc, "passwd",
                         "root:x:0:0:root:/:/usr/sbin/nologin\n",
                         "nobody:x:65534:65534:nobody:/:/usr/sbin/nologin\n",
                         PASSWD, first_uid, uids);
    }
    if (rc == 0) {
        rc = write_users(etc, "group", "root:x:0:\n", "nogroup:x:65534:\n",
                         GROUP, first_uid, uids);
    }

    return rc;
}


int
codr_etc_fill(int root, uid_t first_uid, uint32_t uids)
{
    codr_cleanup_close int host = -1, etc = -1;

    host = open("/etc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    etc = openat(root, "etc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (host == -1 || etc == -1) {
        return -errno;
    }

    return fill(host, etc, first_uid, uids);
}
