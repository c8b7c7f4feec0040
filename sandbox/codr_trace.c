/*
 * Time lines.  Runs in the broker and in the spawner; pure but for the clock,
 * and allocates nothing.
 */

#define _GNU_SOURCE

#include "codr_trace.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "codr_util.h"


static void
add(codr_trace_t *trace, const char *name)
{
    trace->step[trace->count++] = (codr_trace_step_t) { name, codr_now_us() };
}


void
codr_trace_begin(codr_trace_t *trace, const char *name)
{
    trace->count = 0;
    if (trace->wanted) {
        add(trace, name);
    }
}


void
codr_trace_mark(codr_trace_t *trace, const char *name)
{
    size_t i;

    if (!trace->wanted || trace->count == CODR_TRACE_STEPS) {
        return;
    }

    for (i = 0; i < trace->count; i++) {
        if (strcmp(trace->step[i].name, name) == 0) {
            return;
        }
    }

    add(trace, name);
}


void
codr_trace_text(const codr_trace_t *trace, char *text, size_t size)
{
    int      n;
    size_t   i, used = 0;
    uint64_t first = trace->count ? trace->step[0].at_us : 0;

    text[0] = '\0';
    for (i = 0; i < trace->count && used < size; i++) {
        n = i == 0
            ? snprintf(text, size, "%s at %" PRIu64, trace->step[0].name,
                       first)
            : snprintf(text + used, size - used, ", %s +%" PRIu64,
                       trace->step[i].name, trace->step[i].at_us - first);
        used += n > 0 ? (size_t) n : 0;
    }
}
