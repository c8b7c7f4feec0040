/*
 * A program's process that was forked ahead, from a zygote's init: a warm
 * interpreter, in its session and its Landlock domain, that waits to be told
 * what it is.
 */

#ifndef CODR_WAITING_H
#define CODR_WAITING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "codr_describe.h"
#include "codr_program.h"

/* What a zygote's image can do; all of it is called in that process only. */
typedef struct {
    /* In init: fork() or _Fork(), which leaves the C library's threads. */
    pid_t (*fork)(void);
    /* Descriptors that are the interpreter's own; none: 0. */
    int     own_first;
    int     own_last;
    /* In init, with time to spare, which is not going to be it; or NULL. */
    void  (*shed)(void);
    /* At once after the fork: it will be one of its own.  With time to spare
       it does what a job would have to wait for. */
    void  (*wake)(bool spare);
    /* What it will run is known.  False: that has to be executed. */
    bool  (*prepare)(const codr_describe_t *description);
    /* Streams and limits are the job's, files are not there yet; or NULL.
       False as above. */
    bool  (*settle)(void);
    /* Its files are there.  False as above. */
    bool  (*fits)(void);
    /* Whether run() begins before there is leave, and calls
       codr_waiting_pass() before anything of the program's happens that can be
       seen.  Others are called when there is. */
    bool    passes;
    /* Several threads, each of which may call that; they have the
       interpreter's own descriptors. */
    bool    threads;
    /* Goes on as the program; does not return. */
    void  (*run)(void) __attribute__((noreturn));
} codr_interpreter_t;


/*
 * Forks it; program has what is known of every one: limits, landlock; spare
 * when no job is here yet.  The pid, or negative errno; ret_sock is init's
 * end.
 */
pid_t codr_waiting_fork(const codr_interpreter_t *interpreter,
    const codr_program_t *program, bool spare, int *ret_sock);

/*
 * In an interpreter that was parked, not forked (CODR_PARKED_SOCKET): waits as
 * one that was, and goes on with run(), or executes its program.
 */
void codr_waiting_park(const codr_interpreter_t *interpreter)
    __attribute__((noreturn));

/* In run() of one that passes: false when it need not wait. */
bool codr_waiting_is_held(void);

/* There waits for leave, and is the program when it returns.  Of threads only
   one may call it. */
void codr_waiting_pass(void);

/* For a test: this one is held until there is a word on leave, as another
   process gives it with codr_waiting_allow(). */
void codr_waiting_hold(const codr_interpreter_t *interpreter, int leave);
int codr_waiting_allow(int sock);

/*
 * Hands a whole DESCRIBE on, before it is decoded, with the program's side of
 * the terminal or -1.  0, or negative errno.
 */
int codr_waiting_describe(int sock, const void *message, size_t len,
    const int *fds, size_t nfds, int terminal);

/* Its files are there, and whether it may run is not known.  0, or negative
   errno. */
int codr_waiting_prepare(int sock);

/*
 * Its files are there, and it may run.  0, or negative errno with the step, as
 * codr_program_start().
 */
int codr_waiting_run(int sock, bool *ret_forked, uint32_t *ret_step);

#endif /* CODR_WAITING_H */
