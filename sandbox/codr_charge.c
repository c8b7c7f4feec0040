/*
 * What a job's owner and whoever else is charged for it: one of so many jobs
 * from the moment it waits until it is over, and the CPU time it has used.
 * Runs in the broker.
 *
 * The buckets of CPU time stand in the workers' shared memory.  A worker is
 * told before the job's client is, so that the client's next job meets a
 * bucket that knows of this one; any worker will do, and the one whose client
 * it was may be gone.
 */

#include "codr_charge.h"

#include "codr_util.h"

#define CHARGE_MAX  (4 * 1024)      /* bytes of a frame */


int
codr_charge_begin(codr_job_t *job)
{
    int                   result;
    const codr_request_t *request = &job->request;

    if (job->counted) {
        return 0;                   /* it starts over */
    }

    result = codr_quota_take(&job->broker->quotas, request->quota,
                             request->quotas);
    job->counted = result == 0;
    return result;
}


static uint64_t
used_us(const codr_job_t *job)
{
    uint64_t us = job->spent_us
                  + (job->compile.done ? job->compile.cpu_us : 0);

    /* one that was refused meanwhile has used a compiler, too */
    if (job->state == CODR_JOB_RUNNING
        || (job->state == CODR_JOB_COMPILING && !job->compile.done))
    {
        us += job->sandbox.end.cpu_us;
    }

    return us;
}


void
codr_charge_cpu(codr_job_t *job)
{
    size_t                i, len;
    uint64_t              us = used_us(job);
    uint8_t               frame[CHARGE_MAX];
    codr_writer_t         writer;
    const codr_request_t *request = &job->request;

    if (request->cpu_quotas == 0 || job->charged || us == 0) {
        return;
    }
    job->charged = true;

    codr_writer_init(&writer, frame, sizeof(frame));
    codr_frame_begin(&writer, CODR_FRAME_CHARGE);
    codr_put_number(&writer, CODR_FIELD_CPU_US, us);
    for (i = 0; i < request->cpu_quotas; i++) {
        codr_put_bytes(&writer, CODR_FIELD_CPU_QUOTA, request->cpu_quota[i],
                       CODR_CPU_QUOTA);
    }

    len = codr_frame_end(&writer);
    if (len > 0) {
        (void) codr_channel_tell_one(job->broker, frame, len);
    }
}


void
codr_charge_end(codr_job_t *job)
{
    if (job->counted) {
        job->counted = false;
        codr_quota_give(&job->broker->quotas, job->request.quota,
                        job->request.quotas);
    }
}
