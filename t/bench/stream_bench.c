/*
 * How fast output reaches a client, against a bare reader of the same
 * program, interleaved: through a terminal, through pipes; and how soon a key
 * is echoed, by an idle machine and by one whose processors are all busy.
 *
 *     stream_bench PORT URI ROUNDS DIR [terminal|pipe|echo]
 *
 * DIR is a scratch directory for the bare programs; the last argument leaves
 * only a part of it.  Started by t/bench/run.
 */

#define _GNU_SOURCE

#include "bench.h"
#include "bench_ws.h"

#include <err.h>
#include <pty.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define ROUNDS_MAX      10000
#define STREAM_ROUNDS   9
#define TERMINAL_MB     32
#define PIPE_MB         256
#define ECHO_WARM_UP    20
#define BUSY_MAX        16

#define BIN             "codr.v1.bin"

/* Lines of 64 bytes, written 64 KB at a time. */
#define FLOOD \
    "import os,sys%sb=(b'x'*63+b'%sn')*1024%s" \
    "for i in range(%d): os.write(1,b)%s"

typedef struct {
    const char  *name;
    const char  *protocol;      /* NULL: JSON */
    bool         terminal;
    bool         bare;
    double       mb_s[STREAM_ROUNDS];
} stream_t;

static stream_t streams[] = {
    { .name = "terminal, bare reader", .terminal = true, .bare = true },
    { .name = "terminal, codr, JSON", .terminal = true },
    { .name = "terminal, codr, binary", .terminal = true, .protocol = BIN },
    { .name = "pipe, bare reader", .bare = true },
    { .name = "pipe, codr, JSON" },
    { .name = "pipe, codr, binary", .protocol = BIN },
};

#define STREAMS     (sizeof(streams) / sizeof(streams[0]))

static int         port;
static const char *uri;
static const char *only;        /* NULL: everything */


static bool
is_wanted(const char *part)
{
    return only == NULL || strcmp(only, part) == 0;
}


static bool
stream_is_wanted(const stream_t *stream)
{
    return is_wanted(stream->terminal ? "terminal" : "pipe");
}


static int
writes(bool terminal)
{
    return (terminal ? TERMINAL_MB : PIPE_MB) * 16;
}


static void
run_flood(bool terminal)
{
    (void) execle("/usr/bin/python3", "python3",
                  terminal ? "terminal.py" : "pipe.py", NULL, bench_env);
    _exit(127);
}


static pid_t
start_bare(bool terminal, int *ret_fd)
{
    int   ends[2];
    pid_t pid;

    if (terminal) {
        pid = forkpty(ret_fd, NULL, NULL, NULL);
        if (pid == 0) {
            run_flood(true);
        }
        return pid;
    }

    if (pipe(ends) == -1) {
        err(1, "pipe");
    }
    pid = fork();
    if (pid == 0) {
        (void) dup2(ends[1], 1);
        (void) close(ends[0]);
        (void) close(ends[1]);
        run_flood(false);
    }
    (void) close(ends[1]);
    *ret_fd = ends[0];
    return pid;
}


/* MB/s, from the start of the program to its end. */
static double
stream_bare(const stream_t *stream)
{
    int         fd;
    pid_t       pid;
    size_t      total = 0;
    ssize_t     n;
    uint64_t    start = bench_now_us();
    static char buffer[65536];

    pid = start_bare(stream->terminal, &fd);
    while ((n = read(fd, buffer, sizeof(buffer))) > 0) {
        total += (size_t) n;
    }
    (void) waitpid(pid, NULL, 0);
    (void) close(fd);
    return (double) total / (double) (bench_now_us() - start);
}


static double
stream_codr(const stream_t *stream)
{
    char      *text, *end, message[512], code[256];
    double     total;
    uint64_t   start;
    bench_ws_t ws;

    (void) snprintf(code, sizeof(code), FLOOD, "\\n", "\\\\", "\\n",
                    writes(stream->terminal), "\\n");
    (void) snprintf(message, sizeof(message), "{\"type\":\"execute\","
                    "\"language\":\"python\",%s\"code\":\"%s\"}",
                    stream->terminal ? "" : "\"tty\":false,", code);
    bench_ws_open_as(&ws, port, uri, stream->protocol);
    start = bench_now_us();
    bench_ws_send(&ws, message);
    text = bench_ws_until(&ws, "complete");
    end = strstr(text, "\"output_bytes\":");
    total = end ? strtod(end + 15, NULL) : 0;
    if (total < writes(stream->terminal) * 65536.0) {
        errx(1, "%s: incomplete: %.400s", stream->name, text);
    }
    bench_ws_close(&ws);
    return total / (double) (bench_now_us() - start);
}


