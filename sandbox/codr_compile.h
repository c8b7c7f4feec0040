/*
 * The compile stage of a job.
 */

#ifndef CODR_COMPILE_H
#define CODR_COMPILE_H

#include <stddef.h>
#include <stdint.h>

#include "codr_job.h"


/* Of the compiler; the first 48k count. */
void codr_compile_output(codr_stdio_t *io, uint8_t stream, uint8_t *data,
    size_t len);

/* Its sandbox is gone and all its words are read. */
void codr_compile_ended(codr_job_t *job);

/* Gives the compile place back; accepts a job that has none. */
void codr_compile_release(codr_job_t *job);

#endif /* CODR_COMPILE_H */
