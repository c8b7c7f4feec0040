/*
 * Benchmarks of a running codr location against bare processes, interleaved
 * in one run: quote the ratios, never a lone time.
 *
 *     codr_bench PORT URI ROUNDS DIR [cold]
 *
 * DIR is a scratch directory for the bare programs; cold: only what a job is
 * compared with that finds nothing ready.  Started by t/bench/run.
 */

#define _GNU_SOURCE

#include "bench.h"
#include "bench_peers.h"
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
#include <unistd.h>

#define ROUNDS_MAX      1000

static int         port;
static const char *uri;
static int         rounds;
static bool        judged;      /* go-judge is there */


typedef struct {
    const char   *name;
    const char   *base;         /* the contender it is compared with */
    uint64_t    (*run)(const void *data);
    const void   *data;
    uint64_t      us[ROUNDS_MAX];
} contender_t;


static void
spawn_wait(const char *const argv[])
{
    int   status;
    pid_t pid;
    posix_spawn_file_actions_t actions;

    (void) posix_spawn_file_actions_init(&actions);
    (void) posix_spawn_file_actions_addopen(&actions, 1, "/dev/null",
                                            O_WRONLY, 0);
    if (posix_spawn(&pid, argv[0], &actions, NULL,
                    (char *const *) (uintptr_t) argv, bench_env) != 0
        || waitpid(pid, &status, 0) != pid || status != 0)
    {
        errx(1, "\"%s\" did not run", argv[0]);
    }
    (void) posix_spawn_file_actions_destroy(&actions);
}


/* data: NULL-terminated list of argv lists, run one after the other */
static uint64_t
run_bare(const void *data)
{
    uint64_t                   start = bench_now_us();
    const char *const *const  *argv = data;

    for ( ; *argv; argv++) {
        spawn_wait(*argv);
    }

    return bench_now_us() - start;
}


/* data: an execute message; request to complete on an open socket */
static uint64_t
run_codr(const void *data)
{
    static bench_ws_t ws;
    static bool       open;
    uint64_t          start;

    if (!open) {
        bench_ws_open(&ws, port, uri);
        open = true;
    }

    start = bench_now_us();
    bench_ws_send(&ws, data);
    (void) bench_ws_until(&ws, "complete");
    return bench_now_us() - start;
}


#define NUMBER      "00000000"

/* The same with another number each time. */
static uint64_t
run_fresh(const void *data)
{
    int          n;
    char        *number, *digit, message[1024];
    static int   last;

    (void) snprintf(message, sizeof(message), "%s", (const char *) data);
    number = strstr(message, NUMBER);
    if (number == NULL) {
        errx(1, "no number in \"%s\"", message);
    }
    digit = number + sizeof(NUMBER) - 1;
    for (n = ++last; digit > number; n /= 10) {
        *--digit = (char) ('0' + n % 10);
    }

    return run_codr(message);
}


static uint64_t
percentile(contender_t *c, int percent)
{
    return bench_percentile(c->us, (size_t) rounds, percent);
}


static void
report(contender_t *list, size_t count)
{
    size_t   i, k;
    uint64_t median;

    printf("%-34s %9s %9s %9s  %s\n", "contender", "median ms", "min ms",
           "p99 ms", "ratio of medians");

    for (i = 0; i < count; i++) {
        median = percentile(&list[i], 50);
        printf("%-34s %9.3f %9.3f %9.3f", list[i].name,
               (double) median / 1e3, (double) percentile(&list[i], 0) / 1e3,
               (double) percentile(&list[i], 99) / 1e3);
        for (k = 0; list[i].base && k < count; k++) {
            if (strcmp(list[k].name, list[i].base) == 0) {
                printf("  %.2f of %s", (double) median
                       / (double) percentile(&list[k], 50), list[k].name);
            }
        }
        printf("\n");
    }
}


