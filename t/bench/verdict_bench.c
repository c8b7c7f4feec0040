/*
 * What a verdict costs: from the request of a broker to the answer, as the
 * validator role gives it, in units of a bare process (vfork, exec, exit).
 *
 *     verdict_bench VALIDATOR POLICIES ROUNDS LANGUAGE=FILE ...
 *
 * Between two requests there is a pause, as there is between two jobs.
 * Started by t/bench/run.
 */

#define _GNU_SOURCE

#include "bench.h"

#include <err.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../../sandbox/codr_io.h"
#include "../../sandbox/codr_ipc.h"
#include "../../sandbox/codr_proto.h"
#include "../../sandbox/codr_review_ipc.h"

#define SOURCES_MAX     64
#define ROUNDS_MAX      2000
#define PAUSE_NS        3000000
#define NODES           1000000
#define NOBODY          65534U

typedef struct {
    const char  *language;
    const char  *path;
    uint32_t     number;        /* of the language */
    int          image;
    uint32_t     size;
    uint32_t     us[ROUNDS_MAX];
} source_t;

static source_t  source[SOURCES_MAX];
static size_t    sources;
static unsigned  rounds;
static uint32_t  bare_us[ROUNDS_MAX];
static int       peer;          /* of the validator */
static int       control;


static void
pause_between(void)
{
    const struct timespec t = { 0, PAUSE_NS };

    (void) nanosleep(&t, NULL);
}


static uint32_t
run_bare(void)
{
    int         status;
    pid_t       pid;
    char       *argv[] = { (char *) (uintptr_t) "true", NULL };
    uint64_t    start = bench_now_us();

    if (posix_spawn(&pid, "/usr/bin/true", NULL, NULL, argv, NULL) != 0
        || waitpid(pid, &status, 0) != pid)
    {
        errx(1, "start a bare process");
    }

    return (uint32_t) (bench_now_us() - start);
}


static pid_t
start_validator(const char *executable, const char *policies)
{
    int   ours[2], theirs[2], i, null = open("/dev/null", O_RDWR);
    char  uid[16], gid[16];
    pid_t pid;

    (void) snprintf(uid, sizeof(uid), "%u", geteuid() ? geteuid() : NOBODY);
    (void) snprintf(gid, sizeof(gid), "%u", geteuid() ? getegid() : NOBODY);

    if (null == -1
        || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ours) == -1
        || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, theirs)
           == -1)
    {
        err(1, "make sockets");
    }

    pid = fork();
    if (pid == 0) {
        /* out of the way of the fixed numbers */
        theirs[1] = fcntl(theirs[1], F_DUPFD_CLOEXEC, 64);
        ours[1] = fcntl(ours[1], F_DUPFD_CLOEXEC, 64);
        (void) dup2(null, STDIN_FILENO);
        for (i = 3; i < 32; i++) {
            (void) close(i);
        }
        (void) dup2(STDERR_FILENO, CODR_FD_LOG);
        (void) dup2(ours[1], CODR_FD_CONTROL);
        (void) dup2(theirs[1], CODR_FD_PEER);
        (void) execl(executable, "codr-validator", "serve", "--policies",
                     policies, "--uid", uid, "--gid", gid, "--plan",
                     "python", "--plan", "javascript", "--plan", "c", "--plan",
                     "cpp", "--plan", "rust", (char *) NULL);
        _exit(1);
    }

    (void) close(ours[1]);
    (void) close(theirs[1]);
    control = ours[0];
    peer = theirs[0];
    return pid;
}


/* The numbers of the languages, from the validator's table. */
static void
read_table(void)
{
    int                  memfd = -1;
    size_t               i, nfds, n = 0;
    void                *table;
    ssize_t              size;
    codr_field_t         field;
    codr_fields_t        fields;
    codr_review_ready_t  ready;

    if (codr_io_recv(peer, &ready, sizeof(ready), &memfd, 1, &nfds, NULL)
        != (ssize_t) sizeof(ready)
        || (size = codr_io_sealed_size(memfd, CODR_REVIEW_TABLE_MAX)) <= 0)
    {
        errx(1, "the validator is not ready");
    }

    table = mmap(NULL, (size_t) size, PROT_READ, MAP_PRIVATE, memfd, 0);
    if (table == MAP_FAILED) {
        err(1, "read its table");
    }

    codr_fields_init(&fields, table, (size_t) size);
    while (codr_fields_next(&fields, &field) == 1) {
        if (field.tag != CODR_FIELD_LANGUAGE) {
            break;
        }
        for (i = 0; i < sources; i++) {
            if (strlen(source[i].language) == field.length
                && memcmp(source[i].language, field.data, field.length) == 0)
            {
                source[i].number = (uint32_t) n;
            }
        }
        n++;
    }
}


