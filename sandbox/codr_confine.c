/*
 * The confinement of the roles that read hostile bytes, in the order in which
 * each step is still possible.  Whoever takes the broker over finds:
 * descriptors of running jobs, no file, no other process, no network, no way
 * to become anybody else.  The validator is confined likewise before it has
 * its first source.
 */

#define _GNU_SOURCE

#include "codr_confine.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <malloc.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "codr_io.h"
#include "codr_log.h"
#include "codr_sanitized.h"
#include "codr_util.h"


/*
 * What the broker calls.  Anything else fails with EPERM instead of killing:
 * a libc that takes another path one day then costs one job, not all of them.
 */
static const codr_confine_call_t allowed[] = {
    { SCMP_SYS(read),            "program output, timers" },
    { SCMP_SYS(write),           "program input, memfds" },
    { SCMP_SYS(writev),          "libc's last words" },
    { SCMP_SYS(lseek),           "dprintf() looks where it is" },
    { SCMP_SYS(pread64),         "cgroup files, the configuration" },
    { SCMP_SYS(recvfrom),        "log" },
    { SCMP_SYS(recvmsg),         "messages with descriptors" },
    { SCMP_SYS(sendto),          "job sockets, log" },
    { SCMP_SYS(sendmsg),         "messages with descriptors" },
    { SCMP_SYS(shutdown),        "end of a job socket" },
    { SCMP_SYS(accept4),         "the listening socket" },
    { SCMP_SYS(getsockopt),      "kind and peer of a socket" },
    { SCMP_SYS(close),           "everything" },
    { SCMP_SYS(pipe2),           "program streams" },
    { SCMP_SYS(memfd_create),    "source images, artefacts" },
    { SCMP_SYS(fcntl),           "seals, O_NONBLOCK, duplicates" },
    { SCMP_SYS(fchmod),          "seals" },
    { SCMP_SYS(fstat),           "size of a memfd" },
    { SCMP_SYS(newfstatat),      "how libc spells fstat" },
    { SCMP_SYS(epoll_ctl),       "event loop" },
    { SCMP_SYS(epoll_wait),      "event loop" },
    { SCMP_SYS(epoll_pwait),     "how some libcs spell it" },
    { SCMP_SYS(timerfd_settime), "deadlines" },
    { SCMP_SYS(clock_gettime),   "where the vdso has none" },
    { SCMP_SYS(getrandom),       "ids and tokens" },
    { SCMP_SYS(brk),             "malloc" },
    { SCMP_SYS(munmap),          "malloc" },
    { SCMP_SYS(mremap),          "malloc" },
    { SCMP_SYS(madvise),         "malloc" },
    { SCMP_SYS(futex),           "libc's locks" },
    { SCMP_SYS(rt_sigprocmask),  "abort()" },
    { SCMP_SYS(rt_sigaction),    "abort()" },
    { SCMP_SYS(rt_sigreturn),    "return of a signal handler" },
    { SCMP_SYS(getpid),          "abort()" },
    { SCMP_SYS(gettid),          "abort()" },
    { SCMP_SYS(tgkill),          "abort()" },
    { SCMP_SYS(restart_syscall), "the kernel's own" },
    { SCMP_SYS(exit),            "end" },
    { SCMP_SYS(exit_group),      "end" },
};

/* ioctl requests: a terminal's modes and window size, nothing else. */
static const uint64_t allowed_ioctls[] = {
    0x5401,     /* TCGETS */
    0x5414,     /* TIOCSWINSZ */
};


static void
die(const char *step)
{
    codr_log(CODR_LEVEL_FATAL, errno, "confine the role: %s", step);
    _exit(EXIT_FAILURE);
}


/* A directory that no longer exists is empty and stays so, even for root. */
static int
open_removed_directory(void)
{
    int    fd;
    size_t i;
    char   path[64];

    static const char *const places[] = { "/run", "/tmp", "/var/tmp" };

    for (i = 0; i < CODR_ARRAY_LEN(places); i++) {
        (void) snprintf(path, sizeof(path), "%s/codr-root-XXXXXX",
                        places[i]);
        if (mkdtemp(path) == NULL) {
            continue;
        }
        fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (rmdir(path) == 0 && fd != -1) {
            return fd;
        }
        codr_close(&fd);
    }

    return -1;
}


static bool
write_file(const char *path, const char *text)
{
    int  fd = open(path, O_WRONLY | O_CLOEXEC);
    bool written = fd != -1 && dprintf(fd, "%s", text) > 0;

    codr_close(&fd);
    return written;
}


/* Without root: a user namespace in which chroot() is ours to call. */
static bool
enter_user_namespace(uid_t uid, gid_t gid)
{
    char map[64];

    if (unshare(CLONE_NEWUSER) == -1) {
        return false;
    }

    (void) snprintf(map, sizeof(map), "%u %u 1", uid, uid);
    if (!write_file("/proc/self/uid_map", map)
        || !write_file("/proc/self/setgroups", "deny"))
    {
        return false;
    }

    (void) snprintf(map, sizeof(map), "%u %u 1", gid, gid);
    return write_file("/proc/self/gid_map", map);
}


static const char *
change_root(void)
{
    int fd = open_removed_directory();

    if (fd == -1) {
        die("make an empty directory");
    }

    if (fchdir(fd) == -1 || chroot(".") == -1) {
        codr_close(&fd);
        if (geteuid() == 0) {
            die("change the root directory");
        }
        return "no user namespace for this role: it keeps its root"
               " directory";
    }

    codr_close(&fd);
    return NULL;
}


