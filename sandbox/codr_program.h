/*
 * Starting the program of a job.
 */

#ifndef CODR_PROGRAM_H
#define CODR_PROGRAM_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "codr_ipc.h"
#include "codr_landlock.h"

/* What an interpreter that is parked has beside a program's (codr_zygote.h). */
typedef struct {
    int  sock;
    int  library;
} codr_program_parked_t;

typedef struct {
    char *const                 *argv;
    char *const                 *envp;
    int                          artefact;  /* executed, or -1: argv[0] */
    int                          headers;   /* its descriptor 3, or -1 */
    int                          terminal;  /* slave side, or -1 */
    int                          stdio[3];
    bool                         limit_data;
    const codr_spawn_request_t  *limits;    /* NULL: it has them */
    const codr_landlock_t       *landlock;  /* NULL: waived */
    int                          rules;     /* begun for this one, or -1 */
    const codr_program_parked_t *parked;    /* or NULL */
} codr_program_t;


/*
 * Starts the program in a session of its own and returns its pid once its exec
 * has succeeded; else negative errno with the step that failed, and nothing
 * is left to wait for.
 */
pid_t codr_program_start(const codr_program_t *program, uint32_t *ret_step);

/*
 * The same up to its exec, for which it waits; program stays where it is.  The
 * pid, or negative errno with the step.  Without leave it ends with init, or
 * with the gate.
 */
pid_t codr_program_prepare(const codr_program_t *program, int *ret_gate,
    uint32_t *ret_step);

/* Lets it execute its program, and closes the gate.  0, or negative errno with
   the step. */
int codr_program_release(pid_t pid, int *gate, uint32_t *ret_step);

/*
 * The same in parts, for a process that was forked ahead: what can be done
 * before anything is known of the program, its streams and limits, the exec.
 * 0, or negative errno with the step.
 */
int codr_program_ahead(const codr_program_t *program, uint32_t *ret_step);
int codr_program_attach(const codr_program_t *program, uint32_t *ret_step);
int codr_program_execute(const codr_program_t *program, uint32_t *ret_step);

/* True when name can be executed, looked up in PATH of envp. */
bool codr_program_exists(const char *name, char *const *envp);

#endif /* CODR_PROGRAM_H */
