/*
 * Ends that nobody has asked for yet.  Runs in the spawner.
 */

#define _GNU_SOURCE

#include "codr_early.h"


void
codr_early_add(codr_early_t *early, pid_t pid, int wait_status,
    const struct rusage *rusage)
{
    early->end[early->next] = (codr_early_end_t) {
        .pid = pid, .wait_status = wait_status, .rusage = *rusage,
    };
    early->next = (early->next + 1) % CODR_EARLY_MAX;
}


/* CODR_EARLY_MAX: none. */
static unsigned
find(const codr_early_t *early, pid_t pid)
{
    unsigned i = 0;

    while (i < CODR_EARLY_MAX && (pid <= 0 || early->end[i].pid != pid)) {
        i++;
    }

    return i;
}


bool
codr_early_has(const codr_early_t *early, pid_t pid)
{
    return find(early, pid) < CODR_EARLY_MAX;
}


bool
codr_early_take(codr_early_t *early, pid_t pid, codr_early_end_t *ret)
{
    unsigned i = find(early, pid);

    if (i == CODR_EARLY_MAX) {
        return false;
    }

    *ret = early->end[i];
    early->end[i].pid = 0;
    return true;
}


void
codr_early_forget(codr_early_t *early)
{
    unsigned i;

    for (i = 0; i < CODR_EARLY_MAX; i++) {
        early->end[i].pid = 0;
    }
}
