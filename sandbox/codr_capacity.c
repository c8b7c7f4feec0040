/*
 * Capacity from configuration and host.  Runs in the supervisor (ceilings for
 * the spawner) and in the broker (how many jobs run at once), which must come
 * to the same numbers.
 */

#define _GNU_SOURCE

#include "codr_capacity.h"

#include <sched.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>

#define TOTAL_PERCENT       70
#define JOB_MEMORY          (32ULL * 1024 * 1024)
#define JOBS_PER_CPU        4       /* fewest interactive jobs by default */
#define JOBS_AUTO_MAX       2000
#define BATCH_PER_CPU       2

/* Ready sandboxes: of all languages together at most so many, no more than a
   part of the slots, and each must have so much of the memory. */
#define WARM_MAX            64
#define WARM_SLOTS          4
#define WARM_MEMORY         (64ULL * 1024 * 1024)

/* Descriptors of a running job: its socket, init's, the files of CPU time, peak
   and out-of-memory, source image, artefact, three streams; of a waiting one:
   its socket and source image; of everything else. */
#define DESCRIPTORS_JOB     10
#define DESCRIPTORS_WAITING 2
#define DESCRIPTORS_OTHER   256

/* Of who only looks on, a descriptor each: no more than a part of them. */
#define WATCHERS_MAX        4096
#define WATCHERS_PART       8


static uint64_t
between(uint64_t value, uint64_t min, uint64_t max)
{
    if (value < min) {
        return min;
    }

    return value > max ? max : value;
}


void
codr_capacity_host(codr_host_t *ret)
{
    cpu_set_t      cpus;
    struct rlimit  files;
    struct sysinfo info;

    ret->memory = sysinfo(&info) == 0
                  ? (uint64_t) info.totalram * info.mem_unit : 0;

    ret->cpus = sched_getaffinity(0, sizeof(cpus), &cpus) == 0
                ? (uint64_t) CPU_COUNT(&cpus) : 1;

    ret->descriptors = getrlimit(RLIMIT_NOFILE, &files) == 0
                       ? files.rlim_cur : 1024;
}


static uint64_t
total_memory(const codr_config_t *config, const codr_host_t *host)
{
    uint64_t percent = config->total_percent;

    if (config->total_memory) {
        return config->total_memory;
    }

    return host->memory / 100 * (percent ? percent : TOTAL_PERCENT);
}


/* What the configuration says of jobs comes first. */
static uint64_t
warm(const codr_config_t *config, uint64_t memory, size_t slots,
    uint64_t batch)
{
    size_t   i;
    uint64_t sum = 0, jobs = config->max_jobs + batch;

    for (i = 0; i < config->languages; i++) {
        sum += config->language[i].warm;
    }

    sum = between(sum, 0, between(slots / WARM_SLOTS, 0, WARM_MAX));
    if (config->max_jobs) {
        sum = between(sum, 0, slots > jobs ? slots - jobs : 0);
    }
    return between(sum, 0, memory / WARM_MEMORY);
}


/* Jobs that slots and descriptors leave room for. */
static uint64_t
hard_maximum(const codr_config_t *config, const codr_host_t *host,
    size_t slots, uint64_t ready, uint64_t watchers)
{
    uint64_t rooms;
    uint64_t taken = DESCRIPTORS_OTHER + watchers + ready * DESCRIPTORS_JOB
                     + config->queue_length * DESCRIPTORS_WAITING;

    /* where descriptors are few, waiting jobs do not get them all */
    taken = between(taken, 0, host->descriptors / 2);
    rooms = between((host->descriptors - taken) / DESCRIPTORS_JOB, 1,
                    UINT32_MAX);

    return between(slots - ready, 1, rooms);
}


void
codr_capacity_compute(codr_capacity_t *ret, const codr_config_t *config,
    const codr_host_t *host, size_t slots)
{
    uint64_t        most;
    codr_capacity_t capacity;

    capacity.memory = total_memory(config, host);
    capacity.cpu_milli = config->total_cpu;

    capacity.batch = config->max_batch ? config->max_batch
                                       : BATCH_PER_CPU * host->cpus;
    capacity.warm = warm(config, capacity.memory, slots, capacity.batch);
    capacity.watchers = between(host->descriptors / WATCHERS_PART, 1,
                                WATCHERS_MAX);
    most = hard_maximum(config, host, slots, capacity.warm,
                        capacity.watchers);
    capacity.compile = config->max_compile ? config->max_compile : host->cpus;

    capacity.jobs = config->max_jobs ? config->max_jobs
        : between(capacity.memory / JOB_MEMORY, JOBS_PER_CPU * host->cpus,
                  JOBS_AUTO_MAX);

    /* batch jobs first: few, and they free their place by themselves */
    capacity.batch = between(capacity.batch, 1, most);
    capacity.jobs = between(capacity.jobs, 1,
                            most > capacity.batch ? most - capacity.batch : 1);
    capacity.compile = between(capacity.compile, 1, most);

    *ret = capacity;
}
