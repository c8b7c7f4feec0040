/*
 * What the check of its source adds to a job: the same job with and without
 * it, in turn, each with a source that nobody has seen before.
 *
 *     policy_bench PORT ROUNDS URI-WITH URI-WITHOUT LANGUAGE=FILE=COMMENT ...
 *
 * COMMENT is how a line begins that says nothing; FILE and such a line with a
 * number are the source.  Started by t/bench/run.
 */

#define _GNU_SOURCE

#include "bench.h"
#include "bench_ws.h"

#include <err.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define PROGRAMS_MAX    16
#define ROUNDS_MAX      1000
#define WARM_UP         5
#define PAUSE_NS        40000000    /* between two jobs: people are slower */
#define SOURCE_MAX      8192
#define PIECE           64          /* of a message around its source */

enum { WITH, WITHOUT, WAYS };
enum { FIRST, END, TIMES };

typedef struct {
    char      *language;
    char      *comment;
    char       text[SOURCE_MAX];            /* as JSON has it */
    uint32_t   us[WAYS][TIMES][ROUNDS_MAX];
    int32_t    added[TIMES][ROUNDS_MAX];
    char       path[16];
} program_t;

static program_t  program[PROGRAMS_MAX];
static size_t     programs;
static int        rounds;


/* As it stands in a JSON string. */
static void
escape(char *to, const char *end, FILE *file, const char *path)
{
    int c;

    while ((c = fgetc(file)) != EOF) {
        if (to + PIECE > end) {
            errx(2, "%s is too long", path);
        }
        if (c == '"' || c == '\\') {
            *to++ = '\\';
            *to++ = (char) c;
        } else if (c < ' ') {
            to += sprintf(to, "\\u%04x", (unsigned) c);
        } else {
            *to++ = (char) c;
        }
    }

    *to = '\0';
}


static void
load(program_t *p, char *argument)
{
    char *path = strchr(argument, '=');
    char *comment = path ? strchr(path + 1, '=') : NULL;
    FILE *file;

    if (comment == NULL) {
        errx(2, "LANGUAGE=FILE=COMMENT");
    }
    *path++ = '\0';
    *comment++ = '\0';
    p->language = argument;
    p->comment = comment;

    file = fopen(path, "r");
    if (file == NULL) {
        err(1, "%s", path);
    }
    escape(p->text, p->text + sizeof(p->text), file, path);
    (void) fclose(file);
}


static void
keep_path(program_t *p, const char *complete)
{
    const char *path = strstr(complete, "\"path\":\"");

    if (path) {
        path += strlen("\"path\":\"");
        (void) snprintf(p->path, sizeof(p->path), "%.*s",
                        (int) strcspn(path, "\""), path);
    }
}


static void
run(bench_ws_t *ws, program_t *p, uint32_t ret[TIMES])
{
    char            *text;
    size_t           len;
    uint64_t         start;
    const struct timespec pause = { 0, PAUSE_NS };
    static char      message[SOURCE_MAX + 4 * PIECE];
    static uint64_t  number;

    (void) nanosleep(&pause, NULL);
    (void) snprintf(message, sizeof(message),
                    "{\"type\":\"execute\",\"language\":\"%s\",\"tty\":false,"
                    "\"code\":\"%s%s %d %llu\\n\"}", p->language, p->text,
                    p->comment, (int) getpid(),
                    (unsigned long long) number++);

    start = bench_now_us();
    ret[FIRST] = 0;
    bench_ws_send(ws, message);
    for ( ;; ) {
        text = bench_ws_receive(ws, &len);
        if (ret[FIRST] == 0 && strstr(text, "\"type\":\"output\"")) {
            ret[FIRST] = (uint32_t) (bench_now_us() - start);
        }
        if (strstr(text, "\"type\":\"error\"")) {
            errx(1, "%s: %.300s", p->language, text);
        }
        if (strstr(text, "\"type\":\"complete\"")) {
            ret[END] = (uint32_t) (bench_now_us() - start);
            keep_path(p, text);
            return;
        }
    }
}


static void
measure(program_t *p, bench_ws_t ws[WAYS])
{
    int      round, k, t, way;
    uint32_t us[WAYS][TIMES];

    for (round = -WARM_UP; round < rounds; round++) {
        for (k = 0; k < WAYS; k++) {
            way = round & 1 ? k : WAYS - 1 - k;     /* each goes first */
            run(&ws[way], p, us[way]);
        }
        for (t = 0; round >= 0 && t < TIMES; t++) {
            p->us[WITH][t][round] = us[WITH][t];
            p->us[WITHOUT][t][round] = us[WITHOUT][t];
            p->added[t][round] = (int32_t) (us[WITH][t] - us[WITHOUT][t]);
        }
    }
}


static int
compare(const void *a, const void *b)
{
    const uint32_t *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}


static int
compare_added(const void *a, const void *b)
{
    const int32_t *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}


static double
median_ms(uint32_t *us)
{
    qsort(us, (size_t) rounds, sizeof(us[0]), compare);
    return us[rounds / 2] / 1000.0;
}


static void
report(program_t *p)
{
    int    t;
    double with, without;

    static const char *const names[TIMES] = { "first byte", "complete" };

    for (t = 0; t < TIMES; t++) {
        with = median_ms(p->us[WITH][t]);
        without = median_ms(p->us[WITHOUT][t]);
        qsort(p->added[t], (size_t) rounds, sizeof(p->added[t][0]),
              compare_added);
        printf("%-12s %-8s %-11s %9.3f %9.3f %+9.3f %+9.3f\n", p->language,
               p->path, names[t], without, with, with - without,
               p->added[t][rounds / 2] / 1000.0);
    }
}


int
main(int argc, char **argv)
{
    int        i;
    size_t     k;
    bench_ws_t ws[WAYS];

    if (argc < 6 || argc - 5 > PROGRAMS_MAX) {
        errx(2, "usage: policy_bench PORT ROUNDS URI-WITH URI-WITHOUT"
             " LANGUAGE=FILE=COMMENT ...");
    }

    rounds = atoi(argv[2]);
    if (rounds < 1 || rounds > ROUNDS_MAX) {
        errx(2, "1 to %d rounds", ROUNDS_MAX);
    }
    for (i = 5; i < argc; i++) {
        load(&program[programs++], argv[i]);
    }

    bench_ws_open(&ws[WITH], atoi(argv[1]), argv[3]);
    bench_ws_open(&ws[WITHOUT], atoi(argv[1]), argv[4]);

    printf("%-12s %-8s %-11s %9s %9s %9s %9s\n", "ms", "path", "", "unchecked",
           "checked", "added", "of pairs");
    for (k = 0; k < programs; k++) {
        measure(&program[k], ws);
        report(&program[k]);
        (void) fflush(stdout);
    }

    bench_ws_close(&ws[WITH]);
    bench_ws_close(&ws[WITHOUT]);
    return 0;
}
