/*
 * Plays the broker against a real spawner.
 *
 *     spawn_bench [-t] [-k NAME] [-f NAME=FILE] [-o OPTION] HELPER -- ARGV...
 *         one sandbox: its messages on stderr, its output on stdout; exit
 *         status that of the program, 126 when it did not come to one
 *     spawn_bench -n COUNT HELPER -- ARGV...
 *         cold starts, request to reaped, with pipes and with a terminal,
 *         interleaved with a bare vfork and exec of the same program
 *
 * -x the program is a file here, and an artefact there: a sealed memfd, which
 * the bare one executes, too; -t terminal, -k send back the artefact NAME, -f a
 * source file, -i standard input, -o an option of the spawner (may repeat), -m
 * memory in MiB.
 */

#define _GNU_SOURCE

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../sandbox/codr_artefact.h"
#include "../../sandbox/codr_io.h"
#include "../../sandbox/codr_ipc.h"
#include "../../sandbox/codr_proto.h"
#include "../../sandbox/codr_util.h"

#define FIRST_UID   1600000000  /* far from those of a running helper */
#define UIDS        16
#define OPTIONS_MAX 16
#define FILES_MAX   16
#define SAMPLES_MAX 100000
#define WARM_UP     20      /* slots made, pages touched */
#define PAUSE_MS    2       /* in which the spawner tidies up, and is idle */

#define MUST(call)  must((call) != -1, #call)

typedef struct {
    bool         terminal;
    bool         quiet;
    const char  *keep;
    const char  *input;
    size_t       nfiles;
    char        *files[FILES_MAX];
    char       **argv;
    int          artefact;  /* or -1: argv[0] is in the sandbox's root */
    uint64_t     memory;
} job_t;

typedef struct {
    int   fds[5];           /* for init: sources, artefact, three streams */
    int   nfds;
    int   init;
    int   in;               /* our ends; the terminal's master is both */
    int   out;
    int   err;
    bool  exited;
    bool  reaped;
    int   status;           /* as waitpid(), -1: none */
} run_t;

static char *options[OPTIONS_MAX];
static int   peer, control, log_end;
static pid_t helper;


static void
must(bool ok, const char *what)
{
    if (!ok) {
        perror(what);
        exit(126);
    }
}


static void
start_helper(char *path)
{
    int   i, n = 0, c[2], l[2], p[2], self;
    char *argv[OPTIONS_MAX + 8], uids[32];

    (void) snprintf(uids, sizeof(uids), "%d:%d",
                    FIRST_UID + (int) getpid() % 65536 * UIDS, UIDS);

    MUST(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, c));
    MUST(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, l));
    MUST(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, p));
    MUST(self = open(path, O_RDONLY | O_CLOEXEC));

    argv[n++] = path;
    argv[n++] = (char *) (uintptr_t) "spawner";
    argv[n++] = (char *) (uintptr_t) "--uids";
    argv[n++] = uids;
    for (i = 0; options[i]; i++) {
        argv[n++] = options[i];
    }
    argv[n] = NULL;

    MUST(helper = fork());
    if (helper == 0) {
        int from[] = { c[1], l[1], self, p[1] };

        for (i = 0; i < 4; i++) {
            from[i] = fcntl(from[i], F_DUPFD, 20);
        }
        for (i = 0; i < 4; i++) {
            (void) dup2(from[i], CODR_FD_CONTROL + i);
        }
        n = open("/dev/null", O_RDONLY);
        (void) dup2(n, 0);
        (void) close_range(CODR_FD_PEER + 1, ~0U, 0);
        (void) execv(path, argv);
        _exit(127);
    }

    control = c[0];
    log_end = l[0];
    peer = p[0];
    (void) close(c[1]);
    (void) close(l[1]);
    (void) close(p[1]);
    (void) close(self);
}


