/*
 * What a process is and what it sees: identity, limits, descriptors,
 * environment, mounts, devices, /proc, every directory.  One line of JSON a
 * check; bench.t compares a job's lines with t/sandbox/golden and with those
 * of the same program outside, which is told so by its first argument.
 *
 *     probe_view [--control] self|mounts|dev|proc|tree ...
 */

#define _GNU_SOURCE

#include "probe.h"

#include <dirent.h>
#include <linux/magic.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/utsname.h>
#include <sys/vfs.h>

#define DEPTH           12      /* of directories that are walked */
#define DEPTH_USR       2       /* one file system, read-only */
#define LENGTH(array)   (sizeof(array) / sizeof((array)[0]))

extern char **environ;

static char  text[1 << 16];


static void
say_number(const char *check, long long value)
{
    char number[32];

    (void) snprintf(number, sizeof(number), "%lld", value);
    probe_say(check, number);
}


/* A file's first bytes, without its last newline; the error when there is
   none. */
static const char *
content(const char *path)
{
    int     fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    ssize_t n;

    if (fd == -1) {
        return probe_error(errno);
    }
    n = read(fd, text, sizeof(text) - 1);
    (void) close(fd);
    if (n == -1) {
        return probe_error(errno);
    }
    text[n] = '\0';
    if (n > 0 && text[n - 1] == '\n') {
        text[n - 1] = '\0';
    }

    return text;
}


/* Identity. */

static const char *const fields[] = {
    "Groups", "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", "NoNewPrivs",
    "Seccomp", "Threads", "TracerPid", "SigBlk", "SigIgn", "SigCgt",
};


static void
status_fields(void)
{
    char        name[64], *line, *value, *end;
    size_t      i;
    static char copy[sizeof(text)];

    (void) snprintf(copy, sizeof(copy), "%s", content("/proc/self/status"));
    for (i = 0; i < LENGTH(fields); i++) {
        (void) snprintf(name, sizeof(name), "\n%s:", fields[i]);
        line = strstr(copy, name);
        if (line == NULL) {
            continue;
        }
        value = line + strlen(name);
        value += strspn(value, " \t");
        end = value + strcspn(value, "\n");
        while (end > value && end[-1] == ' ') {
            end--;
        }
        (void) snprintf(name, sizeof(name), "status %s", fields[i]);
        (void) snprintf(text, sizeof(text), "%.*s", (int) (end - value),
                        value);
        probe_say(name, text);
    }
}


static void
ids(void)
{
    uid_t r, e, s;
    gid_t rg, eg, sg;

    (void) getresuid(&r, &e, &s);
    (void) getresgid(&rg, &eg, &sg);
    probe_say("one uid", r == e && e == s ? "yes" : "no");
    probe_say("one gid", rg == eg && eg == sg ? "yes" : "no");
    probe_say("root", r == 0 || rg == 0 ? "yes" : "no");
    say_number("groups", getgroups(0, NULL));
    say_number("securebits", prctl(PR_GET_SECUREBITS, 0, 0, 0, 0));
    say_number("dumpable", prctl(PR_GET_DUMPABLE, 0, 0, 0, 0));
    say_number("secure mode", (long long) getauxval(AT_SECURE));
    probe_say("oom score", content("/proc/self/oom_score_adj"));
}


static const struct {
    const char  *name;
    int          resource;
} resources[] = {
    { "cpu", RLIMIT_CPU }, { "fsize", RLIMIT_FSIZE }, { "data", RLIMIT_DATA },
    { "stack", RLIMIT_STACK }, { "core", RLIMIT_CORE }, { "rss", RLIMIT_RSS },
    { "nproc", RLIMIT_NPROC }, { "nofile", RLIMIT_NOFILE },
    { "memlock", RLIMIT_MEMLOCK }, { "as", RLIMIT_AS },
    { "sigpending", RLIMIT_SIGPENDING }, { "msgqueue", RLIMIT_MSGQUEUE },
    { "nice", RLIMIT_NICE }, { "rtprio", RLIMIT_RTPRIO },
};


static void
limits(void)
{
    size_t        i;
    char          name[32], result[64];
    struct rlimit limit;

    for (i = 0; i < LENGTH(resources); i++) {
        (void) getrlimit((__rlimit_resource_t) resources[i].resource, &limit);
        (void) snprintf(name, sizeof(name), "limit %s", resources[i].name);
        (void) snprintf(result, sizeof(result), "%lld %lld",
                        (long long) limit.rlim_cur,
                        (long long) limit.rlim_max);
        probe_say(name, result);
    }
}


