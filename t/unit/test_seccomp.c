/*
 * The system call table: complete for what libseccomp knows, without
 * duplicates, and doing in a process what its rows say.
 */

#define _GNU_SOURCE

#include "tap.h"

#include <errno.h>
#include <netinet/in.h>
#include <seccomp.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../sandbox/codr_seccomp.h"
#include "../../sandbox/codr_syscalls.h"

#define LAST_NUMBER     600


static const codr_syscall_t *
find(const char *name)
{
    size_t i;

    for (i = 0; i < codr_syscalls_count; i++) {
        if (strcmp(codr_syscalls[i].name, name) == 0) {
            return &codr_syscalls[i];
        }
    }

    return NULL;
}


static void
table(void)
{
    int    nr;
    bool   good = true;
    char  *name;
    size_t i;

    for (i = 0; i < codr_syscalls_count; i++) {
        if (find(codr_syscalls[i].name) != &codr_syscalls[i]
            || strlen(codr_syscalls[i].reason) < 4)
        {
            good = false;
            printf("# %s\n", codr_syscalls[i].name);
        }
    }
    tap_ok(good, "no call has two rows, each has a reason");

    good = true;
    for (i = 0; i < codr_syscalls_count; i++) {
        if (seccomp_syscall_resolve_name(codr_syscalls[i].name) < 0) {
            good = false;
            printf("# %s\n", codr_syscalls[i].name);
        }
    }
    tap_ok(good, "libseccomp knows every name of the table");

    good = true;
    for (nr = 0; nr < LAST_NUMBER; nr++) {
        name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, nr);
        if (name && find(name) == NULL) {
            good = false;
            printf("# %s\n", name);
        }
        free(name);
    }
    tap_ok(good, "the table has a row for every call libseccomp knows");
}


static void
rules(void)
{
    bool                  good = true;
    size_t                i;
    const codr_syscall_t *row;

    for (i = 0; i < codr_syscall_rules_count; i++) {
        row = find(codr_syscall_rules[i].name);
        if (row == NULL || row->action != CODR_SYSCALL_ALLOW
            || codr_syscall_rules[i].argument[0].mask == 0
            || codr_syscall_rules[i].error < 0)
        {
            good = false;
            printf("# %s\n", codr_syscall_rules[i].name);
        }
    }

    tap_ok(good, "arguments are judged of allowed calls only");
}


/* The errno of a call in a process under the filter; 0 when it succeeded, -1
   when it was killed. */
static int
under_filter(const codr_seccomp_t *seccomp, long nr, long a, long b, long c)
{
    int   status;
    pid_t pid = fork();

    if (pid == 0) {
        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1
            || codr_seccomp_load_spawner(seccomp) != 0
            || codr_seccomp_load_init(seccomp) != 0)
        {
            _exit(255);
        }
        _exit(syscall(nr, a, b, c, 0, 0) == -1 ? errno : 0);
    }

    (void) waitpid(pid, &status, 0);

    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}


