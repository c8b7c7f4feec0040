/*
 * Small things every role needs: descriptors that close themselves, the
 * monotonic clock, sizes that do not overflow.  No side effects beyond them.
 */

#ifndef CODR_UTIL_H
#define CODR_UTIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CODR_ARRAY_LEN(a)       (sizeof(a) / sizeof((a)[0]))
#define CODR_US(ms)             ((ms) * 1000)

#define codr_cleanup_close      __attribute__((cleanup(codr_close)))
#define codr_cleanup_free       __attribute__((cleanup(codr_free_pointer)))


/* Closes *fd unless it is -1, sets it to -1 and keeps errno. */
void codr_close(int *fd);

/* For codr_cleanup_free: frees the pointer that pointer points to. */
void codr_free_pointer(void *pointer);

/* Gives *fd away: returns it and leaves -1. */
int codr_steal_fd(int *fd);

/* Microseconds of CLOCK_MONOTONIC. */
uint64_t codr_now_us(void);

/* What a process has used, in itself and for the system, in microseconds. */
struct rusage;
uint64_t codr_rusage_cpu_us(const struct rusage *usage);

/* False when the sum does not fit; *ret untouched then. */
bool codr_add_size(size_t a, size_t b, size_t *ret);

/* count random bytes, at most 64, as lower-case hexadecimal and a NUL into
   text, which has room for 2 * count + 1.  Ends the process when the kernel
   has none. */
void codr_random_hex(char *text, size_t count);

/* The path of a file that lies beside our own executable: in a build tree and
   installed.  0, or negative errno. */
int codr_beside(char *ret, size_t size, const char *name);

#endif /* CODR_UTIL_H */
