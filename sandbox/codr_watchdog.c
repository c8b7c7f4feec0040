/*
 * A message now and then over the control socket, which a child that works
 * reads at once: what is still unread at the next time tells, and nobody has
 * to answer.  Runs in the supervisor.
 */

#define _GNU_SOURCE

#include "codr_watchdog.h"

#include <linux/sockios.h>
#include <sys/ioctl.h>

#include "codr_log.h"
#include "codr_tell.h"
#include "codr_util.h"

#define EVERY_US    10000000
#define DEAF_MAX    3


static bool
has_read_all(const codr_relative_t *child)
{
    int unread;

    return ioctl(child->control, SIOCOUTQ, &unread) == -1 || unread == 0;
}


static void
look(codr_watchdog_t *watchdog)
{
    codr_relative_t *child = watchdog->child;

    if (child->pid == 0) {
        return;
    }

    if (child->pid != watchdog->pid || has_read_all(child)) {
        watchdog->pid = child->pid;
        watchdog->deaf = 0;
        (void) codr_tell(child, CODR_CONTROL_ALIVE, 0, -1);
        return;
    }

    if (++watchdog->deaf == DEAF_MAX) {
        codr_log(CODR_LEVEL_FATAL, 0, "the %s does not work any more: killed",
                 watchdog->role);
        codr_relative_kill(child);
    }
}


static void
due(codr_timer_t *timer)
{
    codr_watchdog_t *watchdog = timer->data;

    look(watchdog);

    /* it was set, so there is room for it */
    (void) codr_timer_set(&watchdog->child->loop->timers, timer,
                          codr_now_us() + EVERY_US);
}


int
codr_watchdog_open(codr_watchdog_t *watchdog, const char *role,
    codr_relative_t *child)
{
    *watchdog = (codr_watchdog_t) {
        .role = role,
        .child = child,
        .timer = { .handler = due, .data = watchdog },
    };

    return codr_timer_set(&child->loop->timers, &watchdog->timer,
                          codr_now_us() + EVERY_US);
}
