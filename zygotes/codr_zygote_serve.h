/*
 * What every zygote does: its user namespace, its conversation with the
 * spawner, and the clones.  Runs inside the interpreter.
 */

#ifndef CODR_ZYGOTE_SERVE_H
#define CODR_ZYGOTE_SERVE_H

#include "codr_waiting.h"

typedef struct {
    void                (*before_fork)(void);
    void                (*after_fork)(void);    /* in the zygote */
    codr_interpreter_t    interpreter;
} codr_zygote_image_t;


/* Serves until the spawner is gone. The interpreter must have one thread. */
void codr_zygote_serve(const codr_zygote_image_t *image)
    __attribute__((noreturn));

/* Says that there can be none, and ends. */
void codr_zygote_serve_not(void) __attribute__((noreturn));

#endif /* CODR_ZYGOTE_SERVE_H */
