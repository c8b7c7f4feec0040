/*
 * What of the kernel answers: every number of a system call by each way into
 * the kernel, and arguments that are refused.  One line of JSON a check;
 * bench.t compares a job's lines with t/sandbox/golden and with those of the
 * same program outside, which is told so by its first argument.
 *
 *     probe_calls [--control] native|x32|int80|arguments ...
 */

#define _GNU_SOURCE

#include "probe.h"

#include <linux/filter.h>
#include <linux/ioprio.h>
#include <linux/prctl.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#define NUMBERS         601
#define X32             0x40000000L
#define HIGH            (1L << 32)      /* the half that an int leaves out */
#define MANY_LOCKED     (64UL << 20)
#define LENGTH(array)   (sizeof(array) / sizeof((array)[0]))



/*
 * System calls.  Every argument is -1: no call does anything with that.  These
 * would end the probe, never return, or leave something; Linux 6.14 shows 335
 * and 336 to no filter, and kills.
 */
static const long not_called[] = {
    SYS_exit, SYS_exit_group, SYS_pause, SYS_vfork, SYS_rt_sigreturn,
    SYS_restart_syscall, SYS_msgget, 335, 336,
};


static bool
is_called(long number)
{
    size_t i;

    for (i = 0; i < LENGTH(not_called); i++) {
        if (number == not_called[i]) {
            return false;
        }
    }

    return true;
}


static long
native(long number)
{
    return syscall(number, -1L, -1L, -1L, -1L, -1L, -1L);
}


static long
int80(long number)
{
    long result = -1;

#if defined(__x86_64__)
    __asm__ volatile ("int $0x80" : "=a" (result)
                      : "a" (number), "b" (-1L), "c" (-1L), "d" (-1L),
                        "S" (-1L), "D" (-1L)
                      : "memory", "r8", "r9", "r10", "r11");
    if (result < 0 && result > -4096) {
        errno = (int) -result;
        return -1;
    }
#else
    errno = ENOSYS;
    (void) number;
#endif

    return result < 0 ? 0 : result;
}


static void
sweep(const char *entry, probe_attempt_t attempt, long bit)
{
    long n;
    char name[32];

    for (n = 0; n < NUMBERS; n++) {
        if (bit == 0 && attempt == native && !is_called(n)) {
            continue;
        }
        (void) snprintf(name, sizeof(name), "%s %ld", entry, n);
        probe_say(name, probe_try(attempt, n | bit));
    }
}


/*
 * The other ways in: a number of theirs is another call by another name, so
 * outside of a sandbox only one that does nothing is tried.
 */
static void
other_entry(const char *entry, probe_attempt_t attempt, long bit, long harmless)
{
    char name[32];

    if (!probe_control) {
        sweep(entry, attempt, bit);
        return;
    }

    (void) snprintf(name, sizeof(name), "%s %ld", entry, harmless);
    probe_say(name, probe_try(attempt, harmless | bit));
}


/* Namespaces. */

static long
clone_with(long flag)
{
    long pid = syscall(SYS_clone, flag | SIGCHLD, 0L, 0L, 0L, 0L);

    if (pid == 0) {
        _exit(0);
    }

    return pid;
}


static long
unshare_with(long flag)
{
    return unshare((int) flag);
}


static void *
in_thread(void *flag)
{
    return unshare((int) (intptr_t) flag) == -1 ? (void *) (intptr_t) errno
                                                : NULL;
}


static long
thread_unshare(long flag)
{
    void      *result = NULL;
    pthread_t  thread;

    if (pthread_create(&thread, NULL, in_thread, (void *) (intptr_t) flag)
        != 0)
    {
        errno = EAGAIN;
        return -1;
    }
    (void) pthread_join(thread, &result);
    errno = (int) (intptr_t) result;

    return result ? -1 : 0;
}


static long
vfork_unshare(long flag)
{
    int   status = 0;
    pid_t pid = vfork();

    if (pid == 0) {
        _exit(unshare((int) flag) == -1 ? errno : 0);
    }
    (void) waitpid(pid, &status, 0);
    errno = WEXITSTATUS(status);

    return errno ? -1 : 0;
}


static long
setns_own(long unused)
{
    (void) unused;
    return setns(open("/proc/self/ns/uts", O_RDONLY), 0);
}


static long
clone3_with(long flags)
{
    uint64_t args[8] = { (uint64_t) flags, 0, 0, 0, SIGCHLD };
    long     pid = syscall(SYS_clone3, args, sizeof(args));

    if (pid == 0) {
        _exit(0);
    }

    return pid;
}


