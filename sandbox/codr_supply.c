/*
 * Where the sandbox of a stage comes from: a ready one of the pool, or a new
 * one.  Runs in the broker.
 */

#define _GNU_SOURCE

#include "codr_supply.h"

#include <errno.h>

#include "codr_command.h"
#include "codr_log.h"
#include "codr_util.h"


void
codr_supply_terminal(codr_sandbox_t *sandbox, int master)
{
    int         result = -EPROTO;
    codr_job_t *job = sandbox->data;

    if (job->state == CODR_JOB_RUNNING && job->io.terminal
        && job->io.out.fd == -1)
    {
        result = codr_stdio_open_terminal(&job->io, master);
    } else {
        codr_close(&master);
    }

    if (result < 0) {
        codr_log(CODR_LEVEL_ERROR, -result, "take the terminal of a job");
        codr_sandbox_kill(sandbox, CODR_STATUS_INTERNAL);
    }
}


/* Nobody at the other end: init has ended by itself, which the spawner will
   say. */
static void
describe_ready(codr_sandbox_t *sandbox)
{
    int result = codr_command_describe(sandbox);

    if (result < 0 && result != -EPIPE && result != -ECONNRESET) {
        codr_sandbox_kill(sandbox, CODR_STATUS_INTERNAL);
    }
}


int
codr_supply_sandbox(codr_job_t *job, codr_stage_t stage)
{
    int                  master = -1;
    codr_spawn_request_t request = codr_command_limits(job, stage);

    job->path = CODR_PATH_COLD;
    if (stage == CODR_STAGE_RUN && !job->cold) {
        request.flags |= codr_pool_flags(job->broker, job->language);
    }

    /* one that was ready was nobody's */
    if (stage == CODR_STAGE_RUN && !job->cold
        && codr_pool_take(&job->broker->pool, job->language, &request,
                          &job->sandbox, &master))
    {
        job->path = CODR_PATH_POOL;
        if (master != -1) {
            codr_supply_terminal(&job->sandbox, master);
        }
        describe_ready(&job->sandbox);
        return 0;                   /* it ends like any other */
    }

    /* what would be parked is executed when its job is there already */
    request.flags &= ~(uint32_t) CODR_SPAWN_PARKED;
    request.flags |= job->trace.wanted ? CODR_SPAWN_TRACE : 0;
    return job->broker->link
           ? codr_sandbox_start(&job->sandbox, job->broker->link, &request)
           : -ENOTCONN;
}
