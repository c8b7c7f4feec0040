/*
 * Preloaded into nginx by t/module/clock.t: the calendar's clock goes as many
 * seconds wrong as the file CODR_CLOCK says.  Other clocks stay as they are.
 */

#define _GNU_SOURCE

#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static const volatile long  none;
static const volatile long *wrong = &none;


__attribute__((constructor)) static void
begin(void)
{
    int         fd;
    void       *p;
    const char *path = getenv("CODR_CLOCK");

    if (path == NULL || (fd = open(path, O_RDONLY | O_CLOEXEC)) == -1) {
        abort();
    }

    p = mmap(NULL, sizeof(long), PROT_READ, MAP_SHARED, fd, 0);
    if (p == MAP_FAILED) {
        abort();
    }
    wrong = p;
    (void) close(fd);
}


int
gettimeofday(struct timeval *restrict ret, void *restrict zone)
{
    struct timespec now;

    (void) zone;
    (void) clock_gettime(CLOCK_REALTIME, &now);
    ret->tv_sec = now.tv_sec + *wrong;
    ret->tv_usec = now.tv_nsec / 1000;
    return 0;
}