/* While we are still root; without, there is nothing to bound. */
static void
drop_bounding_set(void)
{
    int cap;

    for (cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++) {
        if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) == -1 && geteuid() == 0) {
            die("bound capabilities");
        }
    }
}


static void
drop_capabilities(void)
{
    struct __user_cap_header_struct header = {
        .version = _LINUX_CAPABILITY_VERSION_3,
    };
    struct __user_cap_data_struct   none[2] = { { 0, 0, 0 }, { 0, 0, 0 } };

    if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) == -1
        || syscall(SYS_capset, &header, none) == -1)
    {
        die("drop capabilities");
    }
}


static void
change_user(uid_t uid, gid_t gid)
{
    if (geteuid() == 0 && uid != 0
        && (setgroups(0, NULL) == -1 || setresgid(gid, gid, gid) == -1
            || setresuid(uid, uid, uid) == -1))
    {
        die("change user");
    }

    if (getuid() != uid || geteuid() != uid || getgid() != gid
        || getegid() != gid)
    {
        errno = EPERM;
        die("verify user");
    }
}


/* Rules for nothing: what a kernel knows to restrict is out of reach. */
static void
restrict_files(void)
{
    int                            abi, ruleset;
    struct landlock_ruleset_attr   attr = { 0 };

    abi = (int) syscall(SYS_landlock_create_ruleset, NULL, 0,
                        LANDLOCK_CREATE_RULESET_VERSION);
    if (abi <= 0) {
        return;                 /* the spawner tells of the missing layer */
    }

    attr.handled_access_fs = LANDLOCK_ACCESS_FS_MAKE_SYM * 2 - 1;
    if (abi >= 2) {
        attr.handled_access_fs |= 1ULL << 13;           /* refer */
    }
    if (abi >= 3) {
        attr.handled_access_fs |= 1ULL << 14;           /* truncate */
    }

    ruleset = (int) syscall(SYS_landlock_create_ruleset, &attr,
                            sizeof(attr.handled_access_fs), 0);
    if (ruleset == -1
        || syscall(SYS_landlock_restrict_self, ruleset, 0) == -1)
    {
        die("restrict file access");
    }

    codr_close(&ruleset);
}


static int
add_rules(scmp_filter_ctx filter, const codr_confine_t *plan)
{
    int    result = 0;
    size_t i;

    for (i = 0; result == 0 && i < plan->calls; i++) {
        result = seccomp_rule_add(filter, SCMP_ACT_ALLOW,
                                  plan->call[i].number, 0);
    }

    for (i = 0; result == 0 && i < CODR_ARRAY_LEN(allowed); i++) {
        result = seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed[i].number,
                                  0);
    }

    for (i = 0; result == 0 && i < CODR_ARRAY_LEN(allowed_ioctls); i++) {
        result = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1,
                                  SCMP_A1(SCMP_CMP_MASKED_EQ, 0xffffffff,
                                          allowed_ioctls[i]));
    }

    if (result == 0) {
        result = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(setsockopt),
                                  2,
                                  SCMP_A1(SCMP_CMP_MASKED_EQ, 0xffffffff,
                                          SOL_SOCKET),
                                  SCMP_A2(SCMP_CMP_MASKED_EQ, 0xffffffff,
                                          SO_LINGER));
    }

    if (result == 0 && CODR_SANITIZED) {    /* before a process ends itself */
        result = seccomp_rule_add(filter, SCMP_ACT_ALLOW,
                                  SCMP_SYS(sigaltstack), 0);
    }

    /* memory never becomes code; sockets only in pairs within the helper */
    if (result == 0) {
        result = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1,
                                  SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
    }
    if (result == 0) {
        result = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mprotect),
                                  1,
                                  SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
    }
    if (result == 0) {
        result = seccomp_rule_add(filter, SCMP_ACT_ALLOW,
                                  SCMP_SYS(socketpair), 1,
                                  SCMP_A0(SCMP_CMP_EQ, AF_UNIX, 0));
    }

    return result;
}


static void
restrict_calls(const codr_confine_t *plan)
{
    int             result;
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));

    if (filter == NULL) {
        errno = ENOMEM;
        die("make the system call filter");
    }

    result = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH,
                              SCMP_ACT_KILL_PROCESS);
    if (result == 0) {
        result = seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
    }
    if (result == 0) {
        result = add_rules(filter, plan);
    }
    if (result == 0) {
        result = seccomp_load(filter);
    }
    seccomp_release(filter);
    (void) malloc_trim(0);      /* what the library used is used once */

    if (result < 0) {
        errno = -result;
        die("load the system call filter");
    }
}


const char *
codr_confine(const codr_confine_t *plan)
{
    const char *lacks;

    (void) umask(077);

    if (geteuid() != 0) {
        /* change_root() tells */
        (void) enter_user_namespace(plan->uid, plan->gid);
    }

    lacks = change_root();
    drop_bounding_set();
    change_user(plan->uid, plan->gid);
    drop_capabilities();

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1
        || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == -1)
    {
        die("give up privileges for good");
    }

    /* changing the user has cleared it */
    if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == -1) {
        die("tie it to its parent");
    }

    restrict_files();
    restrict_calls(plan);
    return lacks;
}
