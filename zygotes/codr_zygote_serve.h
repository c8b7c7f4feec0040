/*
 * What every zygote does: its user namespace, its conversation with the
 * spawner, and the clones.  Runs inside the interpreter.
 */

#ifndef CODR_ZYGOTE_SERVE_H
#define CODR_ZYGOTE_SERVE_H

#include <stdbool.h>

#include "codr_waiting.h"

/* Serves until the spawner is gone. The interpreter must have one thread. */
void codr_zygote_serve(const codr_interpreter_t *interpreter)
    __attribute__((noreturn));

/* Whether a job's words begin with those that the zygote was started with: its
   interpreter and options; what follows is the program's. */
bool codr_zygote_begins(char *const *words, int argc, char *const *argv);

/* Says that there can be none, and ends. */
void codr_zygote_serve_not(void) __attribute__((noreturn));

/* Says whether the interpreter can be parked, and ends. */
void codr_zygote_serve_test(bool parkable) __attribute__((noreturn));

#endif /* CODR_ZYGOTE_SERVE_H */
