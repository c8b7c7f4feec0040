/*
 * Resource limits: the second wall behind the cgroup, and the only one of an
 * unprivileged helper.  codr_rlim_apply() runs between fork and exec of the
 * program, in memory shared with init: no allocation, no log.
 */

#define _GNU_SOURCE

#include "codr_rlim.h"

#include <errno.h>
#include <stddef.h>
#include <sys/resource.h>

#include "codr_util.h"

#define LOCKED_MEMORY   (8 * 1024 * 1024)
#define QUEUE_MEMORY    (800 * 1024)
#define SIGNALS         1024

/* Less than any core file is, and the one limit with which the kernel starts no
   handler either: 0 has no meaning for those, they run as root on the host. */
#define CORE_NOWHERE    1

/* Threads get a stack as large as the soft limit, and RLIMIT_DATA counts all
   of it: with the usual 64m, node could not start five. */
#define THREAD_STACK    (8 * 1024 * 1024)


/* What the host's operator has set lower already stays lower. */
static int
set_limit(int resource, rlim_t soft, rlim_t hard)
{
    struct rlimit want = { soft, hard }, have;

    if (setrlimit((__rlimit_resource_t) resource, &want) == 0) {
        return 0;
    }
    if (errno != EPERM
        || getrlimit((__rlimit_resource_t) resource, &have) == -1)
    {
        return -errno;
    }

    want.rlim_max = hard < have.rlim_max ? hard : have.rlim_max;
    want.rlim_cur = soft < want.rlim_max ? soft : want.rlim_max;

    return setrlimit((__rlimit_resource_t) resource, &want) == -1 ? -errno
                                                                  : 0;
}


int
codr_rlim_apply(const codr_spawn_request_t *request, bool memory)
{
    int    rc;
    size_t i;
    rlim_t stack = memory && request->stack > THREAD_STACK ? THREAD_STACK
                                                           : request->stack;

    /* resource, soft and hard */
    const struct {
        int     resource;
        rlim_t  soft;
        rlim_t  hard;
    } limits[] = {
        { RLIMIT_STACK, stack, request->stack },
        { RLIMIT_FSIZE, request->file_size, request->file_size },
        { RLIMIT_NOFILE, request->open_files, request->open_files },
        /* init is a task of that uid too */
        { RLIMIT_NPROC, request->processes + 1, request->processes + 1 },
        { RLIMIT_CPU, request->cpu_seconds, request->cpu_seconds + 1 },
        { RLIMIT_MEMLOCK, LOCKED_MEMORY, LOCKED_MEMORY },
        { RLIMIT_MSGQUEUE, QUEUE_MEMORY, QUEUE_MEMORY },
        { RLIMIT_SIGPENDING, SIGNALS, SIGNALS },
        { RLIMIT_NICE, 0, 0 },
        { RLIMIT_RTPRIO, 0, 0 },
    };

    for (i = 0; i < CODR_ARRAY_LEN(limits); i++) {
        rc = set_limit(limits[i].resource, limits[i].soft, limits[i].hard);
        if (rc != 0) {
            return rc;
        }
    }

    return memory ? set_limit(RLIMIT_DATA, request->memory, request->memory)
                  : 0;
}


int
codr_rlim_no_core(void)
{
    return set_limit(RLIMIT_CORE, CORE_NOWHERE, CORE_NOWHERE);
}


void
codr_rlim_raise_files(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        (void) setrlimit(RLIMIT_NOFILE, &limit);    /* fewer slots, then */
    }
}