static void
measure_streams(void)
{
    int    round;
    size_t i;
    double mb_s;

    for (round = -1; round < STREAM_ROUNDS; round++) {
        for (i = 0; i < STREAMS; i++) {
            if (!stream_is_wanted(&streams[i])) {
                continue;
            }
            mb_s = streams[i].bare ? stream_bare(&streams[i])
                                   : stream_codr(&streams[i]);
            streams[i].mb_s[round < 0 ? 0 : round] = mb_s;
        }
    }
}


static void
report_streams(void)
{
    size_t i;
    double median, bare = 1;

    printf("%-34s %9s %9s  %s\n", "output", "MB/s", "max", "of a bare reader");
    for (i = 0; i < STREAMS; i++) {
        if (!stream_is_wanted(&streams[i])) {
            continue;
        }
        median = bench_median(streams[i].mb_s, STREAM_ROUNDS);
        bare = streams[i].bare ? median : bare;
        printf("%-34s %9.1f %9.1f  %.2f\n", streams[i].name, median,
               streams[i].mb_s[STREAM_ROUNDS - 1], median / bare);
    }
}


/* A key typed at a terminal with echo: to its echo at the client. */
static void
report_echo(const char *when, size_t rounds)
{
    int             i;
    uint64_t        start;
    bench_ws_t      ws;
    static uint64_t us[ROUNDS_MAX];

    bench_ws_open(&ws, port, uri);
    bench_ws_send(&ws, "{\"type\":\"execute\",\"language\":\"python\","
                  "\"tty\":true,\"code\":\"print('ready')\\ninput()\\n\"}");
    (void) bench_ws_until(&ws, "output");

    for (i = -ECHO_WARM_UP; i < (int) rounds; i++) {
        start = bench_now_us();
        bench_ws_send(&ws, "{\"type\":\"input\",\"data\":\"x\"}");
        (void) bench_ws_until(&ws, "output");
        us[i < 0 ? 0 : i] = bench_now_us() - start;
    }

    printf("key echo, %-24s median %.3f ms, p99 %.3f ms\n", when,
           (double) bench_percentile(us, rounds, 50) / 1e3,
           (double) bench_percentile(us, rounds, 99) / 1e3);
    bench_ws_close(&ws);
}


/* Twice as many programs as there are processors, which do nothing else. */
static size_t
busy_count(void)
{
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);

    return 2 * (size_t) cpus < BUSY_MAX ? 2 * (size_t) cpus : BUSY_MAX;
}


static void
echo_beside_jobs(size_t rounds)
{
    size_t     i, count = busy_count();
    bench_ws_t ws[BUSY_MAX];

    for (i = 0; i < count; i++) {
        bench_ws_open(&ws[i], port, uri);
        bench_ws_send(&ws[i], "{\"type\":\"execute\",\"language\":\"python\","
                      "\"code\":\"print('ready')\\nwhile True: pass\\n\"}");
        (void) bench_ws_until(&ws[i], "output");
    }

    report_echo("processors busy with jobs:", rounds);

    for (i = 0; i < count; i++) {
        bench_ws_close(&ws[i]);
    }
}


static void
echo_beside_processes(size_t rounds)
{
    pid_t  pid[BUSY_MAX];
    size_t i, count = busy_count();

    for (i = 0; i < count; i++) {
        pid[i] = fork();
        if (pid[i] == 0) {
            for ( ;; ) {
                continue;
            }
        }
    }

    report_echo("with processes of the host:", rounds);

    for (i = 0; i < count; i++) {
        (void) kill(pid[i], SIGKILL);
        (void) waitpid(pid[i], NULL, 0);
    }
}


static void
write_flood(const char *name, bool terminal)
{
    char code[256];

    (void) snprintf(code, sizeof(code), FLOOD, "\n", "\\", "\n",
                    writes(terminal), "\n");
    bench_write_file(name, code);
}


int
main(int argc, char **argv)
{
    int rounds;

    if (argc < 5 || argc > 6) {
        errx(2, "usage: stream_bench PORT URI ROUNDS DIR"
             " [terminal|pipe|echo]");
    }

    port = atoi(argv[1]);
    uri = argv[2];
    rounds = atoi(argv[3]);
    only = argv[5];
    if (rounds < 1 || rounds > ROUNDS_MAX || chdir(argv[4]) == -1) {
        errx(2, "ROUNDS is 1 to %d, DIR a directory", ROUNDS_MAX);
    }

    write_flood("terminal.py", true);
    write_flood("pipe.py", false);

    measure_streams();
    report_streams();
    if (is_wanted("echo")) {
        report_echo("idle:", (size_t) rounds);
        echo_beside_jobs((size_t) rounds);
        echo_beside_processes((size_t) rounds);
    }
    return 0;
}
