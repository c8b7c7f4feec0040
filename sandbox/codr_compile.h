/*
 * The compile stage of a job.
 */

#ifndef CODR_COMPILE_H
#define CODR_COMPILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "codr_job.h"


/* What the compile stage of a job needs now. */
typedef enum {
    CODR_COMPILE_NOTHING = 0,   /* there is none, or what it makes is there */
    CODR_COMPILE_PLACE,
    CODR_COMPILE_PATIENCE       /* just this is being compiled already */
} codr_compile_need_t;


/* Of a job whose files are complete. */
codr_compile_need_t codr_compile_needs(codr_job_t *job);

/* Before the first stage: true when it is to be compiled now. */
bool codr_compile_begin(codr_job_t *job);

/* It does not compile any more; failed: it has been refused by the compiler.
   Accepts a job that did not. */
void codr_compile_land(codr_job_t *job, bool failed);

/* Of the compiler; the first 48k count. */
void codr_compile_output(codr_stdio_t *io, uint8_t stream, uint8_t *data,
    size_t len);

/* Its sandbox is gone and all its words are read. */
void codr_compile_ended(codr_job_t *job);

/* Gives the compile place back; accepts a job that has none. */
void codr_compile_release(codr_job_t *job);

#endif /* CODR_COMPILE_H */
