/*
 * The spawner's zygotes: started, replaced, asked for clones.
 */

#ifndef CODR_NURSERY_H
#define CODR_NURSERY_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "codr_spawner_setup.h"
#include "codr_zygote.h"

#define CODR_NURSERY_ARGS       64
#define CODR_NURSERY_SIZE       2       /* the present one and the next */

typedef enum {
    CODR_ZYGOTE_NONE = 0,
    CODR_ZYGOTE_WARMING,        /* HELLO has not come */
    CODR_ZYGOTE_MAPPED,         /* READY has not come */
    CODR_ZYGOTE_SERVING
} codr_zygote_state_t;

typedef struct {
    codr_zygote_state_t  state;
    pid_t                pid;
    int                  sock;
    uid_t                uid;
    unsigned             clones;
} codr_zygote_t;

/* Strings are the command line's: nothing here comes from a request. */
struct codr_nursery_s {
    codr_spawner_t  *spawner;
    size_t           argc;
    size_t           envc;
    const char      *argv[CODR_NURSERY_ARGS + 1];
    const char      *env[CODR_NURSERY_ARGS + 4];
    char             preload[4096];     /* "CODR_PRELOAD=a:b" */
    char             read[4096];
    int              library;           /* memfd; -1: there is no zygote */
    codr_zygote_t    zygote[CODR_NURSERY_SIZE];     /* serving one first */
    uint64_t         retry_us;          /* when the next one may start; 0 =
                                           none is missing */
    unsigned         failures;          /* in a row */
    bool             told;              /* what the broker was told last */
};


/* Options of the spawner; false when there are too many. */
bool codr_nursery_option(codr_nursery_t *nursery, int option,
    const char *text);

/*
 * Reads the library while the host's files are there, and keeps slots back.
 * Without a zygote, or where there can be none, it stays empty; why is logged.
 */
void codr_nursery_open(codr_nursery_t *nursery, codr_spawner_t *spawner);

/* Starts what is missing and due. Call it after anything has happened. */
void codr_nursery_tend(codr_nursery_t *nursery);

/* For poll(): CODR_NURSERY_SIZE rows, and the longest wait in ms or -1. */
int codr_nursery_events(const codr_nursery_t *nursery, struct pollfd *ret);
void codr_nursery_came(codr_nursery_t *nursery, const struct pollfd *events);

/* Whether a child that has ended was one of its. */
bool codr_nursery_reaped(codr_nursery_t *nursery, pid_t pid);

bool codr_nursery_serves(const codr_nursery_t *nursery);

/*
 * A clone for the slot, whose cgroup is prepared; sock goes to it.  A pid that
 * is our child's, or negative errno; a zygote that does not answer is ended.
 * ret_mounts: a descriptor that keeps its mount namespace, or -1.
 */
pid_t codr_nursery_clone(codr_nursery_t *nursery,
    const codr_spawn_request_t *request, const codr_cgroup_slot_t *slot,
    uid_t uid, int sock, int *ret_mounts);

void codr_nursery_end(codr_nursery_t *nursery);

#endif /* CODR_NURSERY_H */
