/*
 * When an interpreter was started.  Its times are exactly those that it was
 * told, as they were or in another unit, wherever it keeps them.
 */

#define _GNU_SOURCE

#include "codr_node_times.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "codr_node_search.h"

#define SEEN_MAX    4096
#define TIMES_MAX   4096
#define LATER_NS    UINT64_C(60000000000)   /* a minute */
#define NS_PER_MS   1e6

typedef enum {
    TIME_NS,
    TIME_NS_DOUBLE,
    TIME_MS_DOUBLE,
    TIME_DAY_DOUBLE                 /* us */
} time_kind_t;

typedef union {
    uint64_t  ns;
    double    number;
} value_t;

typedef struct {
    value_t      *at;
    value_t       found;
    time_kind_t   kind;
} time_at_t;

typedef struct {
    uint64_t  bits;
    int       kind;
} pattern_t;

/* In ns. */
static const double unit[] = {
    [TIME_NS_DOUBLE] = 1,
    [TIME_MS_DOUBLE] = NS_PER_MS,
    [TIME_DAY_DOUBLE] = 1000,
};

static size_t     nseen, ntimes, npatterns;
static bool       searched, shifted;
static time_at_t  times[TIMES_MAX];
static uint64_t   seen[SEEN_MAX];
static double     day;
static pattern_t  patterns[2 * SEEN_MAX + 1];


/* Threads of the interpreter ask for the time, too, and at the same time. */
void
codr_node_times_saw_clock(uint64_t ns)
{
    size_t i;

    if (!searched && __atomic_load_n(&nseen, __ATOMIC_RELAXED) < SEEN_MAX) {
        i = __atomic_fetch_add(&nseen, 1, __ATOMIC_RELAXED);
        if (i < SEEN_MAX) {
            seen[i] = ns;
        }
    }
}


/* Only the first one is kept by anybody. */
void
codr_node_times_saw_day(double us)
{
    if (day == 0) {
        day = us;
    }
}


/* What we have found has copies here. */
static bool
is_ours(const void *at)
{
    return codr_node_is_in(at, seen, sizeof(seen))
           || codr_node_is_in(at, &day, sizeof(day))
           || codr_node_is_in(at, patterns, sizeof(patterns))
           || codr_node_is_in(at, times, sizeof(times));
}


static uint64_t
bits_of(double value)
{
    uint64_t bits;

    memcpy(&bits, &value, sizeof(bits));
    return bits;
}


static int
by_bits(const void *a, const void *b)
{
    const pattern_t *x = a, *y = b;

    return (x->bits > y->bits) - (x->bits < y->bits);
}


/* They come nearly sorted.  qsort() would leave a copy of them in the C heap,
   where they would be found. */
static void
add_pattern(uint64_t bits, time_kind_t kind)
{
    size_t i = npatterns++;

    while (i > 0 && patterns[i - 1].bits > bits) {
        patterns[i] = patterns[i - 1];
        i--;
    }
    patterns[i] = (pattern_t) { bits, (int) kind };
}


static size_t
count_seen(void)
{
    return nseen < SEEN_MAX ? nseen : SEEN_MAX;
}


/* What C++ keeps. */
static void
expect_data(void)
{
    size_t i, count = count_seen();

    npatterns = 0;
    for (i = 0; i < count; i++) {
        add_pattern(seen[i], TIME_NS);
    }
    for (i = 0; i < count; i++) {
        add_pattern(bits_of((double) seen[i]), TIME_NS_DOUBLE);
    }
    add_pattern(bits_of(day), TIME_DAY_DOUBLE);
}


/* What JavaScript keeps: before node 20, the time from which
   performance.now() counts. */
static void
expect_heap(void)
{
    size_t i, count = count_seen();

    npatterns = 0;
    for (i = 0; i < count; i++) {
        add_pattern(bits_of((double) seen[i] / NS_PER_MS), TIME_MS_DOUBLE);
    }
}


static void
find_times(uint64_t *words, size_t count)
{
    size_t           i;
    pattern_t        wanted;
    const pattern_t *found;

    for (i = 0; i < count; i++) {
        if (words[i] < patterns[0].bits
            || words[i] > patterns[npatterns - 1].bits)
        {
            continue;
        }
        wanted.bits = words[i];
        found = bsearch(&wanted, patterns, npatterns, sizeof(patterns[0]),
                        by_bits);
        if (found && ntimes < TIMES_MAX && !is_ours(words + i)) {
            times[ntimes++] = (time_at_t) {
                (value_t *) (words + i), { words[i] },
                (time_kind_t) found->kind,
            };
        }
    }
}


/* What was found in memory that somebody else has by now is no time; one that
   went on for less than a minute since it was found still is.  Once it has been
   set it goes on by what is true. */
static bool
is_still_time(const time_at_t *time)
{
    double later;

    if (shifted) {
        return time->at->ns == time->found.ns;
    }

    switch (time->kind) {
    case TIME_NS:
        return time->at->ns - time->found.ns < LATER_NS;
    case TIME_NS_DOUBLE:
        later = time->at->number - time->found.number;
        return later >= 0 && later < LATER_NS;
    default:
        return time->at->ns == time->found.ns;
    }
}


void
codr_node_times_shift(uint64_t ns)
{
    size_t     i;
    time_at_t *time;

    for (i = 0; i < ntimes; i++) {
        time = &times[i];
        if (!is_still_time(time)) {
            continue;
        }
        if (time->kind == TIME_NS) {
            time->at->ns += ns;
        } else {
            time->at->number += (double) ns / unit[time->kind];
        }
        time->found = *time->at;
    }
    shifted = true;
}


/* Where there is room for no more, one may have been missed. */
static bool
has_day(void)
{
    size_t i;

    for (i = 0; i < ntimes && ntimes < TIMES_MAX; i++) {
        if (times[i].kind == TIME_DAY_DOUBLE) {
            return true;
        }
    }

    return false;
}


int
codr_node_times_find(void)
{
    searched = true;
    if (day == 0) {
        return -ENOENT;
    }

    expect_data();
    codr_node_search(CODR_NODE_DATA, find_times);
    expect_heap();
    codr_node_search(CODR_NODE_HEAP, find_times);

    return has_day() ? 0 : -ENOENT;
}
