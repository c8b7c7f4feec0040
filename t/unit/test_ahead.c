/*
 * What is done ahead is bounded, whichever thread does it, also while another
 * one waits for leave; and each of them goes on when there is leave, whichever
 * has heard of it.
 */

#define _GNU_SOURCE

#include "tap.h"

#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../../sandbox/codr_ahead.h"

#define LOOK_NS     50000000
#define LOOKS       600         /* half a minute */
#define STILL       4           /* looks, one after the other */

static int            leave;
static volatile bool  enough;


static void *
spin(void *data)
{
    while (!enough) {
        continue;
    }

    return data;
}


/* As a thread that has come to where the program would begin, and waits there
   while others compute. */
static void *
pass(void *data)
{
    char     word;
    sigset_t all;

    (void) sigfillset(&all);
    (void) pthread_sigmask(SIG_SETMASK, &all, NULL);
    codr_ahead_end();
    if (recv(leave, &word, 1, MSG_DONTWAIT) != 1) {
        _exit(2);
    }
    (void) close(leave);
    enough = true;

    return data;
}


static void __attribute__((noreturn))
work(void)
{
    pthread_t        other, pool;
    struct sigaction action;

    codr_ahead_begin(leave);
    if (pthread_create(&other, NULL, spin, NULL) != 0
        || pthread_create(&pool, NULL, pass, NULL) != 0)
    {
        _exit(3);
    }
    (void) spin(NULL);
    (void) pthread_join(other, NULL);
    (void) pthread_join(pool, NULL);
    (void) sigaction(SIGPROF, NULL, &action);
    _exit(action.sa_handler == SIG_DFL ? 0 : 4);
}


static uint64_t
cpu_ns(pid_t pid)
{
    clockid_t       clock;
    struct timespec used = { 0 };

    if (clock_getcpuclockid(pid, &clock) == 0) {
        (void) clock_gettime(clock, &used);
    }

    return (uint64_t) used.tv_sec * 1000000000 + (uint64_t) used.tv_nsec;
}


/* It has worked, and does not any more. */
static bool
stops(pid_t pid)
{
    int             i, still = 0;
    uint64_t        now, before = 0;
    struct timespec look = { .tv_nsec = LOOK_NS };

    for (i = 0; i < LOOKS && still < STILL; i++) {
        (void) nanosleep(&look, NULL);
        now = cpu_ns(pid);
        /* to look whether there is leave takes next to nothing */
        still = now >= CODR_AHEAD_US * 1000
                && now - before < LOOK_NS / 20 ? still + 1 : 0;
        before = now;
    }

    return still == STILL;
}


int
main(void)
{
    int   pair[2], status = -1;
    pid_t pid;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == -1) {
        return 1;
    }

    pid = fork();
    if (pid == 0) {
        leave = pair[1];
        (void) close(pair[0]);
        work();
    }
    (void) close(pair[1]);

    tap_ok(stops(pid), "all threads that compute are stopped");
    tap_ok(send(pair[0], "r", 1, MSG_NOSIGNAL) == 1, "there is leave");
    tap_number(waitpid(pid, &status, 0), pid, "they come to their end");
    tap_number(status, 0, "and the signal is nobody's");

    return tap_done();
}
