/*
 * The limits of a sandbox that the broker watches, for codr_sandbox.c.
 */

#ifndef CODR_SANDBOX_LIMITS_H
#define CODR_SANDBOX_LIMITS_H

#include "codr_sandbox.h"

/* RUNNING: its CPU time is watched from now on, where it can be. */
void codr_sandbox_begin_cpu(codr_sandbox_t *sandbox);

/* Handlers of its timers, and of its cgroup's memory. */
void codr_sandbox_cpu_over(codr_timer_t *timer);
void codr_sandbox_wall_over(codr_timer_t *timer);
void codr_sandbox_oom_ready(codr_event_t *event, uint32_t events);

#endif /* CODR_SANDBOX_LIMITS_H */