#define LIST(...)   ((const char *const[]){ __VA_ARGS__, NULL })
#define RUNS(...)   ((const char *const *const[]){ __VA_ARGS__, NULL })

#define PYTHON      "print('hello')\\n"
#define NODE        "console.log('hello')\\n"
#define C           "#include <stdio.h>\\nint main(void)" \
                    "{puts(\\\"hello\\\");return 0;}\\n"
#define CPP         "#include <iostream>\\nint main()" \
                    "{std::cout<<\\\"hello\\\\n\\\";}\\n"
#define RUST        "fn main(){println!(\\\"hello\\\");}\\n"
#define FRESH       "// " NUMBER "\\n"
#define GCC RUNS(LIST("/usr/bin/gcc", "-std=c11", "-O1", "hello.c", "-o", \
                      "hello", "-lm"), LIST("./hello"))
#define EXECUTE(language, code) \
    "{\"type\":\"execute\",\"language\":\"" language "\",\"tty\":false," \
    "\"code\":\"" code "\"}"
#define EXECUTE_TTY(language, code) \
    "{\"type\":\"execute\",\"language\":\"" language "\"," \
    "\"code\":\"" code "\"}"

/* data: an interpreter and a file of the working directory; the text that
   file has follows */
static uint64_t
run_judge(const void *data)
{
    uint64_t           start = bench_now_us();
    const char *const *argv = data;

    bench_judge_run(argv[0], argv[1], argv[2]);
    return bench_now_us() - start;
}


/* Behind what is in the list: those peers that are there. */
static size_t
add_peers(contender_t *list, size_t count, const char *base,
    const char *const program[])
{
    size_t                    i, n;
    bench_peer_t              peer[BENCH_PEERS_MAX];
    static char               names[2 * BENCH_PEERS_MAX][64];
    static size_t             used;
    static const char *const *runs[2 * BENCH_PEERS_MAX][2];

    n = bench_peers(peer, program[0], program[1]);
    for (i = 0; i < n; i++, used++) {
        (void) snprintf(names[used], sizeof(names[used]), "%.*s %s",
                        (int) strcspn(base, " "), base, peer[i].name);
        runs[used][0] = peer[i].argv;
        list[count++] = (contender_t) { .name = names[used], .base = base,
                                        .run = run_bare, .data = runs[used] };
    }

    if (judged) {
        list[count++] = (contender_t) {
            .name = strcmp(base, "python bare") == 0 ? "python go-judge"
                                                     : "node go-judge",
            .base = base, .run = run_judge, .data = program,
        };
    }

    return count;
}


/* In turn, and so often before the first that counts. */
static void
measure(contender_t *list, size_t count, int ahead)
{
    int    round;
    size_t i;

    for (round = -ahead; round < rounds; round++) {
        for (i = 0; i < count; i++) {
            list[i].us[round < 0 ? 0 : round] = list[i].run(list[i].data);
        }
    }
}


static void
hello(void)
{
    size_t      count = 5;
    contender_t list[5 + 2 * (BENCH_PEERS_MAX + 1)] = {
        { .name = "python bare", .run = run_bare,
          .data = RUNS(LIST("/usr/bin/python3", "hello.py")) },
        { .name = "python codr, pipes", .base = "python bare",
          .run = run_codr, .data = EXECUTE("python", PYTHON) },
        { .name = "python codr, terminal", .base = "python bare",
          .run = run_codr, .data = EXECUTE_TTY("python", PYTHON) },
        { .name = "node bare", .run = run_bare,
          .data = RUNS(LIST("/usr/bin/node", "hello.js")) },
        { .name = "node codr, pipes", .base = "node bare",
          .run = run_codr, .data = EXECUTE("javascript", NODE) },
    };

    judged = bench_judge_begin() == 0;
    count = add_peers(list, count, "python bare",
                      LIST("/usr/bin/python3", "hello.py", PYTHON));
    count = add_peers(list, count, "node bare",
                      LIST("/usr/bin/node", "hello.js", NODE));

    measure(list, count, 2);
    bench_judge_end();
    bench_peers_end();
    report(list, count);
}


