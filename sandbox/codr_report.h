/*
 * Init's socket: what it says becomes a change of its sandbox; and sandboxes
 * that are gone before the spawner says so.  Only for codr_sandbox_limits.c and
 * codr_sandbox.c.
 */

#ifndef CODR_REPORT_H
#define CODR_REPORT_H

#include <stdint.h>

#include "codr_event.h"
#include "codr_sandbox.h"

/* Handler of init's socket, and what is left in it. */
void codr_report_ready(codr_event_t *event, uint32_t events);
void codr_report_drain(codr_sandbox_t *sandbox);

/* In codr_sandbox.c: init said so, with the CPU time in microseconds it had
   used before, and when that was.  0, or -EPROTO when it is not its turn. */
int codr_sandbox_prepared(codr_sandbox_t *sandbox);
int codr_sandbox_started(codr_sandbox_t *sandbox, uint64_t cpu_us,
    uint64_t at_us);

/*
 * Once init has reported the end, and with it that nobody else is left: the
 * sandbox is gone for its owner, who hears of it, while the spawner sweeps up
 * after it.  False when that is still to come: its figures are not final, or
 * can be had from the spawner only, or its slot could not be spared.
 */
bool codr_sandbox_leave(codr_sandbox_t *sandbox);

/*
 * One that was killed and does not go is gone for its owner, too.  False when
 * its slot could not be spared, or the spawner has not heard of the kill.
 */
bool codr_sandbox_abandon(codr_sandbox_t *sandbox);

#endif /* CODR_REPORT_H */
