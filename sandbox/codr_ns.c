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
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "codr_io.h"
#include "codr_util.h"


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


/* A sum of what a file says, up to this character. */
static uint64_t
add_counts(uint64_t sum, const char *path, char end)
{
    char                   text[1024];
    ssize_t                i, n;
    codr_cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC);

    while (fd >= 0 && (n = read(fd, text, sizeof(text))) > 0) {
        for (i = 0; i < n; i++) {
            if (text[i] == end) {
                return sum;
            }
            sum = (sum ^ (unsigned char) text[i]) * 1099511628211ULL;
        }
    }

    return sum;
}


/* A sum of the counters that a program without rights can move: those of ways
   that are not there, and of sockets: one that was sent over another, and
   never taken, outlives its last process for some milliseconds, with its
   name or port.  (What else is in that file is of the whole host.) */
static uint64_t
net_counts(void)
{
    uint64_t sum = 14695981039346656037ULL;

    sum = add_counts(sum, "/proc/self/net/snmp", '\0');
    sum = add_counts(sum, "/proc/self/net/snmp6", '\0');
    return add_counts(sum, "/proc/self/net/sockstat", '\n');
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
    net->counts = net_counts();
    return 0;
}


void
codr_ns_check_net(codr_ns_net_t *net)
{
    if (net->fd >= 0 && (setns(net->fd, CLONE_NEWNET) == -1
                         || net_counts() != net->counts))
    {
        codr_close(&net->fd);
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
