/*
 * A validator's child.  It is made ahead, locked up, and waits at the broker's
 * socket.  Before it looks at the first byte of the source that it is asked
 * about it closes everything but the socket of its verdict; the filter leaves
 * it memory, that socket and its end, and no way to another descriptor.
 * Nothing it does can reach another source: it is the only process that sees
 * this one, and sees no other.
 *
 * Where Linux lets a system call be limited to arguments, it is; what is not
 * listed kills the process, and the broker takes that for a refusal.
 */

#define _GNU_SOURCE

#include "codr_cell.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include "codr_arena.h"
#include "codr_budget.h"
#include "codr_check.h"
#include "codr_heap.h"
#include "codr_io.h"
#include "codr_sanitized.h"
#include "codr_turn.h"
#include "codr_util.h"

#define MEMORY      (256UL * 1024 * 1024)
#define IMAGE_MAX   (1UL << 30)
#define CPU_SECONDS 2               /* whatever happens */
#define TICK_US     2500            /* of CPU time, between looks at it */
#define LATE_US     (1000 * CODR_SANITIZED_TIMES)   /* who asks never is */
#define PAGE        4096UL
#define STACK       8192            /* that most checks use */
#define SEALS       (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

/* All the descriptors it ever has, each the lowest that is free when it
   comes; while it reads the source only that of the answer. */
enum { PEER, ANSWER, IMAGE, DESCRIPTORS };

/* A call that it may make, with these arguments. */
typedef struct {
    int                  number;
    unsigned             count;
    struct scmp_arg_cmp  argument[3];
} rule_t;

extern const char __executable_start;           /* of the linker */
extern char       __data_start, end;


static int
add_rules(scmp_filter_ctx filter)
{
    size_t i;
    int    result = 0;

    const rule_t rules[] = {
        { SCMP_SYS(munmap), 0, { { 0 } } },
        { SCMP_SYS(mremap), 0, { { 0 } } },
        { SCMP_SYS(madvise), 0, { { 0 } } },
        { SCMP_SYS(brk), 0, { { 0 } } },

        /* its CPU time is no business of the vdso; and of a look at it */
        { SCMP_SYS(clock_gettime), 0, { { 0 } } },
        { SCMP_SYS(rt_sigreturn), 0, { { 0 } } },
        { SCMP_SYS(exit_group), 0, { { 0 } } },

        { SCMP_SYS(write), 1, { SCMP_A0(SCMP_CMP_EQ, ANSWER, 0) } },
        { SCMP_SYS(read), 1, { SCMP_A0(SCMP_CMP_EQ, ANSWER, 0) } },

        /* memory that is no file's and never code */
        { SCMP_SYS(mmap), 2,
          { SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0),
            SCMP_A3(SCMP_CMP_MASKED_EQ, MAP_ANONYMOUS, MAP_ANONYMOUS) } },
        { SCMP_SYS(mprotect), 1,
          { SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0) } },

        /* what it does before it reads the source: of no use once these
           descriptors are closed */
        { SCMP_SYS(recvmsg), 1, { SCMP_A0(SCMP_CMP_EQ, PEER, 0) } },
        { SCMP_SYS(close), 1, { SCMP_A0(SCMP_CMP_EQ, PEER, 0) } },
        { SCMP_SYS(close), 1, { SCMP_A0(SCMP_CMP_EQ, IMAGE, 0) } },
        { SCMP_SYS(fcntl), 2,
          { SCMP_A0(SCMP_CMP_EQ, IMAGE, 0),
            SCMP_A1(SCMP_CMP_EQ, F_GET_SEALS, 0) } },
        { SCMP_SYS(lseek), 1, { SCMP_A0(SCMP_CMP_EQ, IMAGE, 0) } },
        { SCMP_SYS(mmap), 3,
          { SCMP_A2(SCMP_CMP_EQ, PROT_READ, 0),
            SCMP_A3(SCMP_CMP_EQ, MAP_PRIVATE | MAP_POPULATE, 0),
            SCMP_A4(SCMP_CMP_EQ, IMAGE, 0) } },
    };

    for (i = 0; result == 0 && i < CODR_ARRAY_LEN(rules); i++) {
        result = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW,
                                        rules[i].number, rules[i].count,
                                        rules[i].argument);
    }

    if (result == 0 && CODR_SANITIZED) {    /* before it ends itself */
        result = seccomp_rule_add(filter, SCMP_ACT_ALLOW,
                                  SCMP_SYS(sigaltstack), 0);
    }

    return result;
}


