/*
 * Where things are in an interpreter's memory is not for us to know; what they
 * look like is.  A random number generator of V8 holds the seed it began with
 * and 128 bits that follow from it, so nothing else can look like one.  Times
 * are exactly those that the interpreter was told.  Searched are the data
 * segments and the C heap, and not V8's own, in which things move.
 */

#define _GNU_SOURCE

#include "codr_node_state.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "codr_maps.h"
#include "codr_util.h"

#define SEEN_MAX        4096
#define GENERATORS_MAX  64
#define TIMES_MAX       4096
#define COUNTERS_MAX    4096
#define COUNT_MAX       1e6
#define LATER_NS        UINT64_C(60000000000)   /* a minute */
#define STEPS_MAX       20000       /* random numbers used at the start */

typedef enum {
    TIME_NS,
    TIME_NS_DOUBLE,
    TIME_DAY_DOUBLE                 /* us */
} time_kind_t;

typedef struct {
    uint64_t  seed;
    uint64_t  state[2];
} generator_t;

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

typedef void (*look_pt)(uint64_t *words, size_t count);

static size_t        nseen, ngenerators, ntimes, npatterns;
static bool          searched;
static generator_t  *generators[GENERATORS_MAX];
static time_at_t     times[TIMES_MAX];
static uint64_t      seen[SEEN_MAX];
static double        day;
static pattern_t     patterns[2 * SEEN_MAX + 1];
static int32_t      *exit_code;
static double       *counters[COUNTERS_MAX];
static double        counts[COUNTERS_MAX];
static size_t        ncounters;


/* Threads of the interpreter ask for the time, too, and at the same time. */
void
codr_node_state_saw_clock(uint64_t ns)
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
codr_node_state_saw_day(double us)
{
    if (day == 0) {
        day = us;
    }
}


/* Searching */


static void
search(look_pt look)
{
    bool           data = false;
    codr_maps_t    maps;
    codr_mapping_t area;

    codr_maps_open(&maps);

    while (codr_maps_next(&maps, &area)) {
        /* what has no name and follows a file's data is its rest */
        data = area.path[0] == '/' || (data && area.path[0] == '\0');
        if (strncmp(area.mode, "rw", 2) == 0
            && (data || strcmp(area.path, "[heap]") == 0))
        {
            look((uint64_t *) area.start,
                 (area.end - area.start) / sizeof(uint64_t));
        }
        data = data && area.path[0] != '\0';
    }

    codr_maps_close(&maps);
}


static bool
within(const void *at, const void *start, size_t size)
{
    return (uintptr_t) at - (uintptr_t) start < size;
}


/* What we have found has copies here. */
static bool
is_ours(const void *at)
{
    return within(at, seen, sizeof(seen)) || within(at, &day, sizeof(day))
           || within(at, patterns, sizeof(patterns))
           || within(at, times, sizeof(times))
           || within(at, counts, sizeof(counts));
}


/* Random numbers: base::RandomNumberGenerator of V8 */


static uint64_t
mix(uint64_t h)
{
    h ^= h >> 33;
    h *= 0xff51afd7ed558ccdULL;
    h ^= h >> 33;
    h *= 0xc4ceb9fe1a85ec53ULL;
    h ^= h >> 33;

    return h;
}


static void
step(uint64_t *state)
{
    uint64_t s1 = state[0], s0 = state[1];

    state[0] = s0;
    s1 ^= s1 << 23;
    s1 ^= s1 >> 17;
    s1 ^= s0;
    s1 ^= s0 >> 26;
    state[1] = s1;
}


/* Three words of a generator: none is a small number or a pointer, and they are
   no text, of which no byte has its highest bit.  One word in 256 has none
   either: two of them are left to chance. */
static bool
look_random(const uint64_t *words)
{
    int      i, text = 0;
    uint64_t high;

    for (i = 0; i < 3; i++) {
        high = words[i] >> 48;
        if (high == 0 || high == 0xffff) {
            return false;
        }
        text += (words[i] & 0x8080808080808080ULL) == 0;
    }

    return text < 2;
}


static bool
is_generator(const generator_t *generator)
{
    int      i;
    uint64_t state[2];

    state[0] = mix(generator->seed);
    state[1] = mix(~state[0]);

    for (i = 0; i < STEPS_MAX; i++) {
        if (state[0] == generator->state[0] && state[1] == generator->state[1])
        {
            return true;
        }
        step(state);
    }

    return false;
}


