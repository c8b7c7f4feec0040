/*
 * Bounds what is done ahead.  Runs in a process that is about to be a program,
 * on behalf of bytes which nobody has looked at: whoever takes it over can do
 * without this, and has what a program has.
 */

#define _GNU_SOURCE

#include "codr_ahead.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/time.h>
#include <ucontext.h>
#include <unistd.h>

#define AGAIN_US    10000       /* for each further thread that goes on */
#define LOOK_MS     20

static int               leave = -1;
static volatile bool     over;
static struct sigaction  before;


/* In the middle of whatever it was, which goes on afterwards: that is the
   program's own time then, and so are its signals.  A thread may be here when
   another one has taken the word. */
static void
wait_for_leave(int signo, siginfo_t *info, void *context)
{
    int           n, error = errno;
    ucontext_t   *back = context;
    struct pollfd word = { .fd = leave, .events = POLLIN };

    (void) signo;
    (void) info;

    do {
        n = over ? 1 : poll(&word, 1, LOOK_MS);
    } while (n == 0 || (n == -1 && errno == EINTR));

    if (gettid() == getpid()) {
        (void) sigemptyset(&back->uc_sigmask);
    }
    errno = error;
}


void
codr_ahead_begin(int sock)
{
    sigset_t         own;
    struct itimerval bound = {
        .it_value = { .tv_usec = CODR_AHEAD_US },
        .it_interval = { .tv_usec = AGAIN_US },
    };
    struct sigaction action = {
        .sa_sigaction = wait_for_leave, .sa_flags = SA_SIGINFO | SA_RESTART,
    };

    over = false;
    leave = sock;
    (void) sigaction(SIGPROF, &action, &before);
    (void) sigemptyset(&own);
    (void) sigaddset(&own, SIGPROF);
    (void) sigprocmask(SIG_UNBLOCK, &own, NULL);
    (void) setitimer(ITIMER_PROF, &bound, NULL);
}


/* While one thread waits the bound holds for the others. */
void
codr_ahead_end(void)
{
    struct pollfd    word = { .fd = leave, .events = POLLIN };
    struct itimerval none = { .it_value = { 0 } };

    while (leave != -1 && poll(&word, 1, -1) == -1 && errno == EINTR) {
        continue;
    }

    over = true;
    leave = -1;
    (void) setitimer(ITIMER_PROF, &none, NULL);
    (void) signal(SIGPROF, SIG_IGN);    /* one that is on its way is lost */
    (void) sigaction(SIGPROF, &before, NULL);
}
