/*
 * For a user-mode-linux that is older than its processor.  It keeps the
 * registers of a process in so much memory as AVX-512 needs, and the host's
 * kernel takes back only all of them (xstateregs_set(), since Linux 4.8): with
 * AMX, 11 KB.  Debian 12's cannot start a process there.  Loaded into it
 * (LD_PRELOAD): what it does not know of stays with the process.
 */

#define _GNU_SOURCE

#include <dlfcn.h>
#include <elf.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/types.h>
#include <sys/uio.h>

#define STATE_MAX   (64 * 1024)

typedef long ptrace_t(enum __ptrace_request, ...);

static ptrace_t *real;
static char      state[STATE_MAX];      /* it has one thread */


static void __attribute__((constructor))
find(void)
{
    *(void **) &real = dlsym(RTLD_NEXT, "ptrace");
}


/* All registers; their size, or -1. */
static long
get(pid_t pid, struct iovec *all)
{
    *all = (struct iovec) { state, sizeof(state) };
    return real(PTRACE_GETREGSET, pid, NT_X86_XSTATE, all);
}


static long
get_part(pid_t pid, struct iovec *part)
{
    struct iovec all;

    if (get(pid, &all) == -1) {
        return -1;
    }

    part->iov_len = part->iov_len < all.iov_len ? part->iov_len : all.iov_len;
    memcpy(part->iov_base, state, part->iov_len);
    return 0;
}


static long
set_part(pid_t pid, const struct iovec *part)
{
    struct iovec all;

    if (get(pid, &all) == -1) {
        return -1;
    }

    memcpy(state, part->iov_base,
           part->iov_len < all.iov_len ? part->iov_len : all.iov_len);
    return real(PTRACE_SETREGSET, pid, NT_X86_XSTATE, &all);
}


long
ptrace(enum __ptrace_request request, ...)
{
    void    *address, *data;
    pid_t    pid;
    va_list  arguments;

    va_start(arguments, request);
    pid = va_arg(arguments, pid_t);
    address = va_arg(arguments, void *);
    data = va_arg(arguments, void *);
    va_end(arguments);

    if (address == (void *) NT_X86_XSTATE && request == PTRACE_GETREGSET) {
        return get_part(pid, data);
    }
    if (address == (void *) NT_X86_XSTATE && request == PTRACE_SETREGSET) {
        return set_part(pid, data);
    }

    return real(request, pid, address, data);
}
