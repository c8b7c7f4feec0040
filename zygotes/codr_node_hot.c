/*
 * Each clone maps the interpreter's code anew, fault by fault, and with each
 * page of it fifteen around that nobody asked for: ten megabytes of which a
 * program goes through three.  So the zygote learns which pages those are, and
 * copies them into memory of its own, which comes with the clone.  The bytes
 * are the same at the same addresses; what is not among them is the file's, as
 * ever.
 *
 * Learned is in clones that end (codr_node_test.c): all code is out of their
 * reach, and a handler brings back what they touch, page by page.
 */

#define _GNU_SOURCE

#include "codr_node_hot.h"

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "codr_maps.h"
#include "codr_node_threads.h"
#include "codr_node_v8.h"

#define PAGE        4096UL
#define RANGES_MAX  16

#define POPULATE_WRITE  23      /* MADV_POPULATE_WRITE, since 5.14 */

typedef struct {
    uintptr_t  start;
    size_t     pages;
    int        mode;
    size_t     first;           /* its first page's place in what is known */
} range_t;

static size_t   nranges;
static range_t  ranges[RANGES_MAX];
static size_t   total;          /* of pages */
static char    *touched;        /* by page; shared with clones; or NULL */


static void
take(const codr_mapping_t *area)
{
    size_t pages = (area->end - area->start) / PAGE;

    ranges[nranges++] = (range_t) {
        .start = area->start,
        .pages = pages,
        .mode = PROT_READ | (area->mode[2] == 'x' ? PROT_EXEC : 0),
        .first = total,
    };
    total += pages;
}


void
codr_node_hot_plan(void)
{
    char           node[PATH_MAX];
    codr_maps_t    maps;
    codr_mapping_t area;

    codr_maps_file_at(codr_node_v8_code(), node);
    codr_maps_open(&maps);

    while (nranges < RANGES_MAX && codr_maps_next(&maps, &area)) {
        if (area.path[0] && strcmp(area.path, node) == 0
            && strncmp(area.mode, "r-", 2) == 0 && area.mode[3] == 'p')
        {
            take(&area);
        }
    }

    codr_maps_close(&maps);

    touched = mmap(NULL, total + 1, PROT_READ | PROT_WRITE,
                   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (touched == MAP_FAILED) {
        touched = NULL;
    }
}


/* In the clones that end */


static range_t *
find(uintptr_t place)
{
    size_t i;

    for (i = 0; i < nranges; i++) {
        if (place >= ranges[i].start
            && place - ranges[i].start < ranges[i].pages * PAGE)
        {
            return &ranges[i];
        }
    }

    return NULL;
}


/* Any other fault comes again, and is the end. */
static void
bring_back(int signo, siginfo_t *info, void *context)
{
    uintptr_t      place = (uintptr_t) info->si_addr & ~(PAGE - 1);
    const range_t *range = find(place);

    (void) context;

    if (range == NULL
        || syscall(SYS_mprotect, place, PAGE, range->mode) == -1)
    {
        (void) signal(signo, SIG_DFL);
        return;
    }

    touched[range->first + (place - range->start) / PAGE] = 1;
}


void
codr_node_hot_learn(void)
{
    size_t           i;
    sigset_t         fault;
    struct sigaction action = {
        .sa_sigaction = bring_back, .sa_flags = SA_SIGINFO | SA_NODEFER,
    };

    if (touched == NULL) {
        return;
    }

    (void) sigaction(SIGSEGV, &action, NULL);
    (void) sigemptyset(&fault);
    (void) sigaddset(&fault, SIGSEGV);
    (void) sigprocmask(SIG_UNBLOCK, &fault, NULL);
    codr_node_threads_unblock(SIGSEGV);

    for (i = 0; i < nranges; i++) {
        (void) mprotect((void *) ranges[i].start, ranges[i].pages * PAGE,
                        PROT_NONE);
    }
}


/* In the zygote */


void
codr_node_hot_forget(void)
{
    if (touched) {
        memset(touched, 0, total);
    }
}


/* As if it were written to, which makes it ours with what stands there; to
   read it first would bring all those around it. */
static void
keep(const range_t *range)
{
    size_t  i;
    char   *start = (char *) range->start;

    if (memchr(touched + range->first, 1, range->pages) == NULL
        || mprotect(start, range->pages * PAGE, PROT_READ | PROT_WRITE) == -1)
    {
        return;
    }

    for (i = 0; i < range->pages; i++) {
        if (touched[range->first + i]) {
            (void) madvise(start + i * PAGE, PAGE, POPULATE_WRITE);
        }
    }

    if (mprotect(start, range->pages * PAGE, range->mode) == -1) {
        _exit(1);               /* nothing can be executed any more */
    }
}


void
codr_node_hot_keep(void)
{
    size_t i;

    for (i = 0; touched && i < nranges; i++) {
        keep(&ranges[i]);
    }
    if (touched) {
        (void) munmap(touched, total + 1);
        touched = NULL;
    }
}