/* As bytes: libseccomp would need a millisecond in every child. */
static int
export_filter(scmp_filter_ctx ctx, struct sock_fprog *ret)
{
    int     fd, result;
    off_t   size;
    void   *code;

    fd = memfd_create("codr-filter", MFD_CLOEXEC);
    if (fd == -1) {
        return -errno;
    }

    result = seccomp_export_bpf(ctx, fd);
    size = lseek(fd, 0, SEEK_END);
    code = size > 0 ? malloc((size_t) size) : NULL;
    if (result == 0) {
        result = code ? codr_io_read_at(fd, code, (size_t) size, 0) : -ENOMEM;
    }
    codr_close(&fd);

    if (result < 0) {
        free(code);
        return result;
    }

    ret->filter = code;
    ret->len = (unsigned short) ((size_t) size / sizeof(struct sock_filter));
    return 0;
}


int
codr_cell_prepare(codr_cell_t *cell)
{
    int             result;
    scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_KILL_PROCESS);

    if (ctx == NULL) {
        return -ENOMEM;
    }

    result = seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH,
                              SCMP_ACT_KILL_PROCESS);
    if (result == 0) {
        result = add_rules(ctx);
    }
    if (result == 0) {
        result = export_filter(ctx, &cell->filter);
    }

    seccomp_release(ctx);
    return result;
}


static bool
limit(int resource, rlim_t value)
{
    const struct rlimit both = { value, value };

    return setrlimit((__rlimit_resource_t) resource, &both) == 0;
}


/* A loop in a parser asks no clock. */
static const codr_budget_t *volatile watched;    /* NULL: no request yet */

static void
look_at_time(int signo)
{
    (void) signo;

    if (watched
        && codr_budget_used_us() > watched->cpu_us + LATE_US)
    {
        _exit(EXIT_FAILURE);
    }
}


/* Our own word, and the kernel's if this process is ours no more. */
static bool
limit_time(void)
{
    const rlim_t           seconds = CPU_SECONDS * CODR_SANITIZED_TIMES;
    const struct sigaction action = { .sa_handler = look_at_time };
    const struct itimerval timer = {
        .it_value = { .tv_usec = TICK_US },
        .it_interval = { .tv_usec = TICK_US },
    };

    return limit(RLIMIT_CPU, seconds)
           && sigaction(SIGPROF, &action, NULL) == 0
           && setitimer(ITIMER_PROF, &timer, NULL) == 0;
}


static void
populate(const char *first, const char *last, int how)
{
    const uintptr_t start = (uintptr_t) first & ~(PAGE - 1);

    (void) madvise((void *) start, (uintptr_t) last - start, how);
}


/* Its code, the constants behind it, and what it writes to, before it needs
   them: pages come one by one, and later somebody would wait for each. */
static void
warm_up(void)
{
    volatile char stack[STACK];

    stack[0] = stack[STACK / 2] = 0;
    populate(&__executable_start, codr_grammar_at(0)->tables,
             MADV_POPULATE_READ);
    populate(&__data_start, &end, MADV_POPULATE_WRITE);
}


/* A sanitizer watches its own heap. */
static bool
use_heap(void)
{
    if (CODR_SANITIZED) {
        return true;
    }

    codr_arena_use(codr_heap_take);
    return codr_heap_use() == 0;
}


/* A process that has nothing but the broker's socket, no limit it could
   raise, and a filter: done while nobody waits. */
static bool
lock_up(const codr_cell_t *cell, int peer)
{
    if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == -1
        || dup2(peer, PEER) == -1
        || syscall(SYS_close_range, PEER + 1, ~0U, 0) == -1)
    {
        return false;
    }

    (void) signal(SIGPIPE, SIG_DFL);    /* nobody waits for it any more */
    (void) codr_turn_long();    /* without it a sandbox may have to wait */
    warm_up();

    return use_heap()
           && limit(RLIMIT_DATA, CODR_SANITIZED ? RLIM_INFINITY : MEMORY)
           && limit(RLIMIT_NOFILE, DESCRIPTORS) && limit(RLIMIT_NPROC, 0)
           && limit(RLIMIT_FSIZE, 0) && limit(RLIMIT_CORE, 0)
           && limit(RLIMIT_MEMLOCK, 0) && limit_time()
           && syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &cell->filter)
              == 0;
}


/* Read-only, of a sealed file: nobody can change or shorten it. */
static const char *
map_image(size_t *ret_len)
{
    int    seals = fcntl(IMAGE, F_GET_SEALS);
    off_t  size = lseek(IMAGE, 0, SEEK_END);
    void  *place;

    if (seals == -1 || (seals & SEALS) != SEALS || size <= 0
        || (uint64_t) size > IMAGE_MAX)
    {
        return NULL;
    }

    place = mmap(NULL, (size_t) size, PROT_READ, MAP_PRIVATE | MAP_POPULATE,
                 IMAGE, 0);
    *ret_len = (size_t) size;
    return place == MAP_FAILED || close(IMAGE) == -1 ? NULL : place;
}


static const char *
find_image(const codr_review_request_t *request, size_t *ret_len)
{
    if (request->bytes == 0) {
        return map_image(ret_len);
    }

    *ret_len = request->bytes;
    return (const char *) request->data;
}