static void
print_log(void)
{
    uint8_t       frame[2048];
    ssize_t       n;
    codr_field_t  field;
    codr_fields_t fields;

    while ((n = recv(log_end, frame, sizeof(frame), MSG_DONTWAIT)) > 8) {
        codr_fields_init(&fields, frame + CODR_FRAME_HEADER,
                         (size_t) n - CODR_FRAME_HEADER);
        while (codr_fields_next(&fields, &field) == 1) {
            if (field.tag == CODR_FIELD_MESSAGE) {
                (void) fprintf(stderr, "log: %.*s\n", (int) field.length,
                               (const char *) field.data);
            }
        }
    }
}


static void
await_ready(void)
{
    int                i, memory = -1;
    size_t             nfds = 0;
    ssize_t            n;
    codr_spawn_reply_t reply;

    n = codr_io_recv(peer, &reply, sizeof(reply), &memory, 1, &nfds, NULL);
    codr_close(&memory);
    print_log();
    must(n == sizeof(reply) && reply.kind == CODR_SPAWNER_READY, "ready");

    for (i = 0; i < CODR_LAYER_COUNT; i++) {
        if (reply.layer[i] == CODR_LAYER_MISSING) {
            (void) fprintf(stderr, "missing: %s\n",
                           codr_layer_name((codr_layer_id_t) i));
        }
    }
}


static void
put_file(codr_writer_t *writer, const char *spec)
{
    int         fd;
    char        name[256], text[65536];
    ssize_t     n;
    const char *equals = strchr(spec, '=');

    must(equals && equals - spec < 256, spec);
    memcpy(name, spec, (size_t) (equals - spec));
    name[equals - spec] = '\0';

    fd = open(equals + 1, O_RDONLY);
    n = read(fd, text, sizeof(text));
    must(n >= 0, equals + 1);
    (void) close(fd);

    codr_put_text(writer, CODR_FIELD_FILE_NAME, name);
    codr_put_bytes(writer, CODR_FIELD_FILE_DATA, text, (size_t) n);
}