/* Each by what it is: a descriptor too many, or of another kind, is seen. */
static void
descriptors(void)
{
    int         fd;
    char        name[32], result[128];
    const char *what;
    struct stat st;

    for (fd = 0; fd < 4096; fd++) {
        if (fstat(fd, &st) == -1) {
            continue;
        }
        what = S_ISFIFO(st.st_mode) ? "pipe" : S_ISSOCK(st.st_mode) ? "socket"
               : S_ISCHR(st.st_mode) ? "device" : S_ISREG(st.st_mode) ? "file"
               : S_ISDIR(st.st_mode) ? "directory" : "something";
        (void) snprintf(name, sizeof(name), "descriptor %d", fd);
        (void) snprintf(result, sizeof(result), "%s %s%s", what,
                        (fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDONLY ? "r"
                        : (fcntl(fd, F_GETFL) & O_ACCMODE) == O_WRONLY ? "w"
                        : "rw",
                        fcntl(fd, F_GETFL) & O_NONBLOCK ? " nonblock" : "");
        probe_say(name, result);
    }
}


static void
environment(void)
{
    char **e, name[256];
    size_t len;

    for (e = environ; *e; e++) {
        len = strcspn(*e, "=");
        (void) snprintf(name, sizeof(name), "env %.*s",
                        (int) (len < 200 ? len : 200), *e);
        probe_say(name, (*e)[len] ? *e + len + 1 : "");
    }
}


static void
place(void)
{
    int            i, fd;
    char           cwd[4096];
    struct stat    here, up;
    struct utsname name;

    probe_say("cwd", getcwd(cwd, sizeof(cwd)) ? cwd : probe_error(errno));
    (void) uname(&name);
    probe_say("host", name.nodename);
    probe_say("domain", name.domainname);

    /* up from the working directory: it ends at our own root */
    fd = open(".", O_RDONLY | O_DIRECTORY);
    for (i = 0; i < 64; i++) {
        fd = openat(fd, "..", O_RDONLY | O_DIRECTORY);
    }
    probe_say("up is the root", fstat(fd, &up) == 0 && stat("/", &here) == 0
              && up.st_dev == here.st_dev && up.st_ino == here.st_ino
              ? "yes" : "no");
    (void) close(fd);
}


static void
self(void)
{
    descriptors();              /* first: what follows opens more */
    ids();
    status_fields();
    limits();
    environment();
    place();
}


/* Mounts: where, what, and how; sizes are what limits are about. */
static void
mounts(void)
{
    char   *line, *next, at[256], how[256], type[64], name[512];
    char    result[512], *dash, *optional;
    FILE   *in = fopen("/proc/self/mountinfo", "re");
    size_t  size = 0;

    for (line = NULL; in && getline(&line, &size, in) > 0; ) {
        dash = strstr(line, " - ");
        if (dash == NULL
            || sscanf(line, "%*s %*s %*s %*s %255s %255s", at, how) != 2
            || sscanf(dash, " - %63s", type) != 1)
        {
            continue;
        }
        optional = strstr(line, "shared:");
        next = strstr(line, "master:");
        (void) snprintf(name, sizeof(name), "mount %s", at);
        (void) snprintf(result, sizeof(result), "%s %s%s", type, how,
                        (optional && optional < dash)
                        || (next && next < dash) ? " propagates" : "");
        probe_say(name, result);
    }

    free(line);
    if (in) {
        (void) fclose(in);
    }
}


/* Devices: everything that is below /dev. */
static void
devices(void)
{
    DIR           *dir = opendir("/dev");
    char           path[300], result[300], link[256];
    ssize_t        n;
    struct stat    st;
    struct dirent *entry;

    while (dir && (entry = readdir(dir)) != NULL) {
        if (entry->d_name[0] == '.') {
            continue;
        }
        (void) snprintf(path, sizeof(path), "/dev/%s", entry->d_name);
        if (lstat(path, &st) == -1) {
            continue;
        }
        if (S_ISLNK(st.st_mode)) {
            n = readlink(path, link, sizeof(link) - 1);
            link[n > 0 ? n : 0] = '\0';
            (void) snprintf(result, sizeof(result), "link %s", link);
        } else if (S_ISDIR(st.st_mode)) {
            (void) snprintf(result, sizeof(result), "directory");
        } else {
            (void) snprintf(result, sizeof(result), "%s %u:%u %o",
                            S_ISCHR(st.st_mode) ? "char"
                            : S_ISBLK(st.st_mode) ? "block" : "other",
                            major(st.st_rdev), minor(st.st_rdev),
                            st.st_mode & 07777);
        }
        probe_say(path, result);
    }

    if (dir) {
        (void) closedir(dir);
    }
}


/* /proc: what can be had of it. */

static long
reads(long path)
{
    int  fd = open((const char *) path, O_RDONLY | O_NONBLOCK);
    char byte;

    return fd == -1 ? -1 : read(fd, &byte, 1);
}


static long
opens_to_write(long path)
{
    return open((const char *) path, O_WRONLY | O_NONBLOCK);
}


static long
lists(long path)
{
    return open((const char *) path, O_RDONLY | O_DIRECTORY);
}


static long
reads_link(long path)
{
    char link[4096];

    return readlink((const char *) path, link, sizeof(link));
}


static const probe_row_t secrets[] = {
    { "read /proc/1/environ", reads, (long) "/proc/1/environ" },
    { "read /proc/1/maps", reads, (long) "/proc/1/maps" },
    { "read /proc/1/auxv", reads, (long) "/proc/1/auxv" },
    { "write /proc/1/mem", opens_to_write, (long) "/proc/1/mem" },
    { "list /proc/1/fd", lists, (long) "/proc/1/fd" },
    { "list /proc/1/map_files", lists, (long) "/proc/1/map_files" },
    { "link /proc/1/exe", reads_link, (long) "/proc/1/exe" },
    { "link /proc/1/root", reads_link, (long) "/proc/1/root" },
    { "link /proc/1/cwd", reads_link, (long) "/proc/1/cwd" },
    { "link /proc/1/ns/mnt", reads_link, (long) "/proc/1/ns/mnt" },
    { "write /proc/self/exe", opens_to_write, (long) "/proc/self/exe" },
    { "read /proc/kcore", reads, (long) "/proc/kcore" },
    { "read /proc/kmsg", reads, (long) "/proc/kmsg" },
    { "read /proc/kpagecount", reads, (long) "/proc/kpagecount" },
    { "read /proc/kpageflags", reads, (long) "/proc/kpageflags" },
    { "read /proc/timer_list", reads, (long) "/proc/timer_list" },
    { "read /proc/slabinfo", reads, (long) "/proc/slabinfo" },
    { "read /proc/vmallocinfo", reads, (long) "/proc/vmallocinfo" },
    { "write /proc/sysrq-trigger", opens_to_write,
      (long) "/proc/sysrq-trigger" },
    { "write core_pattern", opens_to_write,
      (long) "/proc/sys/kernel/core_pattern" },
    { "write modprobe", opens_to_write, (long) "/proc/sys/kernel/modprobe" },
    { "write own uid_map", opens_to_write, (long) "/proc/self/uid_map" },
    { "list /sys", lists, (long) "/sys" },
    { "list /run", lists, (long) "/run" },
    { "list /var", lists, (long) "/var" },
    { "list /home", lists, (long) "/home" },
    { "list /root", lists, (long) "/root" },
    { "list /boot", lists, (long) "/boot" },
    { "read /etc/shadow", reads, (long) "/etc/shadow" },
    { "read /etc/hostname", reads, (long) "/etc/hostname" },
    { "read /etc/machine-id", reads, (long) "/etc/machine-id" },
};


/* The addresses of the kernel, locks, keys: files that are there, with what
   must not be in them. */
static void
masked(void)
{
    const char *line;

    line = content("/proc/kallsyms");
    probe_say("kernel addresses", strncmp(line, "0000000000000000", 16) == 0
              || line[0] == '\0' || line[0] == 'E' ? "hidden" : "shown");
    probe_say("locks", content("/proc/locks")[0] ? "shown" : "hidden");
    probe_say("keys", content("/proc/keys")[0] ? "shown" : "hidden");
    probe_say("key users", content("/proc/key-users")[0] ? "shown" : "hidden");
    probe_say("boot line", content("/proc/cmdline")[0] ? "shown" : "hidden");
}


static void
others(void)
{
    DIR           *dir = opendir("/proc");
    int            count = 0;
    long           pid;
    struct dirent *entry;
    struct statfs  fs;

    while (dir && (entry = readdir(dir)) != NULL) {
        pid = strtol(entry->d_name, NULL, 10);
        count += pid > 1 && pid != getpid() && pid != getppid();
    }
    if (dir) {
        (void) closedir(dir);
    }
    probe_say("other processes", count ? "seen" : "none");

    probe_say("proc is proc", statfs("/proc", &fs) == 0
              && (unsigned long) fs.f_type == PROC_SUPER_MAGIC
              ? "yes" : "no");
}


/* Everything there is: where a file can be made, sockets, set-id files that
   work, what can be written below /proc. */

typedef struct {
    const char  *check;
    size_t       count;
} list_t;

static list_t writable = { .check = "writable directories" };
static list_t listening = { .check = "sockets in view" };
static list_t set_id = { .check = "set-id files that work" };
static list_t settings = { .check = "writable settings" };


static void
note(list_t *list, const char *path)
{
    list->count++;
    probe_say(list->check, path[0] ? path : "/");
}


static void
try_directory(const char *path)
{
    int  fd;
    char name[4200];

    if (probe_control) {        /* nothing is left behind */
        if (access(path, W_OK) == 0) {
            note(&writable, path);
        }
        return;
    }

    (void) snprintf(name, sizeof(name), "%s/codr-probe-%d", path,
                    (int) getpid());
    fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd >= 0) {
        (void) close(fd);
        (void) unlink(name);
        note(&writable, path);
    }
}


