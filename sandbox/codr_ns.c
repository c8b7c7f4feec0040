/*
 * Namespaces of the spawner and of inits.  Runs in the spawner, in init before
 * it gives up its privileges, and in the probes of --check.  Must never leave
 * a slot in a network namespace that another slot has used.
 */

#define _GNU_SOURCE

#include "codr_ns.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "codr_io.h"
#include "codr_util.h"

#define KEPT_BELOW  512         /* descriptors of counters */


pid_t
codr_ns_clone(unsigned long flags, int cgroup)
{
    long              rc;
    struct clone_args args = {
        .flags = flags,
        .exit_signal = flags & CLONE_PARENT ? 0 : SIGCHLD,
    };

    if (cgroup >= 0) {
        args.flags |= CLONE_INTO_CGROUP;
        args.cgroup = (__u64) cgroup;
    }

    rc = syscall(SYS_clone3, &args, sizeof(args));

    return rc == -1 ? -errno : (pid_t) rc;
}


/* The files of the counters that a program without rights can move: those of
   ways that are not there, and of sockets: one that was sent over another, and
   never taken, outlives its last process for some milliseconds, with its
   name or port.  (What else is in that file is of the whole host.) */
static const struct {
    const char  *path;
    char         end;           /* of what counts */
} counters[CODR_NS_COUNTERS] = {
    { "/proc/self/net/snmp", '\0' },
    { "/proc/self/net/snmp6", '\0' },
    { "/proc/self/net/sockstat", '\n' },
};


/* It goes on being of the namespace that the caller is in now. */
static int
open_counter(size_t i)
{
    return open(counters[i].path, O_RDONLY | O_CLOEXEC);
}


/* A sum of a text, by words: all of it is read for each job. */
static uint64_t
add_text(uint64_t sum, const char *text, size_t len)
{
    size_t   i, n;
    uint64_t word;

    for (i = 0; i < len; i += n) {
        n = len - i < sizeof(word) ? len - i : sizeof(word);
        word = 0;
        memcpy(&word, text + i, n);
        sum = (sum ^ word) * 1099511628211ULL;
        sum = sum << 29 | sum >> 35;
    }

    return sum;
}


/* A sum of what a file says, up to this character. */
static uint64_t
add_counts(uint64_t sum, int fd, char end)
{
    char        text[4096];
    off_t       at = 0;
    ssize_t     n;
    const char *last;

    while (fd >= 0 && (n = pread(fd, text, sizeof(text), at)) > 0) {
        last = memchr(text, end, (size_t) n);
        sum = add_text(sum, text, last ? (size_t) (last - text) : (size_t) n);
        if (last || n < (ssize_t) sizeof(text)) {
            break;              /* the kernel writes such a file in one piece */
        }
        at += n;
    }

    return sum;
}


/* In the namespace, where its files are not kept open. */
static uint64_t
net_counts(const codr_ns_net_t *net)
{
    int      fd;
    size_t   i;
    uint64_t sum = 14695981039346656037ULL;

    for (i = 0; i < CODR_NS_COUNTERS; i++) {
        fd = net->counters[i] >= 0 ? net->counters[i] : open_counter(i);
        sum = add_counts(sum, fd, counters[i].end);
        if (net->counters[i] < 0) {
            codr_close(&fd);
        }
    }

    return sum;
}


/* To open one costs as much as to read it; but each is copied for a clone. */
static void
keep_counters(codr_ns_net_t *net)
{
    size_t i;

    for (i = 0; i < CODR_NS_COUNTERS; i++) {
        net->counters[i] = open_counter(i);
        if (net->counters[i] > KEPT_BELOW) {
            codr_close(&net->counters[i]);
        }
    }
}


static void
give_net_up(codr_ns_net_t *net)
{
    size_t i;

    for (i = 0; i < CODR_NS_COUNTERS; i++) {
        codr_close(&net->counters[i]);
    }
    codr_close(&net->fd);
}


int
codr_ns_enter_net(codr_ns_net_t *net)
{
    int fd;

    if (net->fd >= 0) {
        return setns(net->fd, CLONE_NEWNET) == -1 ? -errno : 0;
    }

    if (unshare(CLONE_NEWNET) == -1) {
        return -errno;
    }
    fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    if (fd == -1) {
        return -errno;
    }

    net->fd = fd;
    keep_counters(net);
    net->counts = net_counts(net);
    return 0;
}


static bool
has_all_counters(const codr_ns_net_t *net)
{
    size_t i;

    for (i = 0; i < CODR_NS_COUNTERS && net->counters[i] >= 0; i++) {
        continue;
    }

    return i == CODR_NS_COUNTERS;
}


void
codr_ns_check_net(codr_ns_net_t *net)
{
    if (net->fd < 0) {
        return;
    }

    if ((!has_all_counters(net) && setns(net->fd, CLONE_NEWNET) == -1)
        || net_counts(net) != net->counts)
    {
        give_net_up(net);
    }
}


int
codr_ns_hold_mounts(pid_t pid)
{
    char path[32];

    (void) snprintf(path, sizeof(path), "/proc/%d/ns/mnt", (int) pid);

    return open(path, O_RDONLY | O_CLOEXEC);
}


int
codr_ns_join(int mounts, int ipc)
{
    if ((ipc >= 0 && setns(ipc, CLONE_NEWIPC) == -1)
        || (mounts >= 0 && setns(mounts, CLONE_NEWNS) == -1))
    {
        return -errno;
    }

    return 0;
}


static int
write_file(const char *path, const char *text)
{
    codr_cleanup_close int fd = open(path, O_WRONLY | O_CLOEXEC);

    if (fd == -1) {
        return -errno;
    }

    return codr_io_write_all(fd, text, strlen(text));
}


int
codr_ns_map(uid_t inner_uid, uid_t outer_uid, gid_t inner_gid,
    gid_t outer_gid)
{
    int  rc;
    char text[64];

    /* the kernel wants it before gid_map: a group may also take rights away */
    rc = write_file("/proc/self/setgroups", "deny");
    if (rc != 0 && rc != -ENOENT) {
        return rc;
    }

    (void) snprintf(text, sizeof(text), "%u %u 1\n", inner_uid, outer_uid);
    rc = write_file("/proc/self/uid_map", text);
    if (rc != 0) {
        return rc;
    }

    (void) snprintf(text, sizeof(text), "%u %u 1\n", inner_gid, outer_gid);
    return write_file("/proc/self/gid_map", text);
}
