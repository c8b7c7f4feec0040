/*
 * What others feel of a tenant who abuses the machine: a hello and the echo of
 * a key, alone and beside a fork bomb, beside floods of output, and beside
 * programs that eat processors and memory.
 *
 *     abuse_bench PORT URI ROUNDS
 *
 * Started by t/bench/run, with a location whose codr_owner is $arg_owner.
 */

#define _GNU_SOURCE

#include "bench.h"
#include "bench_ws.h"

#include <err.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define ROUNDS_MAX      10000
#define ABUSERS         4       /* sockets of the one tenant, each busy */

#define HELLO \
    "{\"type\":\"execute\",\"language\":\"python\",\"tty\":false," \
    "\"code\":\"print('hello')\\n\"}"
#define KEYS \
    "{\"type\":\"execute\",\"language\":\"python\",\"tty\":true," \
    "\"code\":\"print('ready')\\nwhile True: input()\\n\"}"
#define PROGRAM(options, code) \
    "{\"type\":\"execute\",\"language\":\"python\"," options \
    "\"code\":\"print('ready',flush=True)\\n" code "\"}"

typedef struct {
    const char  *name;
    const char  *message;       /* NULL: nobody abuses anything */
} abuse_t;

static const abuse_t abuses[] = {
    { "alone", NULL },
    { "beside a fork bomb",
      PROGRAM("", "import os\\nwhile True:\\n try: os.fork()\\n"
              " except OSError: pass\\n") },
    { "beside floods, terminal",
      PROGRAM("", "import os\\nwhile True: os.write(1,b'x'*63+b'\\\\n')\\n") },
    { "beside floods, pipes",
      PROGRAM("\"tty\":false,",
              "import os\\nwhile True: os.write(1,b'x'*65536)\\n") },
    { "beside busy loops", PROGRAM("", "while True: pass\\n") },
    { "beside memory hogs",
      PROGRAM("", "a=[]\\nwhile True: a.append(bytearray(1<<20))\\n") },
};

#define ABUSES      (sizeof(abuses) / sizeof(abuses[0]))

static int       port;
static char      uri[256], abuser_uri[256];
static size_t    rounds;
static uint64_t  us[ROUNDS_MAX];


/* One socket of the abuser: its program again and again, what it writes is
   read; a byte goes to the pipe when it runs for the first time. */
static void
abuse(const char *message, int ready)
{
    char       type;
    size_t     len;
    bench_ws_t ws;

    bench_ws_open(&ws, port, abuser_uri);
    for ( ;; ) {
        bench_ws_send(&ws, message);
        (void) bench_ws_until(&ws, "output");
        if (ready != -1) {
            (void) !write(ready, "", 1);
            (void) close(ready);
            ready = -1;
        }
        do {
            type = bench_ws_receive(&ws, &len)[sizeof("{\"type\":\"") - 1];
        } while (type != 'c' && type != 'e');   /* complete, error */
    }
}


static void
start(const char *message, pid_t *pids)
{
    int    i, ends[2];
    char   byte;

    if (pipe(ends) == -1) {
        err(1, "pipe");
    }
    for (i = 0; i < ABUSERS; i++) {
        pids[i] = fork();
        if (pids[i] == 0) {
            (void) close(ends[0]);
            abuse(message, ends[1]);
            _exit(1);
        }
    }
    (void) close(ends[1]);
    for (i = 0; i < ABUSERS; i++) {
        if (read(ends[0], &byte, 1) != 1) {
            errx(1, "an abuser does not run");
        }
    }
    (void) close(ends[0]);
}


static void
stop(const pid_t *pids)
{
    int i;

    for (i = 0; i < ABUSERS; i++) {
        (void) kill(pids[i], SIGKILL);
        (void) waitpid(pids[i], NULL, 0);
    }
}


/* A run of HELLO, or a key of a program that waits for it. */
static void
once(bench_ws_t *ws, bool key)
{
    bench_ws_send(ws, key ? "{\"type\":\"input\",\"data\":\"x\"}" : HELLO);
    (void) bench_ws_until(ws, key ? "output" : "complete");
}


static void
measure(bool key)
{
    size_t     i;
    uint64_t   begun;
    bench_ws_t ws;

    bench_ws_open(&ws, port, uri);
    if (key) {
        bench_ws_send(&ws, KEYS);
        (void) bench_ws_until(&ws, "output");
    }
    once(&ws, key);
    for (i = 0; i < rounds; i++) {
        begun = bench_now_us();
        once(&ws, key);
        us[i] = bench_now_us() - begun;
    }
    bench_ws_close(&ws);
}


static void
report(const abuse_t *abuse_, bool key)
{
    static uint64_t alone[2][2];
    uint64_t        median = bench_percentile(us, rounds, 50);
    uint64_t        p99 = bench_percentile(us, rounds, 99);

    if (abuse_->message == NULL) {
        alone[key][0] = median;
        alone[key][1] = p99;
    }
    printf("%-10s %-23s %9.3f %9.3f  %.2f / %.2f\n",
           key ? "key echo" : "hello", abuse_->name, (double) median / 1e3,
           (double) p99 / 1e3, (double) median / (double) alone[key][0],
           (double) p99 / (double) alone[key][1]);
}


int
main(int argc, char **argv)
{
    int    key;
    size_t i;
    pid_t  pids[ABUSERS];

    if (argc != 4) {
        errx(2, "usage: abuse_bench PORT URI ROUNDS");
    }

    port = atoi(argv[1]);
    (void) snprintf(uri, sizeof(uri), "%s?owner=others", argv[2]);
    (void) snprintf(abuser_uri, sizeof(abuser_uri), "%s?owner=abuser",
                    argv[2]);
    rounds = (size_t) atoi(argv[3]);
    if (rounds < 1 || rounds > ROUNDS_MAX) {
        errx(2, "ROUNDS is 1 to %d", ROUNDS_MAX);
    }

    printf("%-34s %9s %9s  %s\n", "what others feel", "median ms", "p99 ms",
           "of alone, median / p99");
    for (i = 0; i < ABUSES; i++) {
        if (abuses[i].message) {
            start(abuses[i].message, pids);
        }
        for (key = 0; key < 2; key++) {
            measure(key);
            report(&abuses[i], key);
        }
        if (abuses[i].message) {
            stop(pids);
        }
    }
    return 0;
}
