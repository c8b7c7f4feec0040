/*
 * A time line: its steps, each once, and as text.
 */

#include <stdio.h>
#include <string.h>

#include "../../sandbox/codr_trace.h"
#include "tap.h"


static void
test_steps(void)
{
    char         text[256];
    codr_trace_t trace = { .wanted = true };

    codr_trace_begin(&trace, "one");
    codr_trace_mark(&trace, "two");
    codr_trace_mark(&trace, "two");
    codr_trace_mark(&trace, "three");
    tap_number(trace.count, 3, "a step is noted once");
    tap_ok(trace.step[2].at_us >= trace.step[0].at_us, "in time's order");

    trace.step[0].at_us = 1000;
    trace.step[1].at_us = 1005;
    trace.step[2].at_us = 3000;
    codr_trace_text(&trace, text, sizeof(text));
    tap_ok(strcmp(text, "one at 1000, two +5, three +2000") == 0,
           "microseconds from the first");

    codr_trace_text(&trace, text, 10);
    tap_ok(strcmp(text, "one at 10") == 0, "a small buffer cuts it");

    codr_trace_begin(&trace, "again");
    tap_number(trace.count, 1, "it begins anew");
}


static void
test_bounds(void)
{
    char         names[2 * CODR_TRACE_STEPS][8], text[16];
    size_t       i;
    codr_trace_t trace = { .wanted = true };

    codr_trace_begin(&trace, "first");
    for (i = 0; i < 2 * CODR_TRACE_STEPS; i++) {
        (void) snprintf(names[i], sizeof(names[i]), "s%zu", i);
        codr_trace_mark(&trace, names[i]);
    }
    tap_number(trace.count, CODR_TRACE_STEPS, "there is room for so many");

    trace = (codr_trace_t) { .wanted = false };
    codr_trace_begin(&trace, "first");
    codr_trace_mark(&trace, "second");
    tap_number(trace.count, 0, "nothing is noted where nobody has asked");
    codr_trace_text(&trace, text, sizeof(text));
    tap_ok(text[0] == '\0', "and there is nothing to say");
}


int
main(void)
{
    test_steps();
    test_bounds();

    return tap_done();
}
