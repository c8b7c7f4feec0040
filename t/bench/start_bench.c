/*
 * What the start of a Python or JavaScript program costs, with a bare
 * interpreter and through codr: time to the first byte and to the end,
 * interleaved, and how many end in a second, eight at once.
 *
 *     start_bench PORT URI ROUNDS DIR [LANGUAGE]
 *
 * DIR is a scratch directory for the bare programs.  Started by t/bench/run.
 */

#define _GNU_SOURCE

#include "bench.h"
#include "bench_ws.h"

#include <err.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ROUNDS_MAX      1000
#define AT_ONCE         8
#define PAUSE_NS        3000000     /* between two jobs: people are slower */

#define HELLO   "print('hello')\n"
#define IMPORTS "import json, re, collections, dataclasses\nprint('hello')\n"

typedef struct {
    uint64_t  first;
    uint64_t  end;
} times_t;

#define PYTHON  "/usr/bin/python3"
#define NODE    "/usr/bin/node"

typedef struct {
    const char  *name;
    const char  *language;
    const char  *interpreter;   /* bare */
    const char  *file;
    const char  *message;       /* codr */
} program_t;

static const program_t programs[] = {
    { "python", "python", PYTHON, "hello.py",
      "{\"type\":\"execute\",\"language\":\"python\",\"tty\":false,"
      "\"code\":\"print('hello')\\n\"}" },
    { "python, terminal", "python", PYTHON, "hello.py",
      "{\"type\":\"execute\",\"language\":\"python\","
      "\"code\":\"print('hello')\\n\"}" },
    { "python, imports", "python", PYTHON, "imports.py",
      "{\"type\":\"execute\",\"language\":\"python\",\"tty\":false,"
      "\"code\":\"import json, re, collections, dataclasses\\n"
      "print('hello')\\n\"}" },
    { "node", "javascript", NODE, "hello.js",
      "{\"type\":\"execute\",\"language\":\"javascript\",\"tty\":false,"
      "\"code\":\"console.log('hello')\\n\"}" },
    { "node, terminal", "javascript", NODE, "hello.js",
      "{\"type\":\"execute\",\"language\":\"javascript\","
      "\"code\":\"console.log('hello')\\n\"}" },
};

#define PROGRAMS    (sizeof(programs) / sizeof(programs[0]))

static char *const clean_env[] = {
    (char *) (uintptr_t) "PATH=/usr/bin:/bin",
    (char *) (uintptr_t) "LANG=C.UTF-8", NULL
};

static int         port;
static const char *uri;
static const char *only;        /* a language, or NULL: all of them */
static int         rounds;


static times_t
run_bare(const program_t *program)
{
    int         ends[2], status;
    char        buffer[64];
    pid_t       pid;
    times_t     times;
    uint64_t    start = bench_now_us();
    const char *argv[] = { program->interpreter, program->file, NULL };

    posix_spawn_file_actions_t actions;

    if (pipe2(ends, O_CLOEXEC) == -1) {
        err(1, "pipe");
    }
    (void) posix_spawn_file_actions_init(&actions);
    (void) posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
    if (posix_spawn(&pid, argv[0], &actions, NULL,
                    (char *const *) (uintptr_t) argv, clean_env) != 0)
    {
        err(1, "start \"%s\"", program->interpreter);
    }
    (void) posix_spawn_file_actions_destroy(&actions);
    (void) close(ends[1]);

    if (read(ends[0], buffer, sizeof(buffer)) <= 0) {
        errx(1, "\"%s\" says nothing", program->interpreter);
    }
    times.first = bench_now_us() - start;
    (void) close(ends[0]);
    (void) waitpid(pid, &status, 0);
    times.end = bench_now_us() - start;
    return times;
}


static times_t
run_codr(bench_ws_t *ws, const program_t *program)
{
    char     *text;
    size_t    len;
    times_t   times = { 0, 0 };
    uint64_t  start = bench_now_us();

    bench_ws_send(ws, program->message);
    for ( ;; ) {
        text = bench_ws_receive(ws, &len);
        if (times.first == 0 && strstr(text, "\"type\":\"output\"")) {
            times.first = bench_now_us() - start;
        }
        if (strstr(text, "\"type\":\"error\"")) {
            errx(1, "%.300s", text);
        }
        if (strstr(text, "\"type\":\"complete\"")) {
            times.end = bench_now_us() - start;
            return times;
        }
    }
}


static int
compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *) a, y = *(const uint64_t *) b;

    return (x > y) - (x < y);
}


