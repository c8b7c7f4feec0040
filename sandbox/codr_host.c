/*
 * What --check finds out beside the layers.  Nothing of it decides whether
 * jobs can run: each item has a word about what is lost without it.
 */

#define _GNU_SOURCE

#include "codr_host.h"

#include <ctype.h>
#include <dirent.h>
#include <inttypes.h>
#include <limits.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "codr_landlock.h"
#include "codr_uid.h"
#include "codr_util.h"

#define FILES_ENOUGH    8192
#define MEMORY_ENOUGH   512             /* MB */
#define VULNERABILITIES "/sys/devices/system/cpu/vulnerabilities"

typedef struct {
    const char  *name;
    const char  *meaning;
    const char  *advice;
    bool       (*look)(char *found, size_t size);
} look_t;


/* Found is our own words and, at most, a path or a word of the kernel's. */
static void
clean(char *text)
{
    for ( ; *text; text++) {
        if (iscntrl((unsigned char) *text) || *text == '"' || *text == '\\') {
            *text = '?';
        }
    }
}


static bool
look_kernel(char *found, size_t size)
{
    int            abi = codr_landlock_abi();
    struct utsname name;

    if (uname(&name) == -1) {
        return false;
    }

    (void) snprintf(found, size, "Linux %.64s, Landlock ABI %d", name.release,
                    abi > 0 ? abi : 0);
    return true;
}


static bool
look_beside(const char *file, int mode, char *found, size_t size)
{
    char path[PATH_MAX];
    bool there;

    if (codr_beside(path, sizeof(path), file) != 0) {
        return false;
    }

    there = access(path, mode) == 0;
    (void) snprintf(found, size, "%.80s%s", path, there ? "" : " is missing");
    return there;
}


/* The same that nginx asks of it before it starts it. */
static bool
look_helper(char *found, size_t size)
{
    char        path[PATH_MAX];
    struct stat st;

    if (codr_beside(path, sizeof(path), "codr-sandboxd") != 0
        || stat(path, &st) == -1)
    {
        (void) snprintf(found, size, "not under its own name");
        return false;
    }
    if (st.st_uid != 0 && st.st_uid != geteuid()) {
        (void) snprintf(found, size, "%.80s is somebody else's", path);
        return false;
    }
    if (st.st_mode & 022) {
        (void) snprintf(found, size, "%.80s can be written by others", path);
        return false;
    }

    (void) snprintf(found, size, "%.80s", path);
    return true;
}


static bool
look_validator(char *found, size_t size)
{
    return look_beside("codr-validator", X_OK, found, size);
}


static bool
look_policies(char *found, size_t size)
{
    return look_beside("policies", R_OK | X_OK, found, size);
}


static bool
look_shortcut(char *found, size_t size)
{
    return look_beside("codr-shortcut", X_OK, found, size);
}


/* A zygote's clones live in a user namespace, also when we are root. */
static bool
look_zygote(const char *library, char *found, size_t size)
{
    int   status = -1;
    pid_t pid;

    if (!look_beside(library, R_OK, found, size)) {
        return false;
    }

    pid = fork();
    if (pid == 0) {
        _exit(unshare(CLONE_NEWUSER) == 0 ? 0 : 1);
    }
    if (pid > 0 && waitpid(pid, &status, 0) == pid && status == 0) {
        return true;
    }

    (void) snprintf(found, size, "no user namespace can be made");
    return false;
}


static bool
look_python(char *found, size_t size)
{
    return look_zygote("codr-zygote-python.so", found, size);
}


static bool
look_node(char *found, size_t size)
{
    return look_zygote("codr-zygote-node.so", found, size);
}


static bool
look_run_directory(char *found, size_t size)
{
    codr_cleanup_close int fd = -1;

    if (geteuid() != 0) {
        (void) snprintf(found, size, "not needed without root");
        return true;
    }

    fd = codr_uid_run_dir();
    (void) snprintf(found, size, fd < 0 ? "/run/codr cannot be used"
                                        : "/run/codr");
    return fd >= 0;
}


/* Field of a line "a:b:c", from 0; UINT64_MAX where it is no number. */
static uint64_t
field(const char *line, int n)
{
    char    *end;
    uint64_t value;

    while (n-- > 0) {
        line = strchr(line, ':');
        if (line == NULL) {
            return UINT64_MAX;
        }
        line++;
    }

    value = strtoull(line, &end, 10);
    return end == line ? UINT64_MAX : value;
}


/* Whether a line of the file names a uid of ours; count: its own field, or
   0 where each line has one uid. */
static bool
names_ours(const char *path, int first, int count)
{
    char     line[1024];
    bool     ours = false;
    FILE    *in = fopen(path, "re");
    uint64_t base = CODR_UID_BASE, end, at, to;

    end = base + CODR_UID_COUNT;

    while (in && !ours && fgets(line, sizeof(line), in)) {
        at = field(line, first);
        to = count ? field(line, count) : 1;
        ours = at != UINT64_MAX && to != UINT64_MAX && at < end
               && (at >= base || to > base - at);
    }

    if (in) {
        (void) fclose(in);
    }
    return ours;
}


static bool
look_uids(char *found, size_t size)
{
    const char *by = NULL;

    if (names_ours("/etc/passwd", 2, 0)) {
        by = "/etc/passwd";
    } else if (names_ours("/etc/subuid", 1, 2)) {
        by = "/etc/subuid";
    }

    (void) snprintf(found, size, "%" PRIu32 " to %" PRIu32 "%s%s",
                    (uint32_t) CODR_UID_BASE,
                    (uint32_t) (CODR_UID_BASE
                                + CODR_UID_COUNT - 1),
                    by ? ", also used by " : "", by ? by : "");
    return by == NULL;
}