/* Compiled each time, as the source is another one, and found in the cache;
   the rounds before the first see precompiled headers come. */
static void
compilers(void)
{
    contender_t list[] = {
        { .name = "gcc + run bare", .run = run_bare, .data = GCC },
        { .name = "c codr, not cached", .base = "gcc + run bare",
          .run = run_fresh, .data = EXECUTE("c", FRESH C) },
        { .name = "c codr, cached", .base = "gcc + run bare",
          .run = run_codr, .data = EXECUTE("c", C) },
        { .name = "g++ + run bare", .run = run_bare,
          .data = RUNS(LIST("/usr/bin/g++", "-std=c++17", "-O1", "hello.cpp",
                            "-o", "hello"),
                       LIST("./hello")) },
        { .name = "c++ codr, not cached", .base = "g++ + run bare",
          .run = run_fresh, .data = EXECUTE("cpp", FRESH CPP) },
        { .name = "c++ codr, cached", .base = "g++ + run bare",
          .run = run_codr, .data = EXECUTE("cpp", CPP) },
        { .name = "rustc + run bare", .run = run_bare,
          .data = RUNS(LIST("/usr/bin/rustc", "--edition", "2021", "-C",
                            "opt-level=1", "hello.rs", "-o", "hello"),
                       LIST("./hello")) },
        { .name = "rust codr, not cached", .base = "rustc + run bare",
          .run = run_fresh, .data = EXECUTE("rust", FRESH RUST) },
        { .name = "rust codr, cached", .base = "rustc + run bare",
          .run = run_codr, .data = EXECUTE("rust", RUST) },
    };

    measure(list, sizeof(list) / sizeof(list[0]), 4);
    report(list, sizeof(list) / sizeof(list[0]));
}


/* Where nothing is ready: what a sandbox costs on top of all others. */
static void
cold(void)
{
    contender_t list[] = {
        { .name = "python bare", .run = run_bare,
          .data = RUNS(LIST("/usr/bin/python3", "hello.py")) },
        { .name = "python codr, cold, pipes", .base = "python bare",
          .run = run_codr, .data = EXECUTE("python", PYTHON) },
        { .name = "python codr, cold, terminal", .base = "python bare",
          .run = run_codr, .data = EXECUTE_TTY("python", PYTHON) },
        { .name = "gcc + run bare", .run = run_bare, .data = GCC },
        { .name = "c codr, cold, not cached", .base = "gcc + run bare",
          .run = run_fresh, .data = EXECUTE("c", FRESH C) },
    };

    measure(list, sizeof(list) / sizeof(list[0]), 4);
    report(list, sizeof(list) / sizeof(list[0]));
}


int
main(int argc, char **argv)
{
    if (argc != 5 && (argc != 6 || strcmp(argv[5], "cold") != 0)) {
        errx(2, "usage: codr_bench PORT URI ROUNDS DIR [cold]");
    }

    port = atoi(argv[1]);
    uri = argv[2];
    rounds = atoi(argv[3]);
    if (rounds < 1 || rounds > ROUNDS_MAX || chdir(argv[4]) == -1) {
        errx(2, "ROUNDS is 1 to %d, DIR a directory", ROUNDS_MAX);
    }

    bench_write_file("hello.py", "print('hello')\n");
    bench_write_file("hello.js", "console.log('hello')\n");
    bench_write_file("hello.c", "#include <stdio.h>\n"
               "int main(void){puts(\"hello\");return 0;}\n");
    bench_write_file("hello.cpp", "#include <iostream>\n"
               "int main(){std::cout<<\"hello\\n\";}\n");
    bench_write_file("hello.rs", "fn main(){println!(\"hello\");}\n");

    if (argc == 6) {
        cold();
    } else {
        hello();
        compilers();
    }
    return 0;
}