static uint64_t
percentile(uint64_t *us, int percent)
{
    qsort(us, (size_t) rounds, sizeof(us[0]), compare);
    return us[(rounds - 1) * percent / 100];
}


static uint64_t taken[PROGRAMS][2][2][ROUNDS_MAX];  /* bare, codr; first, end */


static bool
is_wanted(const program_t *program)
{
    return access(program->interpreter, X_OK) == 0
           && (only == NULL || strcmp(only, program->language) == 0);
}


static void
measure(void)
{
    int             round, k;
    size_t          i;
    times_t         times[2];
    bench_ws_t      ws;
    struct timespec pause = { 0, PAUSE_NS };

    bench_ws_open(&ws, port, uri);
    for (i = 0; i < PROGRAMS; i++) {
        if (!is_wanted(&programs[i])) {
            continue;
        }
        for (round = -5; round < rounds; round++) {
            times[0] = run_bare(&programs[i]);
            (void) nanosleep(&pause, NULL);
            times[1] = run_codr(&ws, &programs[i]);
            (void) nanosleep(&pause, NULL);
            for (k = 0; round >= 0 && k < 2; k++) {
                taken[i][k][0][round] = times[k].first;
                taken[i][k][1][round] = times[k].end;
            }
        }
    }
    bench_ws_close(&ws);
}


static void
report(void)
{
    int      k;
    size_t   i;
    uint64_t bare, codr;

    printf("%-34s %9s %9s %9s %9s  %s\n", "hello", "bare ms", "codr ms",
           "bare p99", "codr p99", "ratio of medians");
    for (i = 0; i < PROGRAMS; i++) {
        for (k = 0; k < 2 && is_wanted(&programs[i]); k++) {
            bare = percentile(taken[i][0][k], 50);
            codr = percentile(taken[i][1][k], 50);
            printf("%-16s %-17s %9.3f %9.3f %9.3f %9.3f  %.3f\n",
                   programs[i].name, k ? "complete" : "first byte",
                   (double) bare / 1e3, (double) codr / 1e3,
                   (double) percentile(taken[i][0][k], 99) / 1e3,
                   (double) percentile(taken[i][1][k], 99) / 1e3,
                   (double) codr / (double) bare);
        }
    }
}


/* Programs that end in a second, started by AT_ONCE who do nothing else. */
static double
rate(const program_t *program, bool codr, int each)
{
    int        i, k;
    bench_ws_t ws;
    uint64_t   start = bench_now_us();

    for (i = 0; i < AT_ONCE; i++) {
        if (fork() != 0) {
            continue;
        }
        if (codr) {
            bench_ws_open(&ws, port, uri);
        }
        for (k = 0; k < each; k++) {
            if (codr) {
                (void) run_codr(&ws, program);
            } else {
                (void) run_bare(program);
            }
        }
        _exit(0);
    }

    while (wait(NULL) > 0) {
        continue;
    }

    return AT_ONCE * each * 1e6 / (double) (bench_now_us() - start);
}


/* Of a language, by its first program. */
static void
report_rate(const program_t *program)
{
    int    i;
    double bare = 0, codr = 0;

    for (i = 0; i < 3; i++) {       /* interleaved, too */
        bare += rate(program, false, rounds / 2 + 1) / 3;
        codr += rate(program, true, rounds + 1) / 3;
    }
    printf("%s hellos a second, %d at once: bare %.0f, codr %.0f, %.2f times"
           " as many\n", program->name, AT_ONCE, bare, codr, codr / bare);
}


int
main(int argc, char **argv)
{
    size_t i;

    if (argc < 5 || argc > 6) {
        errx(2, "usage: start_bench PORT URI ROUNDS DIR [LANGUAGE]");
    }

    port = atoi(argv[1]);
    uri = argv[2];
    rounds = atoi(argv[3]);
    only = argv[5];
    if (rounds < 1 || rounds > ROUNDS_MAX || chdir(argv[4]) == -1) {
        errx(2, "ROUNDS is 1 to %d, DIR a directory", ROUNDS_MAX);
    }

    bench_write_file("hello.py", HELLO);
    bench_write_file("imports.py", IMPORTS);
    bench_write_file("hello.js", "console.log('hello')\n");

    measure();
    report();

    for (i = 0; i < PROGRAMS; i++) {
        if (is_wanted(&programs[i])
            && strcmp(programs[i].name + strcspn(programs[i].name, ","), "")
               == 0)
        {
            report_rate(&programs[i]);
        }
    }
    return 0;
}
