/*
 * The time line of one job or sandbox: when it came to which step, for the
 * log.  Costs a branch a step where nobody has asked for it.
 */

#ifndef CODR_TRACE_H
#define CODR_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CODR_TRACE_STEPS    20

typedef struct {
    const char  *name;
    uint64_t     at_us;
} codr_trace_step_t;

typedef struct {
    bool               wanted;
    size_t             count;
    codr_trace_step_t  step[CODR_TRACE_STEPS];
} codr_trace_t;


/* Begins anew with this step. */
void codr_trace_begin(codr_trace_t *trace, const char *name);

/* A step that it has come to now, unless it has before; name is a literal. */
void codr_trace_mark(codr_trace_t *trace, const char *name);

/* As text: when it began by the monotonic clock, in microseconds, and each
   step in microseconds from there.  Always ends with a NUL. */
void codr_trace_text(const codr_trace_t *trace, char *text, size_t size);

#endif /* CODR_TRACE_H */