static const probe_row_t namespaces[] = {
    { "clone mount", clone_with, CLONE_NEWNS },
    { "clone cgroup", clone_with, CLONE_NEWCGROUP },
    { "clone uts", clone_with, CLONE_NEWUTS },
    { "clone ipc", clone_with, CLONE_NEWIPC },
    { "clone user", clone_with, CLONE_NEWUSER },
    { "clone pid", clone_with, CLONE_NEWPID },
    { "clone net", clone_with, CLONE_NEWNET },
    { "clone none", clone_with, 0 },
    { "clone3 user", clone3_with, CLONE_NEWUSER },
    { "clone3 none", clone3_with, 0 },
    { "unshare mount", unshare_with, CLONE_NEWNS },
    { "unshare cgroup", unshare_with, CLONE_NEWCGROUP },
    { "unshare uts", unshare_with, CLONE_NEWUTS },
    { "unshare ipc", unshare_with, CLONE_NEWIPC },
    { "unshare user", unshare_with, CLONE_NEWUSER },
    { "unshare pid", unshare_with, CLONE_NEWPID },
    { "unshare net", unshare_with, CLONE_NEWNET },
    { "unshare time", unshare_with, 0x80 },
    { "unshare high bits", unshare_with, CLONE_NEWUSER | HIGH },
    { "unshare in a thread", thread_unshare, CLONE_NEWNS },
    { "unshare in a vfork", vfork_unshare, CLONE_NEWUSER },
    { "setns own", setns_own, 0 },
};


/* Terminals and other devices. */

static long
inject(long request)
{
    int  master = open("/dev/ptmx", O_RDWR | O_NOCTTY), slave, unlock = 0;
    char byte = 'x';

    (void) ioctl(master, TIOCSPTLCK, &unlock);
    slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY);
    return syscall(SYS_ioctl, slave, request, &byte);
}


static long
make_node(long mode)
{
    long rc = mknod("probe-node", (mode_t) mode | 0600, makedev(1, 3));

    if (rc == 0) {
        (void) unlink("probe-node");
    }

    return rc;
}


/* Files. */

static int
own_file(void)
{
    int fd = open("probe-file", O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    (void) unlink("probe-file");
    return fd;
}


static long
lease(long command)
{
    return fcntl(own_file(), (int) command, F_WRLCK);
}


static long
watch_directory(long flags)
{
    return fcntl(open("/usr/bin", O_RDONLY), F_NOTIFY, flags);
}


static long
hard_link(long unused)
{
    (void) unused;
    if (link("/usr/bin/env", "probe-link") == -1) {
        return -1;
    }

    return unlink("probe-link");
}


/* It is a mount point, and its parent is read-only. */
static long
move_home(long unused)
{
    char        cwd[4096], to[4200];
    const char *from = getcwd(cwd, sizeof(cwd));

    (void) unused;
    if (from == NULL) {
        return -1;
    }
    (void) snprintf(to, sizeof(to), "%s.moved", from);
    if (rename(from, to) == -1) {
        return -1;
    }

    return rename(to, from);
}


static long
attribute(long name)
{
    int fd = own_file();

    return fsetxattr(fd, (const char *) name, "x", 1, 0);
}


static long
immutable(long flag)
{
    int fd = own_file(), flags = (int) flag;

    return ioctl(fd, _IOW('f', 2, long), &flags);
}


static long
mount_over(long unused)
{
    (void) unused;
    return syscall(SYS_mount, "none", "/tmp", "nonesuch", 0L, NULL) == -1
           && errno == ENODEV ? 0 : -1;
}


static const probe_row_t files[] = {
    { "ioctl TIOCSTI", inject, TIOCSTI },
    { "ioctl TIOCSTI high bits", inject, TIOCSTI | HIGH },
    { "ioctl TIOCLINUX", inject, TIOCLINUX },
    { "ioctl TIOCLINUX high bits", inject, TIOCLINUX | HIGH },
    { "ioctl TIOCSETD", inject, TIOCSETD },
    { "ioctl TIOCCONS", inject, TIOCCONS },
    { "node char", make_node, S_IFCHR },
    { "node block", make_node, S_IFBLK },
    { "node fifo", make_node, S_IFIFO },
    { "fcntl F_SETLEASE", lease, F_SETLEASE },
    { "fcntl F_NOTIFY", watch_directory, DN_ACCESS },
    { "link to /usr", hard_link, 0 },
    { "rename the box", move_home, 0 },
    { "xattr security", attribute, (long) "security.probe" },
    { "xattr trusted", attribute, (long) "trusted.probe" },
    { "immutable file", immutable, 0x10 },
    { "mount a file system", mount_over, 0 },
};


/* Processes.  Inside, the victim is init; outside, a child of ours. */

static pid_t
victim(void)
{
    pid_t pid;

    if (!probe_control) {
        return 1;
    }

    pid = fork();
    if (pid == 0) {
        (void) alarm(PROBE_SECONDS);
        (void) pause();
        _exit(0);
    }

    return pid;
}


static long
spare(pid_t pid, long rc)
{
    int error = errno;

    if (pid > 1) {
        (void) kill(pid, SIGKILL);
    }
    errno = error;

    return rc;
}


static long
limit_other(long resource)
{
    pid_t         pid = victim();
    struct rlimit limit = { 1, 1 };

    return spare(pid, prlimit(pid, (__rlimit_resource_t) resource, &limit,
                              NULL));
}


static long
affinity_other(long unused)
{
    pid_t     pid = victim();
    cpu_set_t set;

    (void) unused;
    CPU_ZERO(&set);
    CPU_SET(0, &set);
    return spare(pid, sched_setaffinity(pid, sizeof(set), &set));
}


static long
scheduler_other(long policy)
{
    pid_t              pid = victim();
    struct sched_param param = { 0 };

    return spare(pid, sched_setscheduler(pid, (int) policy, &param));
}


static long
priority_other(long value)
{
    pid_t pid = victim();

    return spare(pid, setpriority(PRIO_PROCESS, (id_t) pid, (int) value));
}


static long
io_other(long class)
{
    pid_t pid = victim();

    return spare(pid, syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, pid,
                              IOPRIO_PRIO_VALUE((int) class, 7)));
}


