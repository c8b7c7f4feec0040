/*
 * How many jobs, and how much memory and CPU for all of them together.
 */

#ifndef CODR_CAPACITY_H
#define CODR_CAPACITY_H

#include <stddef.h>
#include <stdint.h>

#include "codr_config.h"

typedef struct {
    uint64_t  memory;           /* bytes of this host */
    uint64_t  cpus;
    uint64_t  descriptors;      /* a process may have */
} codr_host_t;

typedef struct {
    uint64_t  jobs;             /* interactive ones alive at once */
    uint64_t  batch;            /* others */
    uint64_t  compile;          /* compile stages */
    uint64_t  warm;             /* sandboxes that wait for a job */
    uint64_t  watchers;         /* descriptors for who only looks on */
    uint64_t  memory;           /* bytes of all jobs together */
    uint64_t  cpu_milli;        /* thousandths of a CPU; 0 = no ceiling */
} codr_capacity_t;


/* What this host has; call it before the role is confined. */
void codr_capacity_host(codr_host_t *ret);

/* Explicit values where the configuration has them, else automatic ones;
   never more than slots and descriptors allow. */
void codr_capacity_compute(codr_capacity_t *ret, const codr_config_t *config,
    const codr_host_t *host, size_t slots);

#endif /* CODR_CAPACITY_H */
