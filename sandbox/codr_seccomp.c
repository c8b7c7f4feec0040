/*
 * Turns the system call tables into BPF and loads it.  Compiling runs in the
 * spawner at start (and in --check), as through libseccomp it would cost every
 * job more than all other layers together.  Numbers and arguments are judged
 * by programs of their own, which keeps "an argument is refused" (EPERM) and
 * "there is no such call" (ENOSYS) apart.  Never writes BPF by hand.
 */

#define _GNU_SOURCE

#include "codr_seccomp.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <malloc.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "codr_io.h"
#include "codr_syscalls.h"
#include "codr_util.h"

#define OPTIMIZE_TREE   2       /* SCMP_FLTATR_CTL_OPTIMIZE: binary tree */


static int
add_row(scmp_filter_ctx ctx, const codr_syscall_t *row, uint32_t action)
{
    int nr = seccomp_syscall_resolve_name(row->name);

    if (nr == __NR_SCMP_ERROR) {
        return 0;               /* newer than the library: the default */
    }

    return seccomp_rule_add(ctx, action, nr, 0);
}


/* What the spawner may call.  Rows that are missing here answer ENOSYS. */
static int
add_numbers(scmp_filter_ctx ctx)
{
    int    rc = 0;
    size_t i;

    for (i = 0; rc == 0 && i < codr_syscalls_count; i++) {
        switch (codr_syscalls[i].action) {
        case CODR_SYSCALL_ALLOW:
        case CODR_SYSCALL_REFUSE_LATE:
        case CODR_SYSCALL_ABSENT_LATE:
            rc = add_row(ctx, &codr_syscalls[i], SCMP_ACT_ALLOW);
            break;
        case CODR_SYSCALL_REFUSE:
            rc = add_row(ctx, &codr_syscalls[i], SCMP_ACT_ERRNO(EPERM));
            break;
        case CODR_SYSCALL_PRETEND:
            rc = add_row(ctx, &codr_syscalls[i], SCMP_ACT_ERRNO(0));
            break;
        case CODR_SYSCALL_ABSENT:
            break;
        }
    }

    return rc;
}


/* What init gives up on top of that. */
static int
add_late(scmp_filter_ctx ctx)
{
    int    rc = 0;
    size_t i;

    for (i = 0; rc == 0 && i < codr_syscalls_count; i++) {
        switch (codr_syscalls[i].action) {
        case CODR_SYSCALL_REFUSE_LATE:
            rc = add_row(ctx, &codr_syscalls[i], SCMP_ACT_ERRNO(EPERM));
            break;
        case CODR_SYSCALL_ABSENT_LATE:
            rc = add_row(ctx, &codr_syscalls[i], SCMP_ACT_ERRNO(ENOSYS));
            break;
        case CODR_SYSCALL_ALLOW:
        case CODR_SYSCALL_REFUSE:
        case CODR_SYSCALL_ABSENT:
        case CODR_SYSCALL_PRETEND:
            break;
        }
    }

    return rc;
}


/* Where the kernel has no IPv6 it looks for it with each socket, by way of
   modprobe. */
static int
add_families(scmp_filter_ctx ctx)
{
    codr_cleanup_close int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (fd != -1 || errno != EAFNOSUPPORT) {
        return 0;
    }

    return seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EAFNOSUPPORT),
                            SCMP_SYS(socket), 1,
                            SCMP_A0_64(SCMP_CMP_MASKED_EQ, 0xffffffff,
                                       AF_INET6));
}


