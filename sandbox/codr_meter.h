/*
 * What a sandbox's cgroup says, in the words of either cgroup version.
 */

#ifndef CODR_METER_H
#define CODR_METER_H

#include <stdbool.h>
#include <stdint.h>

/* A file of cgroup accounting that the spawner has opened. */
typedef struct {
    int   fd;                   /* -1: there is none */
    bool  v2;
} codr_meter_t;

#define CODR_METER_NONE     ((codr_meter_t) { .fd = -1 })


/* CPU time used so far; 0 without a file. */
uint64_t codr_meter_cpu_us(codr_meter_t meter);

/* The one number that a file of bytes holds; 0 without a file. */
uint64_t codr_meter_bytes(codr_meter_t meter);

/*
 * After its event: whether something was killed for want of memory.  A v2
 * file also changes when nothing was; reading it makes it quiet again.
 */
bool codr_meter_was_oom(codr_meter_t meter);

/* At any time: nothing was, and no event is pending. */
bool codr_meter_no_oom(codr_meter_t meter);

#endif /* CODR_METER_H */