static void
find_generators(uint64_t *words, size_t count)
{
    size_t i;

    for (i = 0; i + 3 <= count; i++) {
        if (look_random(words + i) && ngenerators < GENERATORS_MAX
            && is_generator((const generator_t *) (words + i)))
        {
            generators[ngenerators++] = (generator_t *) (words + i);
            i += 2;
        }
    }
}


int
codr_node_state_reseed(void)
{
    size_t       i;
    generator_t *generator;

    for (i = 0; i < ngenerators; i++) {
        generator = generators[i];
        if (getrandom(&generator->seed, sizeof(generator->seed), 0)
            != sizeof(generator->seed))
        {
            return -EIO;
        }
        generator->state[0] = mix(generator->seed);
        generator->state[1] = mix(~generator->state[0]);
    }

    return 0;
}


/* Times */


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


static void
make_patterns(void)
{
    size_t i, count = nseen < SEEN_MAX ? nseen : SEEN_MAX;

    for (i = 0; i < count; i++) {
        add_pattern(seen[i], TIME_NS);
    }
    for (i = 0; i < count; i++) {
        add_pattern(bits_of((double) seen[i]), TIME_NS_DOUBLE);
    }
    add_pattern(bits_of(day), TIME_DAY_DOUBLE);
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
   went on for less than a minute since it was found still is. */
static bool
is_still_time(const time_at_t *time)
{
    double later;

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
codr_node_state_shift(uint64_t ns)
{
    size_t           i;
    const time_at_t *time;

    for (i = 0; i < ntimes; i++) {
        time = &times[i];
        if (!is_still_time(time)) {
            continue;
        }
        if (time->kind == TIME_NS) {
            time->at->ns += ns;
        } else {
            time->at->number += time->kind == TIME_DAY_DOUBLE
                                ? (double) ns / 1000 : (double) ns;
        }
    }
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
codr_node_state_find_times(void)
{
    searched = true;
    if (day == 0) {
        return -ENOENT;
    }

    make_patterns();
    search(find_times);

    return has_day() ? 0 : -ENOENT;
}


int
codr_node_state_find(void)
{
    int rc = codr_node_state_find_times();

    search(find_generators);
    return ngenerators > 0 ? rc : -ENOENT;
}


/* A counter */


static void
find_counters(uint64_t *words, size_t count)
{
    size_t i;
    double value;

    for (i = 0; i < count; i++) {
        memcpy(&value, &words[i], sizeof(value));
        if (value >= 1 && value < COUNT_MAX && value == (double) (int) value
            && ncounters < COUNTERS_MAX && !is_ours(words + i))
        {
            counts[ncounters] = value;
            counters[ncounters++] = (double *) (words + i);
        }
    }
}


/* Those that are by so much larger stay. */
static void
keep_counters(double more)
{
    size_t i, n = 0;

    for (i = 0; i < ncounters; i++) {
        if (*counters[i] == counts[i] + more) {
            counters[n] = counters[i];
            counts[n++] = counts[i];
        }
    }
    ncounters = n;
}


double *
codr_node_state_counter(void (*use)(void), double *ret_before)
{
    int i;

    use();                      /* what that takes once, it has taken */
    ncounters = 0;
    search(find_counters);
    for (i = 1; i <= 4; i++) {
        use();
        keep_counters(i);
    }

    *ret_before = ncounters == 1 ? counts[0] - 1 : 0;
    return ncounters == 1 ? counters[0] : NULL;
}


/* The exit code */


static void
find_exit_code(uint64_t *words, size_t count)
{
    size_t   i;
    int32_t *number = (int32_t *) words;

    for (i = 0; exit_code == NULL && i + 3 <= 2 * count; i++) {
        if (number[i] == 0 && number[i + 1] == CODR_NODE_MAGIC
            && number[i + 2] == 1)
        {
            exit_code = &number[i];
        }
    }
}


const volatile int32_t *
codr_node_state_exit_code(void (*set)(void), void (*unset)(void))
{
    set();
    search(find_exit_code);
    unset();

    return exit_code && exit_code[0] == 0 && exit_code[2] == 0 ? exit_code
                                                               : NULL;
}
