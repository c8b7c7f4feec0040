/*
 * When a program is over, node frees all it has, thread by thread and object
 * by object, and then ends.  In a clone each of these pages would first be
 * copied for that; what nobody can see any more is left to the kernel instead.
 * All that a program can see has happened by then: its "exit" listeners, its
 * workers' ends, its last writes.
 */

#define _GNU_SOURCE

#include "codr_node_end.h"

#include <dlfcn.h>
#include <link.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "codr_node_gate.h"
#include "codr_node_state.h"
#include "codr_node_v8.h"

#define PUBLIC      __attribute__((visibility("default")))

enum { IS_ENDING, CODE, HAS_CODE };         /* what node keeps of its end */

static bool                    armed;
static int                     libraries;
static const volatile int32_t *exit_code;


static int
count_one(struct dl_phdr_info *info, size_t size, void *count)
{
    (void) info;
    (void) size;

    ++*(int *) count;
    return 0;
}


static int
count_libraries(void)
{
    int count = 0;

    (void) dl_iterate_phdr(count_one, &count);
    return count;
}


/* One that came later may have something to say at the end. */
static bool
is_alone(void)
{
    return armed && count_libraries() == libraries;
}


static void __attribute__((noreturn))
end(int code)
{
    int (*reset)(void);

    *(void **) &reset = dlsym(RTLD_DEFAULT, "uv_tty_reset_mode");
    if (reset) {
        (void) reset();
    }
    (void) fflush(NULL);
    _exit(code);
}


/* Before the environment is taken apart, and its code is final. */
static void
at_end(void *data)
{
    (void) data;

    codr_node_gate_pass();
    if (exit_code && exit_code[IS_ENDING] == 1 && is_alone()) {
        end(exit_code[HAS_CODE] ? exit_code[CODE] : 0);
    }
}


static void
set(void)
{
    char text[64];

    (void) snprintf(text, sizeof(text), "process.exitCode = %d",
                    CODR_NODE_MAGIC);
    (void) codr_node_v8_run(text);
}


static void
unset(void)
{
    (void) codr_node_v8_run("process.exitCode = undefined");
}


void
codr_node_end_find(void)
{
    exit_code = codr_node_state_exit_code(set, unset);
    if (exit_code && !codr_node_v8_at_end(at_end)) {
        exit_code = NULL;
    }
}


void
codr_node_end_arm(void)
{
    libraries = count_libraries();
    armed = true;
}


/* After process.exit(), and at an error, nothing is taken apart but the C++
   library's objects. */
PUBLIC void
exit(int code)
{
    void (*next)(int) __attribute__((noreturn));

    codr_node_gate_pass();
    if (is_alone()) {
        end(code);
    }

    *(void **) &next = dlsym(RTLD_NEXT, "exit");
    next(code);
}
