/*
 * A program of one line changes some hundred pages of the interpreter's, and
 * each is a fault that somebody waits for.  They are the same ones in each
 * clone.  So children of the zygote run short programs first, and look at
 * their pages when all else of them has ended: what they had to copy, or to
 * map of a file, is fetched in each clone while it waits, a range at a time.
 */

#define _GNU_SOURCE
#define PY_SSIZE_T_CLEAN

#include <Python.h>

#include "codr_python_hot.h"

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "codr_maps.h"
#include "codr_util.h"

#define PAGE        4096UL
#define RANGES_MAX  1024
#define ENTRIES     512
#define SECONDS     5           /* of a rehearsal */

#define AROUND          (16 * PAGE)     /* of a file: mapped at once */

#define POPULATE_READ   22      /* MADV_POPULATE_READ, since 5.14 */
#define POPULATE_WRITE  23

/* Of an entry of /proc/self/pagemap. */
#define PRESENT     (1ULL << 63)
#define OF_FILE     (1ULL << 61)
#define EXCLUSIVE   (1ULL << 56)

typedef struct {
    uintptr_t  start;
    size_t     len;
    int        advice;
} range_t;

typedef struct {
    size_t   count;
    range_t  range[RANGES_MAX];
} hot_t;

typedef void (*look_pt)(uintptr_t page, uint64_t entry);

static hot_t   hot;             /* what is known */
static hot_t  *found;           /* what a child finds; NULL in all others */


static void
add(uintptr_t page, int advice)
{
    range_t *next = &found->range[found->count], *last = next - 1;
    bool     first = found->count == 0 || last->advice != advice;

    if (!first && advice == POPULATE_READ
        && last->start / AROUND == page / AROUND)
    {
        return;
    }

    if (!first && advice == POPULATE_WRITE
        && last->start + last->len == page)
    {
        last->len += PAGE;

    } else if (found->count < RANGES_MAX) {
        *next = (range_t) { page, PAGE, advice };
        found->count++;
    }
}


/* What is shared with the zygote comes with a clone, but for what is a file's:
   its pages are mapped by sixteens. */
static void
learn_page(uintptr_t page, uint64_t entry)
{
    if (!(entry & PRESENT)) {
        return;
    }

    if (entry & OF_FILE) {
        add(page, POPULATE_READ);
    } else if (entry & EXCLUSIVE) {
        add(page, POPULATE_WRITE);
    }
}


static void
look_at_area(int pagemap, uintptr_t start, uintptr_t end, look_pt look)
{
    size_t          i, count;
    ssize_t         n;
    static uint64_t entries[ENTRIES];

    while (start < end) {
        count = (end - start) / PAGE;
        count = count < ENTRIES ? count : ENTRIES;
        n = pread(pagemap, entries, count * sizeof(entries[0]),
                  (off_t) (start / PAGE * sizeof(entries[0])));
        if (n != (ssize_t) (count * sizeof(entries[0]))) {
            return;
        }
        for (i = 0; i < count; i++) {
            look(start + i * PAGE, entries[i]);
        }
        start += count * PAGE;
    }
}


/* At all that this process has, but for what it shares. */
static void
look_at_all(look_pt look)
{
    int            pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
    codr_maps_t    maps;
    codr_mapping_t area;

    codr_maps_open(&maps);

    while (pagemap != -1 && codr_maps_next(&maps, &area)) {
        if (area.mode[0] == 'r' && area.mode[3] == 'p') {
            look_at_area(pagemap, area.start, area.end, look);
        }
    }

    codr_maps_close(&maps);
    codr_close(&pagemap);
}


void
codr_python_hot_end(void)
{
    if (found) {
        look_at_all(learn_page);
    }
}


static void __attribute__((noreturn))
child(void (*rehearse)(void))
{
    sigset_t none;

    (void) sigemptyset(&none);
    (void) sigprocmask(SIG_SETMASK, &none, NULL);
    (void) signal(SIGALRM, SIG_DFL);
    (void) alarm(SECONDS);

    rehearse();
    _exit(1);
}


static bool
is_known(const range_t *range)
{
    size_t i;

    for (i = 0; i < hot.count; i++) {
        if (hot.range[i].advice == range->advice
            && hot.range[i].start <= range->start
            && hot.range[i].start + hot.range[i].len
               >= range->start + range->len)
        {
            return true;
        }
    }

    return false;
}


/* Nothing that was shared with a child is left for clones. */
static void
keep(void)
{
    size_t i;

    for (i = 0; i < found->count && hot.count < RANGES_MAX; i++) {
        if (!is_known(&found->range[i])) {
            hot.range[hot.count++] = found->range[i];
        }
    }

    (void) munmap(found, sizeof(*found));
    found = NULL;
}


void
codr_python_hot_learn(void (*rehearse)(void))
{
    int    status;
    pid_t  pid;
    void  *shared = mmap(NULL, sizeof(*found), PROT_READ | PROT_WRITE,
                         MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (shared == MAP_FAILED) {
        return;
    }
    found = shared;

    pid = fork();
    if (pid == 0) {
        child(rehearse);
    }
    if (pid > 0) {
        (void) waitpid(pid, &status, 0);
    }

    keep();
}


static void
shed_page(uintptr_t page, uint64_t entry)
{
    if ((entry & PRESENT) && (entry & OF_FILE)) {
        (void) madvise((void *) page, PAGE, MADV_DONTNEED);
    }
}


void
codr_python_hot_shed(void)
{
    look_at_all(shed_page);
}


void
codr_python_hot_fetch(void)
{
    size_t i;

    /* what is not fetched is found missing later */
    for (i = 0; i < hot.count; i++) {
        (void) madvise((void *) hot.range[i].start, hot.range[i].len,
                       hot.range[i].advice);
    }
}