static long
trace_other(long request)
{
    pid_t pid = victim();

    return spare(pid, ptrace((enum __ptrace_request) request, pid, 0, 0));
}


static long
real_time(long policy)
{
    struct sched_param param = { 1 };

    return sched_setscheduler(0, (int) policy, &param);
}


static long
higher(long value)
{
    return setpriority(PRIO_PROCESS, 0, (int) value);
}


static long
io_class(long class)
{
    return syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0,
                   IOPRIO_PRIO_VALUE((int) class, 0));
}


static long
no_randomization(long bits)
{
    return personality((unsigned long) bits);
}


static long
prctl_with(long option)
{
    return prctl((int) option, 1, 0, 0, 0) == -1 && errno != EINVAL
           && errno != EFAULT && errno != ENODEV && errno != ESRCH ? -1 : 0;
}


static long
lock_memory(long size)
{
    void *p = mmap(NULL, (size_t) size, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    return p == MAP_FAILED ? -1 : mlock(p, (size_t) size);
}


static long
add_filter(long flags)
{
    struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    struct sock_fprog  program = { 1, &allow };

    (void) prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
}


static long
merge(long advice)
{
    size_t  size = 1 << 16;
    void   *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    return madvise(p, size, (int) advice);
}


static long
become_root(long unused)
{
    (void) unused;
    return setresuid(0, 0, 0);
}


static const probe_row_t processes[] = {
    { "limit CPU of init", limit_other, RLIMIT_CPU },
    { "limit files of init", limit_other, RLIMIT_NOFILE },
    { "affinity of init", affinity_other, 0 },
    { "scheduler of init", scheduler_other, SCHED_IDLE },
    { "priority of init", priority_other, 19 },
    { "io priority of init", io_other, IOPRIO_CLASS_IDLE },
    { "trace init", trace_other, PTRACE_ATTACH },
    { "seize init", trace_other, PTRACE_SEIZE },
    { "real time fifo", real_time, SCHED_FIFO },
    { "real time rr", real_time, SCHED_RR },
    { "negative nice", higher, -5 },
    { "more nice", higher, 19 },
    { "io real time", io_class, IOPRIO_CLASS_RT },
    { "personality", no_randomization, ADDR_NO_RANDOMIZE },
    { "personality high bits", no_randomization, ADDR_NO_RANDOMIZE | HIGH },
    { "prctl SET_MM", prctl_with, PR_SET_MM },
    { "prctl SECCOMP", prctl_with, PR_SET_SECCOMP },
    { "prctl SCHED_CORE", prctl_with, 62 },
    { "prctl KEEPCAPS", prctl_with, PR_SET_KEEPCAPS },
    { "prctl SECUREBITS", prctl_with, PR_SET_SECUREBITS },
    { "lock much memory", lock_memory, MANY_LOCKED },
    { "filter", add_filter, 0 },
    { "filter with a listener", add_filter, SECCOMP_FILTER_FLAG_NEW_LISTENER },
    { "merge memory", merge, MADV_MERGEABLE },
    { "become root", become_root, 0 },
};


static void
run(const char *group)
{
    if (strcmp(group, "native") == 0) {
        sweep("call", native, 0);
    } else if (strcmp(group, "x32") == 0) {
        other_entry("x32", native, X32, SYS_getpid);
    } else if (strcmp(group, "int80") == 0) {
        other_entry("int80", int80, 0, 20);
    } else if (strcmp(group, "arguments") == 0) {
        probe_rows(namespaces, LENGTH(namespaces));
        probe_rows(files, LENGTH(files));
        probe_rows(processes, LENGTH(processes));
    } else {
        probe_say(group, "no such group");
    }
}


int
main(int argc, char **argv)
{
    return probe_main(argc, argv, run);
}
