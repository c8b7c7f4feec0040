/*
 * Limits: what one job may use, as one table.
 *
 * A limit is a number greater than zero; zero means "not set".  Every set of
 * limits has the same shape whether it comes from a location, a language
 * block, a client's message or the compiled maxima, so that combining two
 * sets is one loop and a forgotten limit cannot mean "unlimited".
 *
 * Pure: libc only, no allocation, no I/O.  Compiled by module/ and sandbox/.
 */

#ifndef CODR_LIMITS_H
#define CODR_LIMITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum {
    CODR_LIMIT_WALL_MS = 0,     /* run stage while nobody can type */
    CODR_LIMIT_INPUT_MS,        /* stdin open: since the start or last input */
    CODR_LIMIT_MAX_MS,          /* stdin open: run stage in all */
    CODR_LIMIT_CPU_MS,          /* CPU time of all processes, run stage */
    CODR_LIMIT_COMPILE_MS,      /* wall time of the compile stage */
    CODR_LIMIT_COMPILE_MEMORY,  /* bytes, compile stage */
    CODR_LIMIT_MEMORY,          /* bytes, run stage, its files included */
    CODR_LIMIT_STACK,           /* bytes, RLIMIT_STACK */
    CODR_LIMIT_PROCESSES,       /* tasks, threads included */
    CODR_LIMIT_OPEN_FILES,      /* descriptors of a process */
    CODR_LIMIT_DISK,            /* bytes of everything the job can write */
    CODR_LIMIT_INODES,          /* files of everything the job can write */
    CODR_LIMIT_OUTPUT,          /* bytes of stdout and stderr together */
    CODR_LIMIT_CODE,            /* bytes of the source files together */
    CODR_LIMIT_FILES,           /* bytes of all files, decoded */
    CODR_LIMIT_FILE_COUNT,      /* number of files */
    CODR_LIMIT_STDIN,           /* bytes of input over the life of a job */
    CODR_LIMIT_AST_NODES,       /* syntax nodes of all source files */
    CODR_LIMIT_COUNT
} codr_limit_id_t;

typedef struct {
    uint64_t  value[CODR_LIMIT_COUNT];
} codr_limits_t;

/*
 * name     the identifier used in configuration and diagnostics ("memory")
 * client   the field of a client's "limits" object, or NULL: not the client's
 *          to choose.  Times there are seconds, here milliseconds.
 * initial  in force where neither location nor language says anything
 * minimum  in force where less is said
 * maximum  no configuration goes beyond it
 */
typedef struct {
    const char  *name;
    const char  *client;
    bool         is_time;
    uint64_t     initial;
    uint64_t     minimum;
    uint64_t     maximum;
} codr_limit_info_t;


/* The row of a limit; id must be below CODR_LIMIT_COUNT. */
const codr_limit_info_t *codr_limit_info(codr_limit_id_t id);

/* The limit a client calls by this name, or -1. */
int codr_limit_by_client_name(const char *name, size_t len);

/*
 * What was said and not left to the defaults: for each limit the smaller of
 * the two explicit values, 0 where neither says anything.  The input and max
 * times follow the wall time where only that is given.  ret may be either
 * argument.
 */
void codr_limits_explicit(codr_limits_t *ret, const codr_limits_t *location,
    const codr_limits_t *language);

/*
 * The caps in force: the explicit values, else the initial ones, of which the
 * max time is never less than a wall or input time that is set; never beyond
 * the compiled maximum.  ret_caps may be either argument.
 */
void codr_limits_combine(codr_limits_t *ret_caps,
    const codr_limits_t *location, const codr_limits_t *language);

/*
 * Applies a client's wishes: every limit of asked that is set must be in
 * (0, cap].  Returns -1, or the first limit that is above its cap; on failure
 * *ret is untouched.  A wall time that is asked for bounds input and max too.
 */
int codr_limits_narrow(codr_limits_t *ret, const codr_limits_t *caps,
    const codr_limits_t *asked);

#endif /* CODR_LIMITS_H */
