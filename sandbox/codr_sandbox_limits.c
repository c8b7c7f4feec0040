/*
 * What ends a sandbox that goes beyond its limits: CPU time, wall time,
 * memory.  Runs in the broker.
 */

#define _GNU_SOURCE

#include "codr_sandbox_limits.h"

#include <errno.h>

#include "codr_log.h"
#include "codr_report.h"
#include "codr_util.h"

#define CPU_PAUSE_MIN   5000        /* between two looks at the CPU time */
#define CPU_PAUSE_MAX   100000      /* the same while none is used */


/* CPU has no event: look again when the limit can have been reached at the
   earliest, and less often while nothing is used. */
static void
watch_cpu(codr_sandbox_t *sandbox, uint64_t used)
{
    uint64_t pause = (sandbox->cpu_limit_us - used) / sandbox->cpus;

    if (used != sandbox->cpu_seen_us || sandbox->cpu_pause_us == 0) {
        sandbox->cpu_pause_us = CPU_PAUSE_MIN;
    } else if (sandbox->cpu_pause_us < CPU_PAUSE_MAX) {
        sandbox->cpu_pause_us *= 2;
    }
    sandbox->cpu_seen_us = used;

    if (pause < sandbox->cpu_pause_us) {
        pause = sandbox->cpu_pause_us;
    }

    if (codr_timer_set(&sandbox->loop->timers, &sandbox->cpu_timer,
                       codr_now_us() + pause) < 0)
    {
        codr_sandbox_kill(sandbox, CODR_STATUS_INTERNAL);
    }
}


void
codr_sandbox_cpu_over(codr_timer_t *timer)
{
    codr_sandbox_t *sandbox = timer->data;
    uint64_t        used;

    used = codr_meter_cpu_us(sandbox->cpu) - sandbox->cpu_base_us;

    if (used >= sandbox->cpu_limit_us) {
        codr_sandbox_kill(sandbox, CODR_STATUS_CPU_LIMIT);
        return;
    }

    watch_cpu(sandbox, used);
}


/* Two sockets, no order between them: the CPU file may not be there yet. */
void
codr_sandbox_begin_cpu(codr_sandbox_t *sandbox)
{
    if (sandbox->state == CODR_SANDBOX_RUNNING && sandbox->cpu.fd != -1
        && sandbox->cpu_limit_us > 0 && !sandbox->ending
        && !sandbox->end.reported)
    {
        watch_cpu(sandbox, 0);
    }
}


void
codr_sandbox_deadline(codr_sandbox_t *sandbox, uint64_t at_us)
{
    if (sandbox->state != CODR_SANDBOX_RUNNING || sandbox->ending
        || sandbox->end.reported)
    {
        return;
    }

    if (codr_timer_set(&sandbox->loop->timers, &sandbox->wall_timer,
                       at_us) < 0)
    {
        codr_sandbox_kill(sandbox, CODR_STATUS_INTERNAL);
    }
}


void
codr_sandbox_wall_over(codr_timer_t *timer)
{
    codr_sandbox_t *sandbox = timer->data;

    if (sandbox->ending) {
        codr_log(CODR_LEVEL_ERROR, 0, "sandbox in slot %u does not end",
                 (unsigned) sandbox->request.slot);
        /* the kernel keeps it, and would keep its client waiting */
        (void) codr_sandbox_abandon(sandbox);
        return;
    }

    if (sandbox->state == CODR_SANDBOX_RUNNING) {
        codr_sandbox_kill(sandbox, CODR_STATUS_WALL_LIMIT);
        return;
    }

    codr_log(CODR_LEVEL_ERROR, ETIMEDOUT, "prepare sandbox in slot %u",
             (unsigned) sandbox->request.slot);
    codr_sandbox_kill(sandbox, CODR_STATUS_INTERNAL);
}


void
codr_sandbox_oom_ready(codr_event_t *event, uint32_t events)
{
    codr_sandbox_t *sandbox = event->data;
    codr_meter_t    meter = { event->fd, sandbox->oom_v2 };

    (void) events;

    if (!codr_meter_was_oom(meter)) {
        return;
    }
    if (!codr_meter_is_own_oom(meter, sandbox->peak, sandbox->request.memory)) {
        sandbox->oom_of_all = true;     /* whose end it is the spawner says */
        return;
    }

    codr_event_close(sandbox->loop, event);
    codr_sandbox_kill(sandbox, CODR_STATUS_MEMORY_LIMIT);
}
