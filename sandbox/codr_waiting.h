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
    /* Its files are there, and it may begin.  False as above. */
    bool  (*fits)(void);
    /* Streams and limits are the job's; does not return. */
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

/* Hands a whole DESCRIBE on, before it is decoded.  0, or negative errno. */
int codr_waiting_describe(int sock, const void *message, size_t len,
    const int *fds, size_t nfds);

/*
 * Lets it begin, with the program's side of a terminal or -1.  0, or negative
 * errno with the step, as codr_program_start().
 */
int codr_waiting_run(int sock, int terminal, bool *ret_forked,
    uint32_t *ret_step);

#endif /* CODR_WAITING_H */