static int
add_arguments(scmp_filter_ctx ctx)
{
    int                        nr, rc;
    size_t                     i, n;
    const codr_argument_t     *argument;
    struct scmp_arg_cmp        cmp[CODR_ARGUMENTS_MAX];
    const codr_syscall_rule_t *rule;

    for (i = 0; i < codr_syscall_rules_count; i++) {
        rule = &codr_syscall_rules[i];

        nr = seccomp_syscall_resolve_name(rule->name);
        if (nr == __NR_SCMP_ERROR) {
            return -EINVAL;
        }

        for (n = 0; n < CODR_ARGUMENTS_MAX; n++) {
            argument = &rule->argument[n];
            if (argument->mask == 0) {
                break;
            }
            cmp[n] = argument->op == CODR_ARGUMENT_ABOVE
                     ? SCMP_CMP64(argument->number, SCMP_CMP_GT,
                                  argument->value, 0)
                     : SCMP_CMP64(argument->number, SCMP_CMP_MASKED_EQ,
                                  argument->mask, argument->value);
        }

        rc = seccomp_rule_add_array(ctx,
                                    SCMP_ACT_ERRNO((uint32_t) rule->error),
                                    nr, (unsigned) n, cmp);
        if (rc != 0) {
            return rc;
        }
    }

    return add_families(ctx);
}


/*
 * libseccomp only writes to descriptors.  The memfd it gets is kept as a
 * mapping, whose pages cost a fork nothing.  It is sealed: clones of a zygote
 * have it in sight, and all filters to come are loaded from it.
 */
static int
export_program(scmp_filter_ctx ctx, struct sock_fprog *ret, int *ret_fd)
{
    int                     rc;
    codr_cleanup_close int  fd = memfd_create("codr-seccomp",
                                              MFD_CLOEXEC | MFD_ALLOW_SEALING);

    if (fd == -1) {
        return -errno;
    }

    rc = seccomp_export_bpf(ctx, fd);
    if (rc == 0) {
        rc = codr_io_seal(fd);
    }
    if (rc == 0) {
        rc = codr_seccomp_map(fd, ret);
    }
    if (rc == 0 && ret_fd) {
        *ret_fd = codr_steal_fd(&fd);
    }

    return rc;
}


static int
compile(int (*add)(scmp_filter_ctx), uint32_t otherwise,
    struct sock_fprog *ret, int *ret_fd)
{
    int             rc;
    scmp_filter_ctx ctx = seccomp_init(otherwise);

    if (ctx == NULL) {
        return -ENOMEM;
    }

    /* wrong architecture: the 32-bit table and x32 are doors of their own */
    rc = seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH,
                          SCMP_ACT_KILL_PROCESS);
    if (rc == 0) {
        rc = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, OPTIMIZE_TREE);
    }
    if (rc == 0) {
        rc = add(ctx);
    }
    if (rc == 0) {
        rc = export_program(ctx, ret, ret_fd);
    }

    seccomp_release(ctx);
    return rc;
}


int
codr_seccomp_compile(codr_seccomp_t *ret)
{
    int            rc;
    codr_seccomp_t  made = { .late_fd = -1 };

    rc = compile(add_numbers, SCMP_ACT_ERRNO(ENOSYS), &made.numbers,
                 NULL);
    if (rc == 0) {
        rc = compile(add_arguments, SCMP_ACT_ALLOW, &made.arguments, NULL);
    }
    if (rc == 0) {
        rc = compile(add_late, SCMP_ACT_ALLOW, &made.late,
                     &made.late_fd);
    }

    /* what the library used would be copied for every job */
    (void) malloc_trim(0);

    if (rc != 0) {
        codr_seccomp_free(&made);
        return rc;
    }

    *ret = made;
    return 0;
}


static void
free_program(struct sock_fprog *program)
{
    if (program->filter) {
        (void) munmap(program->filter, program->len * sizeof(*program->filter));
        *program = (struct sock_fprog) { 0 };
    }
}


/* Mappings are copied with every clone. */
void
codr_seccomp_forget(codr_seccomp_t *seccomp)
{
    free_program(&seccomp->numbers);
    free_program(&seccomp->arguments);
}


void
codr_seccomp_free(codr_seccomp_t *seccomp)
{
    codr_seccomp_forget(seccomp);
    free_program(&seccomp->late);
    codr_close(&seccomp->late_fd);
}
