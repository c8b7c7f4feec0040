/*
 * Where things are in an interpreter's memory is not for us to know; what they
 * look like is.  A random number generator of V8 holds the seed it began with
 * and 128 bits that follow from it, so nothing else can look like one.
 */

#define _GNU_SOURCE

#include "codr_node_state.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "codr_node_search.h"

#define GENERATORS_MAX  64
#define COUNTERS_MAX    4096
#define COUNT_MAX       1e6
#define STEPS_MAX       20000       /* random numbers used at the start */

typedef struct {
    uint64_t  seed;
    uint64_t  state[2];
} generator_t;

static size_t        ngenerators, ncounters;
static generator_t  *generators[GENERATORS_MAX];
static int32_t      *exit_code;
static double       *counters[COUNTERS_MAX];
static double        counts[COUNTERS_MAX];


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
codr_node_state_find(void)
{
    codr_node_search(CODR_NODE_DATA, find_generators);
    return ngenerators > 0 ? 0 : -ENOENT;
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


/* A counter */


static void
find_counters(uint64_t *words, size_t count)
{
    size_t i;
    double value;

    for (i = 0; i < count; i++) {
        memcpy(&value, &words[i], sizeof(value));
        if (value >= 1 && value < COUNT_MAX && value == (double) (int) value
            && ncounters < COUNTERS_MAX
            && !codr_node_is_in(words + i, counts, sizeof(counts)))
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
    codr_node_search(CODR_NODE_DATA, find_counters);
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
    codr_node_search(CODR_NODE_DATA, find_exit_code);
    unset();

    return exit_code && exit_code[0] == 0 && exit_code[2] == 0 ? exit_code
                                                               : NULL;
}
