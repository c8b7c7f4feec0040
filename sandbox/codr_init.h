/*
 * The init role: pid 1 of one job.
 */

#ifndef CODR_INIT_H
#define CODR_INIT_H

#include <stdbool.h>
#include <sys/types.h>

#include "codr_blank.h"
#include "codr_cgroup.h"
#include "codr_ipc.h"
#include "codr_landlock.h"
#include "codr_layer.h"
#include "codr_seccomp.h"
#include "codr_waiting.h"

#define CODR_INIT_TASKS     4

/* A zygote's clone: what it cannot do itself has been done for it. */
typedef struct {
    const codr_interpreter_t  *interpreter;
    int                        tasks[CODR_INIT_TASKS];  /* v1: files to write
                                                           to, to enter */
    size_t                     ntasks;
} codr_init_zygote_t;

/* An interpreter that it starts before it is described. */
typedef struct {
    char *const  *argv;
    char *const  *envp;
    int           library;
} codr_init_parked_t;

/* What init takes over from the spawner's memory when it is cloned. */
typedef struct {
    const codr_spawn_request_t  *request;
    const codr_layers_t         *layers;
    const codr_cgroup_t         *cgroup;
    const codr_cgroup_slot_t    *slot;
    const codr_seccomp_t        *seccomp;
    const codr_landlock_t       *landlock;
    const codr_blank_t          *blank;     /* what it enters, or NULL: what it
                                               was cloned into */
    uid_t                        uid;
    bool                         user_ns;   /* its own, with one uid */
    int                          socket;    /* to the broker */
    const codr_init_zygote_t    *zygote;    /* whose clone it is, or NULL */
    const codr_init_parked_t    *parked;    /* or NULL */
} codr_init_t;


/* Never returns; the end of this process is the end of the sandbox. */
void codr_init_main(const codr_init_t *init) __attribute__((noreturn));

#endif /* CODR_INIT_H */
