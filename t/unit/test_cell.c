/*
 * A validator's child that has been taken over: codr_check_source() of this
 * program is what an attacker would do in its place.  Each attempt ends the
 * process or fails; the control, the same without the cell, succeeds.
 */

#define _GNU_SOURCE

#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../../sandbox/codr_io.h"
#include "../../sandbox/codr_sanitized.h"
#include "../../sandbox/codr_util.h"
#include "../../validators/codr_budget.h"
#include "../../validators/codr_cell.h"
#include "../../validators/codr_check.h"

#define BIG     (400UL * 1024 * 1024)
#define SAMPLES 10000
#define ANSWER  1               /* a child's one descriptor */

extern const char etext;        /* of the linker */


/* One that has no tables. */
const codr_grammar_t *
codr_grammar_at(size_t i)
{
    static const codr_grammar_t none = {
        .name = "none", .tables = &etext, .tables_end = &etext,
    };

    return i == 0 ? &none : NULL;
}


static bool
opens_file(void)
{
    return open("/etc/passwd", O_RDONLY) != -1;
}


static bool
opens_socket(void)
{
    return socket(AF_UNIX, SOCK_STREAM, 0) != -1;
}


static bool
forks(void)
{
    pid_t pid = fork();

    if (pid == 0) {
        _exit(0);
    }
    return pid > 0;
}


static bool
executes(void)
{
    char *argv[] = { (char *) (uintptr_t) "true", NULL };

    (void) execve("/bin/true", argv, NULL);
    return false;               /* the control sees the exit status of true */
}


static bool
signals(void)
{
    return kill(getppid(), 0) == 0;
}


/* Another source would come this way. */
static bool
reads_descriptor(void)
{
    int  fd;
    char byte;

    for (fd = 0; fd < 64; fd++) {
        if (pread(fd, &byte, 1, 0) == 1) {
            return true;
        }
    }

    return false;
}


/* The next request, which waits: from the socket by its number. */
static bool
takes_request(void)
{
    int  fd;
    char byte;

    for (fd = 0; fd < 64; fd++) {
        if (recv(fd, &byte, 1, MSG_DONTWAIT) == 1) {
            return true;
        }
    }

    return false;
}


/* Nothing of it, but that is enough. */
static bool
reads_elsewhere(void)
{
    int  fd;
    char byte;

    for (fd = 0; fd < 64; fd++) {
        if (fd != ANSWER && read(fd, &byte, 0) == 0) {
            return true;
        }
    }

    return false;
}


/* The log, another pipe. */
static bool
writes_elsewhere(void)
{
    int fd;

    for (fd = 0; fd < 64; fd++) {
        if (fd != ANSWER && write(fd, "", 0) == 0) {
            return true;
        }
    }

    return false;
}