static uint64_t
sum(const codr_review_request_t *request, size_t image)
{
    uint32_t i;
    uint64_t bytes = 0;

    for (i = 0; i < request->sources; i++) {
        if (request->source[i].offset > image
            || request->source[i].length > image - request->source[i].offset)
        {
            return UINT64_MAX;
        }
        bytes += request->source[i].length;
    }

    return bytes;
}


static codr_review_result_t
translate(codr_check_result_t result)
{
    switch (result) {

    case CODR_CHECK_DONE:
        return CODR_REVIEW_DONE;

    case CODR_CHECK_TOO_COMPLEX:
        return CODR_REVIEW_TOO_COMPLEX;

    case CODR_CHECK_UNAVAILABLE:
        break;
    }

    return CODR_REVIEW_UNAVAILABLE;
}


static void
check_sources(codr_review_verdict_t *verdict, const codr_policy_set_t *set,
    const codr_review_request_t *request, const char *image,
    codr_budget_t *budget)
{
    uint32_t                    s, i, n;
    codr_finding_t              found[CODR_CHECK_FINDINGS];
    codr_check_result_t         result;
    const codr_review_source_t *source;

    for (s = 0; s < request->sources; s++) {
        source = &request->source[s];
        n = 0;
        result = codr_check_source(set, &set->language[request->language],
                                   (codr_policy_level_t) request->level,
                                   image + source->offset, source->length,
                                   budget, found, &n);
        verdict->result = translate(result);
        if (verdict->result != CODR_REVIEW_DONE) {
            verdict->count = 0;
            return;
        }

        for (i = 0; i < n && verdict->count < CODR_DIAGNOSTIC_FINDINGS; i++) {
            verdict->finding[verdict->count++] = (codr_review_finding_t) {
                found[i].rule, s, found[i].start, found[i].end,
            };
        }
    }
}


/* The broker's numbers, which another version of it might have made. */
static bool
valid(const codr_policy_set_t *set, const codr_review_request_t *request)
{
    return request->version == CODR_REVIEW_VERSION
           && request->language < set->languages
           && request->level < CODR_POLICY_LEVELS
           && request->sources <= CODR_REVIEW_SOURCES
           && request->bytes <= CODR_REVIEW_DATA;
}


static bool
take_request(const codr_policy_set_t *set, codr_review_request_t *request)
{
    int     fds[2];
    size_t  nfds;
    ssize_t n, head = (ssize_t) CODR_REVIEW_REQUEST(0);

    n = codr_io_recv(PEER, request, sizeof(*request), fds, 2, &nfds, NULL);
    if (n == 0) {
        _exit(EXIT_SUCCESS);            /* there will be none */
    }

    return n >= head && valid(set, request)
           && n == (ssize_t) CODR_REVIEW_REQUEST(request->sources)
           && nfds == (request->bytes > 0 ? 1 : 2) && fds[0] == ANSWER
           && (nfds == 1 || fds[1] == IMAGE);
}


static int
used(const codr_policy_set_t *set, const codr_review_request_t *request)
{
    const codr_grammar_t *grammar = set->language[request->language].grammar;

    return grammar ? CODR_CELL_USED + (int) (grammar - codr_grammar_at(0))
                   : EXIT_SUCCESS;
}


_Noreturn void
codr_cell_run(const codr_cell_t *cell, const codr_policy_set_t *set, int peer)
{
    size_t                       len = 0;
    uint64_t                     bytes, began_us;
    const char                  *data;
    static codr_budget_t         budget;
    codr_review_verdict_t        verdict = { .version = CODR_REVIEW_VERSION };
    codr_review_request_t       *request;
    char                         nothing;

    if (!lock_up(cell, peer)) {
        _exit(EXIT_FAILURE);
    }

    /* as a static object gcc 12 takes it for one that nobody writes to, and
       lays it where nobody can (-fipa-cp) */
    request = codr_arena_take(sizeof(*request));
    if (request == NULL || !take_request(set, request)) {
        _exit(EXIT_FAILURE);
    }

    began_us = codr_budget_used_us();

    /* the next request is the next process's: only the socket is left */
    data = find_image(request, &len);
    bytes = sum(request, len);
    if (data == NULL || bytes == UINT64_MAX || close(PEER) == -1) {
        _exit(EXIT_FAILURE);
    }

    codr_budget_begin(&budget, bytes, request->nodes);
    budget.last = true;
    watched = &budget;
    check_sources(&verdict, set, request, data, &budget);
    verdict.cpu_us = (uint32_t) (codr_budget_used_us() - began_us);
    verdict.work_us = (uint32_t) (budget.work / 1000);

    if (write(ANSWER, &verdict, sizeof(verdict)) != (ssize_t) sizeof(verdict))
    {
        _exit(EXIT_FAILURE);
    }

    /* to end is work, and what the verdict was for comes first: until the
       broker closes its end */
    (void) !read(ANSWER, &nothing, 1);
    _exit(used(set, request));
}
