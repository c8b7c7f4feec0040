/*
 * One child of the supervisor: its process, its control socket, its throttle.
 */

#ifndef CODR_RELATIVE_H
#define CODR_RELATIVE_H

#include <sys/types.h>

#include "codr_child.h"
#include "codr_event.h"

typedef struct codr_relative_s codr_relative_t;

struct codr_relative_s {
    pid_t             pid;          /* 0: not running */
    int               control;
    codr_throttle_t   throttle;
    codr_timer_t      timer;        /* the next start */
    codr_loop_t      *loop;
    void            (*start)(codr_relative_t *child);
    void             *data;
};


void codr_relative_init(codr_relative_t *child, codr_loop_t *loop,
    void (*start)(codr_relative_t *child), void *data);

/* Starts the plan's executable with a control socket beside the descriptors of
   the plan.  0, or negative errno. */
int codr_relative_start(codr_relative_t *child, codr_child_plan_t *plan);

/* It has ended: start is called after a pause, when it has not lived long. */
void codr_relative_later(codr_relative_t *child);

/* It could not be started: likewise. */
void codr_relative_failed(codr_relative_t *child);

/* It has ended. */
void codr_relative_gone(codr_relative_t *child);

/* Not now, or not any more. */
void codr_relative_wait(codr_relative_t *child);

void codr_relative_kill(codr_relative_t *child);

/* "signal 9" */
void codr_relative_describe(char *text, size_t size, int wait_status);

#endif /* CODR_RELATIVE_H */