static void
load(source_t *s, char *argument)
{
    int         fd;
    char       *text, *equals = strchr(argument, '=');
    struct stat st;

    if (equals == NULL) {
        errx(2, "LANGUAGE=FILE");
    }
    *equals = '\0';
    s->language = argument;
    s->path = equals + 1;
    s->number = UINT32_MAX;

    fd = open(s->path, O_RDONLY | O_CLOEXEC);
    if (fd == -1 || fstat(fd, &st) == -1) {
        err(1, "%s", s->path);
    }
    text = malloc((size_t) st.st_size + 1);
    s->image = memfd_create("source", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (text == NULL || read(fd, text, (size_t) st.st_size) != st.st_size
        || codr_io_write_all(s->image, text, (size_t) st.st_size) != 0
        || codr_io_seal(s->image) != 0)
    {
        err(1, "%s", s->path);
    }

    s->size = (uint32_t) st.st_size;
    free(text);
    (void) close(fd);
}


static uint32_t
ask(const source_t *s)
{
    int                          ends[2], fds[2];
    uint64_t                     start = bench_now_us();
    codr_review_verdict_t        verdict;
    static codr_review_request_t request;

    request = (codr_review_request_t) {
        .version = CODR_REVIEW_VERSION, .language = s->number,
        .level = CODR_POLICY_STANDARD, .nodes = NODES, .sources = 1,
        .source = { { 0, s->size } },
    };

    if (pipe2(ends, O_CLOEXEC) == -1) {
        err(1, "pipe");
    }
    if (s->size <= CODR_REVIEW_DATA
        && pread(s->image, request.data, s->size, 0) == (ssize_t) s->size)
    {
        request.bytes = s->size;
    }
    fds[0] = ends[1];
    fds[1] = s->image;
    if (codr_io_send_one(peer, &request, CODR_REVIEW_REQUEST(1), fds,
                         request.bytes ? 1 : 2) != 0)
    {
        errx(1, "the validator is gone");
    }
    (void) close(ends[1]);

    if (read(ends[0], &verdict, sizeof(verdict)) != (ssize_t) sizeof(verdict)
        || verdict.result != CODR_REVIEW_DONE)
    {
        errx(1, "%s: no verdict", s->path);
    }
    (void) close(ends[0]);
    return (uint32_t) (bench_now_us() - start);
}


static int
compare(const void *a, const void *b)
{
    const uint32_t *x = a, *y = b;

    return *x < *y ? -1 : *x > *y;
}


static double
at(uint32_t *us, unsigned percent)
{
    qsort(us, rounds, sizeof(*us), compare);
    return us[(rounds - 1) * percent / 100] / 1000.0;
}


static void
report(void)
{
    size_t i;
    double ms, bare = at(bare_us, 50);

    (void) printf("a verdict, standard: ms (and in bare processes, %.2f ms)\n"
                  "  %-12s %8s %9s %9s %9s %9s\n", bare, "language", "KB",
                  "median", "p95", "a KB", "bare");
    for (i = 0; i < sources; i++) {
        ms = at(source[i].us, 50);
        (void) printf("  %-12s %8.1f %9.3f %9.3f %9.3f %9.2f\n",
                      source[i].language, source[i].size / 1024.0, ms,
                      at(source[i].us, 95), ms * 1024 / source[i].size,
                      ms / bare);
    }
}


/* Proportional set size, in KB. */
static long
memory_of(long pid)
{
    long  kb = 0;
    char  line[256];
    FILE *file;

    (void) snprintf(line, sizeof(line), "/proc/%ld/smaps_rollup", pid);
    file = fopen(line, "r");
    while (file && fgets(line, sizeof(line), file)) {
        if (sscanf(line, "Pss: %ld kB", &kb) == 1) {
            break;
        }
    }
    if (file) {
        (void) fclose(file);
    }

    return kb;
}


/* The role with all that wait, as one figure. */
static void
report_memory(pid_t pid)
{
    long  child, kb = memory_of(pid), children = 0;
    char  path[64];
    FILE *file;

    (void) snprintf(path, sizeof(path), "/proc/%d/task/%d/children", pid,
                    pid);
    file = fopen(path, "r");
    while (file && fscanf(file, "%ld", &child) == 1) {
        kb += memory_of(child);
        children++;
    }
    if (file) {
        (void) fclose(file);
    }

    (void) printf("validator: %.1f MB PSS, %ld processes waiting\n",
                  (double) kb / 1024, children);
}


int
main(int argc, char **argv)
{
    int      i, status;
    pid_t    pid;
    size_t   k;
    unsigned n;

    if (argc < 5 || argc - 4 > SOURCES_MAX) {
        errx(2, "usage: verdict_bench VALIDATOR POLICIES ROUNDS"
             " LANGUAGE=FILE ...");
    }

    rounds = (unsigned) atoi(argv[3]);
    if (rounds == 0 || rounds > ROUNDS_MAX) {
        errx(2, "1 to %d rounds", ROUNDS_MAX);
    }
    for (i = 4; i < argc; i++) {
        load(&source[sources++], argv[i]);
    }

    pid = start_validator(argv[1], argv[2]);
    read_table();

    for (n = 0; n < rounds; n++) {
        bare_us[n] = run_bare();
        for (k = 0; k < sources; k++) {
            pause_between();
            source[k].us[n] = ask(&source[k]);
        }
    }

    report();
    pause_between();
    report_memory(pid);
    (void) close(peer);
    (void) close(control);
    (void) waitpid(pid, &status, 0);
    return 0;
}