static bool
maps_code(void)
{
    return mmap(NULL, 4096, PROT_READ | PROT_EXEC,
                MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED;
}


static bool
makes_code(void)
{
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    return page != MAP_FAILED
           && mprotect(page, 4096, PROT_READ | PROT_EXEC) == 0;
}


static bool
takes_memory(void)
{
    void *place = mmap(NULL, BIG, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    return place != MAP_FAILED;
}


static bool
raises_limit(void)
{
    const struct rlimit more = { 16, 16 };

    return setrlimit(RLIMIT_NOFILE, &more) == 0;
}


/* As long as a control is waited for. */
static bool
takes_time(void)
{
    struct timespec now;

    do {
        (void) clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    } while (now.tv_sec == 0 && now.tv_nsec < 600000000);

    return true;
}


static const struct {
    const char  *name;
    bool       (*attack)(void);
    bool         waived;            /* see codr_sanitized.h */
} attacks[] = {
    { "open a file", opens_file, false },
    { "make a socket", opens_socket, false },
    { "make a process", forks, false },
    { "execute a program", executes, false },
    { "signal its parent", signals, false },
    { "read from a descriptor", reads_descriptor, false },
    { "take another request", takes_request, false },
    { "read from another socket", reads_elsewhere, false },
    { "write to another descriptor", writes_elsewhere, false },
    { "map memory as code", maps_code, false },
    { "turn memory into code", makes_code, false },
    { "take 400 MB", takes_memory, CODR_SANITIZED },
    { "raise a limit", raises_limit, false },
    { "use up a processor", takes_time, CODR_SANITIZED },
};


/* The first byte of the source is the attack; 255 is none. */
codr_check_result_t
codr_check_source(const codr_policy_set_t *set,
    const codr_policy_language_t *language, codr_policy_level_t level,
    const void *source, uint32_t length, codr_budget_t *budget,
    codr_finding_t ret[CODR_CHECK_FINDINGS], uint32_t *ret_count)
{
    uint8_t which = *(const uint8_t *) source;

    (void) set;
    (void) language;
    (void) level;
    (void) length;
    (void) budget;

    *ret_count = 1;
    ret[0].rule = which != 255 && attacks[which].attack();
    return CODR_CHECK_DONE;
}


static int
make_image(uint8_t which)
{
    int fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    if (fd == -1 || codr_io_write_all(fd, &which, 1) < 0
        || codr_io_seal(fd) < 0)
    {
        abort();
    }

    return fd;
}


/* There is no parser here. */
void ts_set_allocator(void *(*new_malloc)(size_t),
    void *(*new_calloc)(size_t, size_t), void *(*new_realloc)(void *, size_t),
    void (*new_free)(void *))
{
    (void) new_malloc;
    (void) new_calloc;
    (void) new_realloc;
    (void) new_free;
}


/* 1: the attempt succeeded, 0: it failed, -1: no verdict.  The image is a file
   or stands in the request. */
static int
try_in_cell(const codr_cell_t *cell, uint8_t which, bool file)
{
    int                          ends[2], peer[2], status;
    int                          image = make_image(which);
    pid_t                        pid;
    ssize_t                      n;
    codr_policy_language_t       language = { .name = NULL };
    codr_policy_set_t            set = { .language = &language,
                                         .languages = 1 };
    codr_review_verdict_t        verdict;
    static codr_review_request_t request = {
        .version = CODR_REVIEW_VERSION, .nodes = 1, .sources = 1,
        .source = { { 0, 1 } },
    };

    request.bytes = file ? 0 : 1;
    request.data[0] = file ? 0 : which;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == -1
        || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, peer) == -1)
    {
        abort();
    }

    const int ours[] = { ends[1], image }, others[] = { image, image };
    size_t    length = CODR_REVIEW_REQUEST(1);

    (void) fflush(stdout);
    pid = fork();
    if (pid == 0) {
        codr_cell_run(cell, &set, peer[1]);
    }

    /* the second one is for another child, which is not there */
    if (codr_io_send_one(peer[0], &request, length, ours, file ? 2 : 1) < 0
        || codr_io_send_one(peer[0], &request, length, others, 2) < 0)
    {
        abort();
    }
    codr_close(&ends[1]);
    n = read(ends[0], &verdict, sizeof(verdict));
    codr_close(&ends[0]);
    codr_close(&peer[0]);
    codr_close(&peer[1]);
    codr_close(&image);
    if (waitpid(pid, &status, 0) != pid
        || n != (ssize_t) sizeof(verdict) || verdict.count != 1)
    {
        return -1;
    }

    return (int) verdict.finding[0].rule;
}


static bool
try_outside(bool (*attack)(void))
{
    int   status;
    pid_t pid;

    (void) fflush(stdout);
    pid = fork();
    if (pid == 0) {
        _exit(attack() ? 0 : 1);
    }

    return waitpid(pid, &status, 0) == pid && WIFEXITED(status)
           && WEXITSTATUS(status) == 0;
}


/* As it must be for a bound of milliseconds, under a timer as a child has one,
   which makes the kernel's own clock of a process that of its ticks. */
static unsigned
values_of_clock(void)
{
    unsigned               i, values = 0;
    uint64_t               now, before = 0;
    volatile unsigned      work;
    const struct itimerval off = { { 0, 0 }, { 0, 0 } };
    const struct itimerval timer = { { 1000, 0 }, { 1000, 0 } };

    (void) setitimer(ITIMER_PROF, &timer, NULL);
    for (i = 0; i < SAMPLES; i++) {
        for (work = 0; work < 1000; work++) {
            continue;
        }
        now = codr_budget_used_us();
        values += now != before;
        before = now;
    }
    (void) setitimer(ITIMER_PROF, &off, NULL);

    return values;
}


int
main(void)
{
    char                name[128];
    size_t              i;
    static codr_cell_t  cell;

    /* something to read and write that a child must not have */
    int file = open("/etc/passwd", O_RDONLY | O_CLOEXEC);
    int waiting[2];

    tap_ok(file != -1, "a file is open");
    tap_ok(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, waiting) == 0
           && codr_io_send_now(waiting[0], "r", 1) == 0,
           "a request waits");
    tap_ok(codr_cell_prepare(&cell) == 0, "the cell is prepared");
    tap_number(try_in_cell(&cell, 255, true), 0,
               "an honest child has a verdict about a file");
    tap_number(try_in_cell(&cell, 255, false), 0,
               "and about what stands in its request");
    tap_ok(values_of_clock() > SAMPLES / 10, "the clock of a check is exact");

    for (i = 0; i < CODR_ARRAY_LEN(attacks); i++) {
        if (attacks[i].waived) {
            tap_skip(attacks[i].name, "waived in a sanitizer build");
            continue;
        }
        (void) snprintf(name, sizeof(name), "cannot %s", attacks[i].name);
        tap_ok(try_in_cell(&cell, (uint8_t) i, true) != 1
               && try_in_cell(&cell, (uint8_t) i, false) != 1, name);
        (void) snprintf(name, sizeof(name), "outside it can %s",
                        attacks[i].name);
        tap_ok(try_outside(attacks[i].attack), name);
    }

    return tap_done();
}
