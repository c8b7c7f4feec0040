/*
 * Benchmarks of a running codr location against bare processes, interleaved
 * in one run: quote the ratios, never a lone time.
 *
 *     codr_bench PORT URI ROUNDS DIR
 *
 * DIR is a scratch directory for the bare programs.  Started by t/bench/run.
 */

#define _GNU_SOURCE

#include "bench_ws.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <pty.h>
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
#define STREAM_BYTES    (32 * 1024 * 1024)
#define ECHO_WARM_UP    20

static char *const clean_env[] = {
    (char *) (uintptr_t) "PATH=/usr/bin:/bin",
    (char *) (uintptr_t) "LANG=C.UTF-8", NULL
};

static int         port;
static const char *uri;
static int         rounds;


typedef struct {
    const char   *name;
    const char   *base;         /* the contender it is compared with */
    uint64_t    (*run)(const void *data);
    const void   *data;
    uint64_t      us[ROUNDS_MAX];
} contender_t;


static uint64_t
now_us(void)
{
    struct timespec t;

    (void) clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t) t.tv_sec * 1000000 + (uint64_t) t.tv_nsec / 1000;
}


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
                    (char *const *) (uintptr_t) argv, clean_env) != 0
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
    uint64_t                   start = now_us();
    const char *const *const  *argv = data;

    for ( ; *argv; argv++) {
        spawn_wait(*argv);
    }

    return now_us() - start;
}


static char *
until(bench_ws_t *ws, const char *type, size_t *len)
{
    char *text;

    for ( ;; ) {
        text = bench_ws_receive(ws, len);
        if (strstr(text, type)) {
            return text;
        }
        if (strstr(text, "\"type\":\"error\"")) {
            errx(1, "%.300s", text);
        }
    }
}


/* data: an execute message; request to complete on an open socket */
static uint64_t
run_codr(const void *data)
{
    static bench_ws_t ws;
    static bool       open;
    size_t            len;
    uint64_t          start;

    if (!open) {
        bench_ws_open(&ws, port, uri);
        open = true;
    }

    start = now_us();
    bench_ws_send(&ws, data);
    (void) until(&ws, "\"type\":\"complete\"", &len);
    return now_us() - start;
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


static int
compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *) a, y = *(const uint64_t *) b;

    return (x > y) - (x < y);
}