static int
make_image(const job_t *job)
{
    int            fd;
    size_t         i;
    static uint8_t buffer[1024 * 1024];
    codr_writer_t  writer;

    codr_writer_init(&writer, buffer, sizeof(buffer));
    for (i = 0; i < job->nfiles; i++) {
        put_file(&writer, job->files[i]);
    }

    MUST(fd = memfd_create("image", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    must(codr_io_write_all(fd, buffer, (size_t) (writer.pos - writer.start))
         == 0 && codr_io_seal(fd) == 0, "image");

    return fd;
}


static int
make_artefact(const char *path)
{
    int              fd;
    void            *data;
    struct stat      st;
    codr_artefact_t  artefact = CODR_ARTEFACT_NONE;

    MUST(fd = open(path, O_RDONLY | O_CLOEXEC));
    MUST(fstat(fd, &st));
    data = mmap(NULL, (size_t) st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    must(data != MAP_FAILED, path);
    must(codr_artefact_begin(&artefact, (uint64_t) st.st_size, UINT64_MAX) == 0
         && codr_artefact_add(&artefact, data, (size_t) st.st_size) == 0
         && artefact.sealed, path);

    (void) munmap(data, (size_t) st.st_size);
    (void) close(fd);
    return artefact.memfd;
}


/* What is there before a sandbox is asked for. */
static run_t
prepare(const job_t *job)
{
    int   i, ends[2];
    run_t run = { .in = -1, .out = -1, .err = -1, .status = -1 };

    run.fds[run.nfds++] = make_image(job);
    if (job->artefact >= 0) {
        MUST(run.fds[run.nfds++] = fcntl(job->artefact, F_DUPFD_CLOEXEC, 0));
    }

    for (i = 0; !job->terminal && i < 3; i++) {
        MUST(pipe2(ends, O_CLOEXEC));
        run.fds[run.nfds++] = ends[i == 0 ? 0 : 1];
        *(i == 0 ? &run.in : i == 1 ? &run.out : &run.err) =
            ends[i == 0 ? 1 : 0];
    }

    return run;
}


static void
tell_init(const run_t *run, codr_init_op_t op)
{
    codr_init_request_t request = {
        .version = CODR_IPC_VERSION,
        .op = op,
    };

    (void) codr_io_send_one(run->init, &request, sizeof(request), NULL, 0);
}


static void
describe(const job_t *job, run_t *run)
{
    char               **arg;
    uint8_t              buffer[65536];
    codr_writer_t        writer;
    codr_init_request_t  head = {
        .version = CODR_IPC_VERSION,
        .op = CODR_INIT_DESCRIBE,
        .flags = (job->keep ? CODR_DESCRIBE_KEEP : 0)
                 | (job->artefact >= 0 ? CODR_DESCRIBE_ARTEFACT : 0)
                 | (job->terminal ? 0 : CODR_DESCRIBE_STDIO),
        .artefact_max = 64 << 20,
    };

    memcpy(buffer, &head, sizeof(head));
    codr_writer_init(&writer, buffer + sizeof(head),
                     sizeof(buffer) - sizeof(head));
    if (job->keep) {
        codr_put_text(&writer, CODR_FIELD_FILE_NAME, job->keep);
    }
    for (arg = job->argv; *arg; arg++) {
        codr_put_text(&writer, CODR_FIELD_ARG, *arg);
    }
    codr_put_text(&writer, CODR_FIELD_ENV,
                  "PATH=/usr/local/bin:/usr/bin:/bin");
    codr_put_text(&writer, CODR_FIELD_ENV, "HOME=/box");
    codr_put_text(&writer, CODR_FIELD_ENV, "USER=codr");
    codr_put_text(&writer, CODR_FIELD_ENV, "LANG=C.UTF-8");
    codr_put_number(&writer, CODR_FIELD_TERMINAL,
                    job->terminal ? CODR_TERMINAL_DUMB : CODR_TERMINAL_NONE);

    must(codr_io_send_one(run->init, buffer,
                          (size_t) (writer.pos - buffer), run->fds,
                          (size_t) run->nfds) == 0, "describe");
    while (run->nfds > 0) {
        (void) close(run->fds[--run->nfds]);
    }

    tell_init(run, CODR_INIT_RUN);
}


static void
request_spawn(const job_t *job, run_t *run, uint64_t id)
{
    int                  ends[2];
    codr_spawn_request_t request = {
        .version = CODR_IPC_VERSION,
        .op = CODR_SPAWN,
        .id = id,
        .slot = 1 + (uint32_t) id % 2,
        .flags = job->terminal ? CODR_SPAWN_TERMINAL : 0,
        .memory = job->memory,
        .stack = 64 << 20,
        .disk = 64 << 20,
        .inodes = 10000,
        .file_size = 64 << 20,
        .cpu_seconds = 60,
        .processes = 64,
        .open_files = 256,
    };

    MUST(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends));
    must(codr_io_send_one(peer, &request, sizeof(request), &ends[1], 1) == 0,
         "spawn");
    (void) close(ends[1]);
    run->init = ends[0];
}


/* Bytes of an artefact follow its header as raw messages. */
static void
take_artefact(const run_t *run, uint64_t size)
{
    ssize_t     n;
    uint64_t    got = 0;
    static char chunk[CODR_IPC_CHUNK];

    while (got < size) {
        n = codr_io_recv(run->init, chunk, sizeof(chunk), NULL, 0, NULL,
                         NULL);
        must(n > 0, "artefact");
        got += (uint64_t) n;
    }
    (void) fprintf(stderr, "init: artefact of %zu bytes\n", (size_t) size);
}


static void
from_init(const job_t *job, run_t *run)
{
    int               fd = -1;
    size_t            nfds = 0;
    ssize_t           n;
    codr_init_reply_t reply;

    n = codr_io_recv(run->init, &reply, sizeof(reply), &fd, 1, &nfds, NULL);
    if (n <= 0) {
        codr_close(&run->init);
        return;
    }

    if (!job->quiet) {
        (void) fprintf(stderr, "init: kind %u step \"%s\" error %d status %x "
                       "flags %x\n", reply.kind, codr_step_name(reply.step),
                       reply.error, (unsigned) reply.wait_status,
                       reply.flags);
    }

    if (fd >= 0) {              /* the terminal comes with the first message */
        run->out = fd;
        run->in = dup(fd);
    }

    switch (reply.kind) {
    case CODR_INIT_READY:
    case CODR_INIT_PREPARED:
        break;
    case CODR_INIT_STARTED:
        if (job->input) {
            (void) codr_io_write_all(run->in, job->input,
                                     strlen(job->input));
        }
        if (!job->terminal) {
            codr_close(&run->in);
        }
        break;
    case CODR_INIT_ARTEFACT:
        take_artefact(run, reply.value);
        break;
    case CODR_INIT_EXITED:
        run->status = reply.wait_status;
        codr_close(&run->init);         /* as the broker does */
        break;
    }
}


static void
from_spawner(const job_t *job, run_t *run)
{
    int                fds[3];
    size_t             nfds = 0;
    codr_spawn_reply_t reply;

    must(codr_io_recv(peer, &reply, sizeof(reply), fds, 3, &nfds, NULL)
         == sizeof(reply), "spawner");
    while (nfds > 0) {
        (void) close(fds[--nfds]);
    }

    if (!job->quiet || reply.kind == CODR_SPAWNER_REFUSED) {
        (void) fprintf(stderr, "spawner: kind %u step \"%s\" error %d status "
                       "%x cpu %zu us peak %zu oom %u\n", reply.kind,
                       codr_step_name(reply.step), reply.error,
                       (unsigned) reply.wait_status, (size_t) reply.cpu_us,
                       (size_t) reply.memory_peak, reply.oom_events);
    }

    run->reaped = reply.kind == CODR_SPAWNER_EXITED
                  || reply.kind == CODR_SPAWNER_REFUSED;
}


static void
from_program(const job_t *job, int *fd, int to)
{
    char    text[65536];
    ssize_t n = read(*fd, text, sizeof(text));

    if (n <= 0) {
        codr_close(fd);
    } else if (!job->quiet) {
        (void) codr_io_write_all(to, text, (size_t) n);
    }
}


static int
run_job(const job_t *job, uint64_t id, uint64_t *ret_us)
{
    run_t    run = prepare(job);
    uint64_t start = codr_now_us();

    request_spawn(job, &run, id);
    describe(job, &run);

    while (!run.reaped || run.out >= 0 || run.err >= 0 || run.init >= 0) {
        struct pollfd events[] = {
            { .fd = run.reaped ? -1 : peer, .events = POLLIN },
            { .fd = run.init, .events = POLLIN },
            { .fd = run.out, .events = POLLIN },
            { .fd = run.err, .events = POLLIN },
        };

        MUST(poll(events, 4, -1));
        if (events[2].revents) {
            from_program(job, &run.out, STDOUT_FILENO);
        }
        if (events[3].revents) {
            from_program(job, &run.err, STDERR_FILENO);
        }
        if (events[1].revents) {
            from_init(job, &run);
        }
        if (events[0].revents) {
            from_spawner(job, &run);
        }
    }

    *ret_us = codr_now_us() - start;
    codr_close(&run.in);
    return run.status;
}


static uint64_t
run_bare(const job_t *job)
{
    int      status, null = open("/dev/null", O_RDWR | O_CLOEXEC);
    uint64_t start = codr_now_us();
    pid_t    pid = vfork();

    if (pid == 0) {
        (void) dup2(null, 1);
        if (job->artefact >= 0) {
            (void) fexecve(job->artefact, job->argv, environ);
        }
        (void) execv(job->argv[0], job->argv);
        _exit(127);
    }
    MUST(pid);
    MUST(waitpid(pid, &status, 0));
    start = codr_now_us() - start;
    (void) close(null);
    must(WIFEXITED(status) && WEXITSTATUS(status) == 0, "bare");

    return start;
}


static int
compare(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}


static uint64_t
median(uint64_t *samples, size_t count)
{
    qsort(samples, count, sizeof(*samples), compare);

    return samples[count / 2];
}


static void
print_medians(uint64_t **samples, size_t count)
{
    size_t      kind;
    double      middle, bare = (double) median(samples[0], count);
    const char *names[] = { NULL, "pipes", "terminal" };

    (void) printf("  bare      %4.0f us  min %zu\n", bare,
                  (size_t) samples[0][0]);
    for (kind = 1; kind < 3; kind++) {
        middle = (double) median(samples[kind], count);
        (void) printf("  %-8s  %4.0f us  min %zu  isolation %+.3f ms\n",
                      names[kind], middle, (size_t) samples[kind][0],
                      (middle - bare) / 1000);
    }
}


static void
bench(job_t *job, size_t count, int pause_ms)
{
    size_t          i, kind;
    uint64_t        us, bare;
    uint64_t       *samples[3];
    static uint64_t id;

    for (kind = 0; kind < 3; kind++) {
        samples[kind] = calloc(count, sizeof(uint64_t));
        must(samples[kind] != NULL, "memory");
    }

    job->quiet = true;
    for (i = 0; i < count + WARM_UP; i++) {
        for (kind = 1; kind < 3; kind++) {
            /* without a pause the spawner tidies up meanwhile */
            (void) poll(NULL, 0, pause_ms);
            bare = run_bare(job);
            (void) poll(NULL, 0, pause_ms);
            job->terminal = kind == 2;
            must(run_job(job, ++id, &us) == 0, "job");

            if (i >= WARM_UP) {
                samples[0][i - WARM_UP] = bare;
                samples[kind][i - WARM_UP] = us;
            }
        }
    }

    print_medians(samples, count);
    for (kind = 0; kind < 3; kind++) {
        free(samples[kind]);
    }
}


static int
exit_status(int status)
{
    if (status == -1) {
        return 126;
    }

    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}


int
main(int argc, char **argv)
{
    int      option, noptions = 0, status = 0;
    bool     artefact = false;
    job_t    job = { .artefact = -1, .memory = 300 << 20 };
    size_t   count = 0;
    uint64_t us;

    while ((option = getopt(argc, argv, "+xtk:f:i:o:m:n:")) != -1) {
        switch (option) {
        case 'x':
            artefact = true;
            break;
        case 't':
            job.terminal = true;
            break;
        case 'k':
            job.keep = optarg;
            break;
        case 'f':
            must(job.nfiles < FILES_MAX, "-f");
            job.files[job.nfiles++] = optarg;
            break;
        case 'i':
            job.input = optarg;
            break;
        case 'o':
            must(noptions < OPTIONS_MAX - 1, "-o");
            options[noptions++] = optarg;
            break;
        case 'm':
            job.memory = strtoull(optarg, NULL, 10) << 20;
            break;
        case 'n':
            count = strtoull(optarg, NULL, 10);
            must(count > 0 && count <= SAMPLES_MAX, "-n");
            break;
        default:
            return 2;
        }
    }
    if (optind + 2 > argc) {
        (void) fprintf(stderr, "usage: spawn_bench [options] HELPER ARGV\n");
        return 2;
    }

    start_helper(argv[optind]);
    job.argv = argv + optind + 1;
    if (strcmp(job.argv[0], "--") == 0) {
        job.argv++;
    }
    if (artefact) {
        job.artefact = make_artefact(job.argv[0]);
    }
    await_ready();

    if (count > 0) {
        (void) printf("a cold sandbox, one after another:\n");
        bench(&job, count, 0);
        (void) printf("each after a pause of %d ms:\n", PAUSE_MS);
        bench(&job, count, PAUSE_MS);
    } else {
        status = exit_status(run_job(&job, 1, &us));
        print_log();
    }

    (void) close(control);
    (void) close(peer);
    MUST(waitpid(helper, NULL, 0));
    print_log();

    return status;
}
