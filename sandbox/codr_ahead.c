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
#include <stddef.h>
#include <sys/time.h>
#include <ucontext.h>

static int               leave = -1;
static struct sigaction  before;


/* In the middle of whatever it was, which goes on afterwards.  That is the
   program's own time then, and so are its signals. */
static void
wait_for_leave(int signo, siginfo_t *info, void *context)
{
    int           error = errno;
    ucontext_t   *back = context;
    struct pollfd word = { .fd = leave, .events = POLLIN };

    (void) signo;
    (void) info;

    while (poll(&word, 1, -1) == -1 && errno == EINTR) {
        continue;
    }

    (void) sigemptyset(&back->uc_sigmask);
    errno = error;
}


void
codr_ahead_begin(int sock)
{
    sigset_t         own;
    struct itimerval once = { .it_value = { .tv_usec = CODR_AHEAD_US } };
    struct sigaction action = {
        .sa_sigaction = wait_for_leave, .sa_flags = SA_SIGINFO | SA_RESTART,
    };

    leave = sock;
    (void) sigaction(SIGPROF, &action, &before);
    (void) sigemptyset(&own);
    (void) sigaddset(&own, SIGPROF);
    (void) sigprocmask(SIG_UNBLOCK, &own, NULL);
    (void) setitimer(ITIMER_PROF, &once, NULL);
}


void
codr_ahead_end(void)
{
    struct itimerval none = { .it_value = { 0 } };

    (void) setitimer(ITIMER_PROF, &none, NULL);
    (void) sigaction(SIGPROF, &before, NULL);
}