static void
look(const char *path, const struct stat *st, bool in_proc)
{
    int           fd;
    struct statfs fs;

    if (S_ISSOCK(st->st_mode)) {
        note(&listening, path);
    }
    if (S_ISREG(st->st_mode) && (st->st_mode & (S_ISUID | S_ISGID))
        && statfs(path, &fs) == 0 && !(fs.f_flags & 2 /* ST_NOSUID */))
    {
        note(&set_id, path);
    }
    if (in_proc && S_ISREG(st->st_mode)) {
        fd = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
        if (fd >= 0) {
            (void) close(fd);
            note(&settings, path);
        }
    }
}


/* Of processes nothing: theirs is theirs, and our own may be written. */
static bool
is_walked(const char *path)
{
    if (strncmp(path, "/proc/", 6) != 0) {
        return true;
    }

    return strncmp(path, "/proc/sys", 9) == 0
           || (!probe_control && path[6] >= 'a'
               && strncmp(path, "/proc/self", 10) != 0
               && strncmp(path, "/proc/thread-self", 17) != 0);
}


static void
walk(const char *path, int depth)
{
    DIR           *dir = opendir(path[0] ? path : "/");
    char           name[4096];
    struct stat    st;
    struct dirent *entry;

    if (dir == NULL) {
        return;
    }
    try_directory(path);

    while ((entry = readdir(dir)) != NULL) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0
            || (size_t) snprintf(name, sizeof(name), "%s/%s", path,
                                 entry->d_name) >= sizeof(name)
            || !is_walked(name) || lstat(name, &st) == -1)
        {
            continue;
        }
        look(name, &st, strncmp(name, "/proc/", 6) == 0);
        if (S_ISDIR(st.st_mode)
            && depth < (strncmp(name, "/usr", 4) == 0 ? DEPTH_USR : DEPTH))
        {
            walk(name, depth + 1);
        }
    }

    (void) closedir(dir);
}


/* Outside a few places are enough. */
static void
tree(void)
{
    size_t             i;
    list_t            *lists_of[] = {
        &writable, &listening, &set_id, &settings,
    };
    const char *const  places[] = { "/tmp", "/usr/bin", "/proc/sys" };

    if (!probe_control) {
        walk("", 0);
    }
    for (i = 0; probe_control && i < LENGTH(places); i++) {
        walk(places[i], DEPTH - 2);
    }
    for (i = 0; i < LENGTH(lists_of); i++) {
        if (lists_of[i]->count == 0) {
            probe_say(lists_of[i]->check, "none");
        }
    }
}


static void
run(const char *group)
{
    if (strcmp(group, "self") == 0) {
        self();
    } else if (strcmp(group, "mounts") == 0) {
        mounts();
    } else if (strcmp(group, "dev") == 0) {
        devices();
    } else if (strcmp(group, "proc") == 0) {
        probe_rows(secrets, LENGTH(secrets));
        masked();
        others();
    } else if (strcmp(group, "tree") == 0) {
        tree();
    } else {
        probe_say(group, "no such group");
    }
}


int
main(int argc, char **argv)
{
    return probe_main(argc, argv, run);
}
