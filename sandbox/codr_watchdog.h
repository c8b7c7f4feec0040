/*
 * Notices a child of the supervisor that lives and does not work.
 */

#ifndef CODR_WATCHDOG_H
#define CODR_WATCHDOG_H

#include "codr_relative.h"

typedef struct {
    const char       *role;
    codr_relative_t  *child;
    codr_timer_t      timer;
    pid_t             pid;          /* of the child that was asked last */
    unsigned          deaf;         /* times in a row it had not read */
} codr_watchdog_t;


/* From now on: a child that reads nothing of its control socket for half a
   minute is killed, which is an end like others.  0, or -ENOMEM. */
int codr_watchdog_open(codr_watchdog_t *watchdog, const char *role,
    codr_relative_t *child);

#endif /* CODR_WATCHDOG_H */