static uint64_t
percentile(contender_t *c, int percent)
{
    qsort(c->us, (size_t) rounds, sizeof(c->us[0]), compare);
    return c->us[(rounds - 1) * percent / 100];
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
#define EXECUTE(language, code) \
    "{\"type\":\"execute\",\"language\":\"" language "\",\"tty\":false," \
    "\"code\":\"" code "\"}"
#define EXECUTE_TTY(language, code) \
    "{\"type\":\"execute\",\"language\":\"" language "\"," \
    "\"code\":\"" code "\"}"

static void
hello(void)
{
    size_t      i;
    int         round;
    contender_t list[] = {
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

    for (round = -2; round < rounds; round++) {
        for (i = 0; i < sizeof(list) / sizeof(list[0]); i++) {
            list[i].us[round < 0 ? 0 : round] = list[i].run(list[i].data);
        }
    }

    report(list, sizeof(list) / sizeof(list[0]));
}


/* Compiled each time, as the source is another one, and found in the cache;
   the rounds before the first see precompiled headers come. */
static void
compilers(void)
{
    size_t      i;
    int         round;
    contender_t list[] = {
        { .name = "gcc + run bare", .run = run_bare,
          .data = RUNS(LIST("/usr/bin/gcc", "-std=c11", "-O1", "hello.c",
                            "-o", "hello", "-lm"),
                       LIST("./hello")) },
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

    for (round = -4; round < rounds; round++) {
        for (i = 0; i < sizeof(list) / sizeof(list[0]); i++) {
            list[i].us[round < 0 ? 0 : round] = list[i].run(list[i].data);
        }
    }

    report(list, sizeof(list) / sizeof(list[0]));
}


static const char flood[] =
    "import os\\nb=(b'x'*63+b'\\\\n')*1024\\n"
    "for i in range(512): os.write(1,b)\\n";

/* MB/s of the same flood through a bare terminal */
static double
stream_bare(void)
{
    int      master;
    char     buffer[65536];
    pid_t    pid;
    size_t   total = 0;
    ssize_t  n;
    uint64_t start = now_us();

    pid = forkpty(&master, NULL, NULL, NULL);
    if (pid == 0) {
        (void) execle("/usr/bin/python3", "python3", "flood.py", NULL,
                      clean_env);
        _exit(127);
    }
    while ((n = read(master, buffer, sizeof(buffer))) > 0) {
        total += (size_t) n;
    }
    (void) waitpid(pid, NULL, 0);
    (void) close(master);
    return (double) total / (double) (now_us() - start);
}


static double
stream_codr(void)
{
    char      *text, *end, message[512];
    size_t     len;
    double     total;
    uint64_t   start;
    bench_ws_t ws;

    (void) snprintf(message, sizeof(message), "{\"type\":\"execute\","
                    "\"language\":\"python\",\"code\":\"%s\"}", flood);
    bench_ws_open(&ws, port, uri);
    start = now_us();
    bench_ws_send(&ws, message);
    text = until(&ws, "\"type\":\"complete\"", &len);
    end = strstr(text, "\"output_bytes\":");
    total = end ? strtod(end + 15, NULL) : 0;
    bench_ws_close(&ws);
    return total / (double) (now_us() - start);
}


static int
compare_double(const void *a, const void *b)
{
    double x = *(const double *) a, y = *(const double *) b;

    return (x > y) - (x < y);
}


static void
stream(void)
{
    int    i;
    double bare[5], codr[5];

    for (i = 0; i < 5; i++) {
        bare[i] = stream_bare();
        codr[i] = stream_codr();
    }
    qsort(bare, 5, sizeof(double), compare_double);
    qsort(codr, 5, sizeof(double), compare_double);

    printf("terminal stream: bare %.1f MB/s, codr %.1f MB/s, "
           "%.2f of a bare reader\n", bare[2], codr[2], codr[2] / bare[2]);
}


/* A key typed at a terminal with echo: to its echo at the client. */
static void
echo(void)
{
    int          i;
    size_t       len;
    uint64_t     start;
    bench_ws_t   ws;
    contender_t *c = calloc(1, sizeof(*c));

    if (c == NULL) {
        err(1, "calloc");
    }

    bench_ws_open(&ws, port, uri);
    bench_ws_send(&ws, "{\"type\":\"execute\",\"language\":\"python\","
                  "\"tty\":true,\"code\":\"print('ready')\\ninput()\\n\"}");
    (void) until(&ws, "ready", &len);

    for (i = -ECHO_WARM_UP; i < rounds; i++) {
        start = now_us();
        bench_ws_send(&ws, "{\"type\":\"input\",\"data\":\"x\"}");
        (void) until(&ws, "\"type\":\"output\"", &len);
        c->us[i < 0 ? 0 : i] = now_us() - start;
    }

    printf("key echo: median %.3f ms, p99 %.3f ms\n",
           (double) percentile(c, 50) / 1e3, (double) percentile(c, 99) / 1e3);
    bench_ws_close(&ws);
    free(c);
}


static void
write_file(const char *name, const char *text)
{
    FILE *file = fopen(name, "w");

    if (file == NULL || fputs(text, file) == EOF || fclose(file) == EOF) {
        err(1, "write \"%s\"", name);
    }
}


int
main(int argc, char **argv)
{
    if (argc != 5) {
        errx(2, "usage: codr_bench PORT URI ROUNDS DIR");
    }

    port = atoi(argv[1]);
    uri = argv[2];
    rounds = atoi(argv[3]);
    if (rounds < 1 || rounds > ROUNDS_MAX || chdir(argv[4]) == -1) {
        errx(2, "ROUNDS is 1 to %d, DIR a directory", ROUNDS_MAX);
    }

    write_file("hello.py", "print('hello')\n");
    write_file("hello.js", "console.log('hello')\n");
    write_file("hello.c", "#include <stdio.h>\n"
               "int main(void){puts(\"hello\");return 0;}\n");
    write_file("hello.cpp", "#include <iostream>\n"
               "int main(){std::cout<<\"hello\\n\";}\n");
    write_file("hello.rs", "fn main(){println!(\"hello\");}\n");
    write_file("flood.py", "import os\nb=(b'x'*63+b'\\n')*1024\n"
               "for i in range(512): os.write(1,b)\n");

    hello();
    compilers();
    stream();
    echo();
    return 0;
}