/* The kernel looks for a module of whatever pair it does not know. */
static void
sockets(const codr_seccomp_t *f)
{
    int  kind, protocol, passed = 0;
    long high = 1L << 32;
    bool good = true;

    for (kind = 0; kind < 16; kind++) {
        for (protocol = 0; protocol < 20; protocol++) {
            bool known = (kind == SOCK_STREAM
                          && (protocol == 0 || protocol == IPPROTO_TCP))
                         || (kind == SOCK_DGRAM
                             && (protocol == 0 || protocol == IPPROTO_UDP
                                 || protocol == IPPROTO_ICMP));

            if (known) {
                passed++;
            } else if (under_filter(f, SYS_socket, AF_INET | high,
                                    kind | SOCK_CLOEXEC | high,
                                    protocol | high) == 0)
            {
                good = false;
                printf("# kind %d protocol %d\n", kind, protocol);
            }
        }
    }

    tap_ok(good, "no socket of any other kind and protocol");
    tap_number(passed, 5, "than the five that every kernel has");
    tap_number(under_filter(f, SYS_socket, AF_INET, SOCK_DCCP, 0),
               ESOCKTNOSUPPORT, "dccp without its number");
    tap_number(under_filter(f, SYS_socket, AF_INET6, SOCK_DCCP, 0),
               under_filter(f, SYS_socket, AF_INET6, SOCK_DGRAM, 0)
               == EAFNOSUPPORT ? EAFNOSUPPORT : ESOCKTNOSUPPORT,
               "the same with IPv6");
    tap_number(under_filter(f, SYS_socket, AF_INET, SOCK_STREAM, 262),
               EPROTONOSUPPORT, "mptcp");
    tap_number(under_filter(f, SYS_socket, AF_INET,
                            SOCK_STREAM | SOCK_NONBLOCK, IPPROTO_TCP), 0,
               "a stream by its number");
    tap_number(under_filter(f, SYS_socket, AF_INET, SOCK_DGRAM, IPPROTO_UDP),
               0, "datagrams by their number");
    tap_number(under_filter(f, SYS_ioctl, -1, 0x89a0, 0), EPERM,
               "SIOCBRADDBR");
    tap_number(under_filter(f, SYS_ioctl, -1, 0x8983, 0), EPERM,
               "SIOCSIFVLAN");
    tap_number(under_filter(f, SYS_ioctl, -1, 0x8913, 0), EBADF,
               "SIOCGIFFLAGS passes");
    tap_number(under_filter(f, SYS_setsockopt, -1, IPPROTO_TCP, 38), EPERM,
               "keys of TCP");
}


static void
effect(void)
{
    long           high = 1L << 32;
    codr_seccomp_t f;

    if (!tap_ok(codr_seccomp_compile(&f) == 0, "the tables compile")) {
        return;
    }

    tap_number(under_filter(&f, SYS_getpid, 0, 0, 0), 0, "allowed");
    tap_number(under_filter(&f, SYS_unshare, 0, 0, 0), EPERM, "refused late");
    tap_number(under_filter(&f, SYS_mount, 0, 0, 0), EPERM, "mount");
    tap_number(under_filter(&f, SYS_ptrace, 0, 0, 0), EPERM, "refused");
    tap_number(under_filter(&f, SYS_clone3, 0, 0, 0), ENOSYS, "clone3");
    tap_number(under_filter(&f, 425, 0, 0, 0), ENOSYS, "io_uring_setup");
    tap_number(under_filter(&f, 599, 0, 0, 0), ENOSYS, "unknown");
    tap_number(under_filter(&f, 0x40000000 | 39, 0, 0, 0), -1, "x32 kills");

    tap_number(under_filter(&f, SYS_clone, 0x10000000, 0, 0), EPERM,
               "clone into a user namespace");
    tap_number(under_filter(&f, SYS_ioctl, 0, 0x5412, 0), EPERM, "TIOCSTI");
    tap_number(under_filter(&f, SYS_ioctl, 0, high | 0x5412, 0), EPERM,
               "TIOCSTI in a dirty register");
    tap_number(under_filter(&f, SYS_ioctl, -1, 0x5413, 0), EBADF,
               "another ioctl passes");
    tap_number(under_filter(&f, SYS_socket, AF_UNIX, SOCK_STREAM, 0), 0,
               "a unix socket");
    tap_number(under_filter(&f, SYS_socket, AF_NETLINK, SOCK_RAW, 0),
               EAFNOSUPPORT, "a netlink socket");
    tap_number(under_filter(&f, SYS_socket, high | AF_NETLINK, SOCK_RAW, 0),
               EAFNOSUPPORT, "a netlink socket in a dirty register");
    sockets(&f);
    tap_number(under_filter(&f, SYS_prlimit64, 1, 0, 0), EPERM,
               "limits of init");
    tap_number(under_filter(&f, SYS_prlimit64, high | 1, 0, 0), EPERM,
               "limits of init in a dirty register");
    tap_number(under_filter(&f, SYS_prlimit64, 0, 0, 0), 0, "own limits");
    tap_number(under_filter(&f, SYS_setpriority, 0, 1, 0), EPERM,
               "priority of init");
    tap_number(under_filter(&f, SYS_seccomp, 1, 8, 0), EPERM,
               "a filter that asks a listener");

    codr_seccomp_free(&f);
}


int
main(void)
{
    (void) setvbuf(stdout, NULL, _IOLBF, 0);    /* children do not repeat it */

    table();
    rules();
    effect();

    return tap_done();
}
