/*
 * How many jobs a host has room for: what they, those who wait and those who
 * watch need of descriptors and slots is there.
 */

#include "tap.h"

#include <string.h>

#include "../../sandbox/codr_capacity.h"

#define SLOTS       4095
#define QUEUE       1000


static codr_capacity_t
compute(uint64_t descriptors, uint64_t gb, uint64_t jobs, size_t slots)
{
    codr_host_t            host = {
        .memory = gb << 30, .cpus = 4, .descriptors = descriptors,
    };
    codr_capacity_t        capacity;
    static codr_config_t   config;

    memset(&config, 0, sizeof(config));
    config.queue_length = QUEUE;
    config.max_jobs = jobs;
    codr_capacity_compute(&capacity, &config, &host, slots);
    return capacity;
}


static uint64_t
needs(const codr_capacity_t *capacity)
{
    return capacity->watchers
           + 10 * (capacity->jobs + capacity->batch + capacity->warm);
}


static void
descriptors(void)
{
    size_t          i;
    codr_capacity_t capacity;

    static const uint64_t hosts[] = { 1024, 4096, 20000, 65536, 1048576 };

    for (i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
        capacity = compute(hosts[i], 64, 0, SLOTS);
        tap_ok(needs(&capacity) <= hosts[i],
               "there are descriptors for all");
        tap_ok(capacity.jobs >= 1 && capacity.batch >= 1
               && capacity.watchers >= 1, "and nobody has none");
        capacity = compute(hosts[i], 64, 100000, SLOTS);
        tap_ok(needs(&capacity) <= hosts[i], "whatever is asked for");
    }
}


static void
others(void)
{
    codr_capacity_t capacity;

    capacity = compute(1048576, 64, 0, 100);
    tap_ok(capacity.jobs + capacity.batch <= 100, "no more than slots");

    capacity = compute(1048576, 64, 0, SLOTS);
    tap_number((long) capacity.watchers, 4096, "watchers have a maximum");

    capacity = compute(1024, 64, 0, SLOTS);
    tap_number((long) capacity.watchers, 128, "and are a part of few");
}


int
main(void)
{
    descriptors();
    others();
    return tap_done();
}