static bool
look_files(char *found, size_t size)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == -1) {
        return false;
    }

    (void) snprintf(found, size, "at most %" PRIu64,
                    (uint64_t) limit.rlim_max);
    return limit.rlim_max >= FILES_ENOUGH;
}


static bool
look_memory(char *found, size_t size)
{
    long     pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
    uint64_t mb = (uint64_t) pages * (uint64_t) page / (1024 * 1024);

    if (pages < 0 || page < 0) {
        return false;
    }

    (void) snprintf(found, size, "%" PRIu64 " MB", mb);
    return mb >= MEMORY_ENOUGH;
}


/* A handler of core dumps sees whatever crashes, unless the limit is 1. */
static bool
look_core_dumps(char *found, size_t size)
{
    char          pattern[64];
    FILE         *in = fopen("/proc/sys/kernel/core_pattern", "re");
    bool          piped;
    struct rlimit limit;

    if (in == NULL || fgets(pattern, sizeof(pattern), in) == NULL
        || getrlimit(RLIMIT_CORE, &limit) == -1)
    {
        pattern[0] = '\0';
        limit.rlim_max = 1;
    }
    if (in) {
        (void) fclose(in);
    }

    piped = pattern[0] == '|';
    (void) snprintf(found, size, "%s, the hard limit is %s",
                    piped ? "a program gets them" : "they are files",
                    limit.rlim_max == 0 ? "0" : "above 0");
    return !piped || limit.rlim_max != 0;
}


/* The kernel's own word about each known weakness of this processor. */
static bool
look_processor(char *found, size_t size)
{
    DIR           *dir = opendir(VULNERABILITIES);
    char           path[PATH_MAX], word[16];
    FILE          *in;
    size_t         used = 0;
    struct dirent *entry;

    found[0] = '\0';

    while (dir && (entry = readdir(dir)) != NULL) {
        if (snprintf(path, sizeof(path), VULNERABILITIES "/%s", entry->d_name)
            >= (int) sizeof(path) || entry->d_name[0] == '.')
        {
            continue;
        }
        in = fopen(path, "re");
        if (in && fgets(word, sizeof(word), in)
            && strncmp(word, "Vulnerable", 10) == 0 && used < size)
        {
            used += (size_t) snprintf(found + used, size - used, "%s%s",
                                      used ? " " : "vulnerable: ",
                                      entry->d_name);
        }
        if (in) {
            (void) fclose(in);
        }
    }
    if (dir) {
        (void) closedir(dir);
    }
    if (used == 0) {
        (void) snprintf(found, size, "%s", dir ? "no open weakness is known"
                                               : "the kernel does not tell");
    }

    return used == 0;
}


static const look_t looks[] = {
    { "kernel", "what all sandboxes of this host share",
      "keep it up to date: a bug of it is the way out", look_kernel },
    { "helper", "nginx starts no helper that others could replace",
      "chown root, chmod 755", look_helper },
    { "validator", "programs are checked against policies",
      "install codr-validator beside codr-sandboxd; without it programs are "
      "refused where codr_policy is not off", look_validator },
    { "policies", "the rules programs are checked against",
      "install them beside codr-sandboxd, or name them with codr_policies",
      look_policies },
    { "shortcut", "C and C++ compile sooner",
      "install codr-shortcut beside codr-sandboxd", look_shortcut },
    { "python_zygote", "Python programs start from a warm interpreter",
      "install codr-zygote-python.so beside codr-sandboxd, and let "
      "user.max_user_namespaces be above 0", look_python },
    { "node_zygote", "JavaScript programs start from a warm interpreter",
      "install codr-zygote-node.so beside codr-sandboxd, and let "
      "user.max_user_namespaces be above 0", look_node },
    { "run_directory", "helpers of one host do not share uids and cgroups",
      "/run/codr must be root's, and nobody else may write there",
      look_run_directory },
    { "uid_range", "uids of jobs are nobody else's",
      "choose another range with codr_uids", look_uids },
    { "descriptors", "bounds how many sockets and jobs there can be",
      "raise the hard limit (LimitNOFILE of a unit)", look_files },
    { "core_dumps", "no program of this host is given what crashes in a job",
      "raise the hard limit of core files above 0 (LimitCORE of a unit): only "
      "then it can be 1 for jobs, which is what keeps a handler away",
      look_core_dumps },
    { "memory", "codr_total is 70% of it unless told otherwise",
      "lower codr_max_jobs and codr_memory", look_memory },
    { "processor", "programs do not read foreign memory through the CPU",
      "update firmware and kernel, keep the kernel's mitigations on, or give "
      "jobs a machine of their own", look_processor },
};


size_t
codr_host_look(codr_host_item_t ret[CODR_HOST_MAX])
{
    size_t i;

    _Static_assert(CODR_ARRAY_LEN(looks) <= CODR_HOST_MAX, "room for all");

    for (i = 0; i < CODR_ARRAY_LEN(looks); i++) {
        ret[i] = (codr_host_item_t) {
            .name = looks[i].name,
            .meaning = looks[i].meaning,
            .advice = looks[i].advice,
        };
        ret[i].good = looks[i].look(ret[i].found, sizeof(ret[i].found));
        clean(ret[i].found);
    }

    return CODR_ARRAY_LEN(looks);
}
