/*
 * Init's socket: what it says becomes a change of its sandbox.  Only for
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
   used before.  0, or -EPROTO when it is not its turn. */
int codr_sandbox_prepared(codr_sandbox_t *sandbox);
int codr_sandbox_started(codr_sandbox_t *sandbox, uint64_t cpu_us);

#endif /* CODR_REPORT_H */
