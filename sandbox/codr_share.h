/*
 * What floods of output may have of the machine: those of one owner take
 * turns, in which one or a few of them are read, and the programs of the
 * others wait.  Else four of them would leave a fifth of the processors to
 * whoever has one program.
 */

#ifndef CODR_SHARE_H
#define CODR_SHARE_H

#include <stdbool.h>

#include "codr_broker.h"
#include "codr_timer.h"

/* Of a job; zeroed does not share. */
typedef struct {
    codr_sharers_t  *sharers;       /* its owner's; NULL: it is no flood */
    codr_job_t      *next;          /* that rests */
    bool             rests;
    codr_timer_t     timer;         /* the end of its turn, or of its rest */
} codr_share_t;


/* The job has put something out. */
void codr_share_output(codr_job_t *job);

/* Whether it has to wait for its turn. */
bool codr_share_rests(const codr_job_t *job);

/* It is a flood no more, or ends. */
void codr_share_leave(codr_job_t *job);

#endif /* CODR_SHARE_H */
