/*
 * The scheduler's view of who does little at a time for others who wait for it,
 * and of who computes beside such.  Since 6.12 a turn's length can be asked
 * for, and who asks for a shorter one than the process that is running need not
 * wait for the end of that one's.  Before that the request means nothing.
 */

#define _GNU_SOURCE

#include "codr_turn.h"

#include <errno.h>
#include <linux/sched.h>
#include <linux/sched/types.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Shorter and longer than any kernel's own, which are 0.7 to 4 ms.  The
   shortest there is, 0.1 ms, is over before one job has been served: the broker
   then gives way to programs in the middle of it. */
#define SHORT_NS    500000
#define LONG_NS     10000000


static int
ask_for(uint64_t ns, uint64_t flags)
{
    struct sched_attr attr;

    if (syscall(SYS_sched_getattr, 0, &attr, sizeof(attr), 0) == -1) {
        return -errno;
    }

    attr.size = sizeof(attr);
    attr.sched_runtime = ns;
    attr.sched_flags |= flags;
    return syscall(SYS_sched_setattr, 0, &attr, 0) == -1 ? -errno : 0;
}


int
codr_turn_short(void)
{
    /* programs are others */
    return ask_for(SHORT_NS, SCHED_FLAG_RESET_ON_FORK);
}


int
codr_turn_long(void)
{
    return ask_for(LONG_NS, 0);
}
