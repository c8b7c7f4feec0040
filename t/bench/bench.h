/*
 * What benchmarks share: clocks, percentiles, bare programs.  Dies with a
 * message on any surprise.
 */

#ifndef BENCH_H
#define BENCH_H

#include <stddef.h>
#include <stdint.h>

/* Of bare programs: as little as codr gives. */
extern char *const bench_env[];

uint64_t bench_now_us(void);

/* Sorts what it is given; percent is 0 to 100. */
uint64_t bench_percentile(uint64_t *us, size_t count, int percent);
double bench_median(double *values, size_t count);

void bench_write_file(const char *name, const char *text);

#endif /* BENCH_H */
