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
 * After its event: whether memory has run out, v1, or something was killed for
 * that, v2, whose file also changes when nothing was.  Makes it quiet again.
 */
bool codr_meter_was_oom(codr_meter_t meter);

/*
 * Then: whether it was the sandbox's own limit, as far as its peak says.  With
 * v1 all of them are told when memory has run out for all together.
 */
bool codr_meter_is_own_oom(codr_meter_t meter, codr_meter_t peak,
    uint64_t limit);

/* At any time: neither; without an event's file, too.  One that has come does
   not come again. */
bool codr_meter_no_oom(codr_meter_t meter);

#endif /* CODR_METER_H */
