/*
 * Clocks, percentiles, scratch files.
 */

#define _GNU_SOURCE

#include "bench.h"

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

char *const bench_env[] = {
    (char *) (uintptr_t) "PATH=/usr/bin:/bin",
    (char *) (uintptr_t) "LANG=C.UTF-8", NULL
};


uint64_t
bench_now_us(void)
{
    struct timespec t;

    (void) clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t) t.tv_sec * 1000000 + (uint64_t) t.tv_nsec / 1000;
}


static int
compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *) a, y = *(const uint64_t *) b;

    return (x > y) - (x < y);
}


uint64_t
bench_percentile(uint64_t *us, size_t count, int percent)
{
    qsort(us, count, sizeof(us[0]), compare);
    return us[(count - 1) * (size_t) percent / 100];
}


static int
compare_double(const void *a, const void *b)
{
    double x = *(const double *) a, y = *(const double *) b;

    return (x > y) - (x < y);
}


double
bench_median(double *values, size_t count)
{
    qsort(values, count, sizeof(values[0]), compare_double);
    return values[(count - 1) / 2];
}


void
bench_write_file(const char *name, const char *text)
{
    FILE *file = fopen(name, "w");

    if (file == NULL || fputs(text, file) == EOF || fclose(file) == EOF) {
        err(1, "write \"%s\"", name);
    }
}
