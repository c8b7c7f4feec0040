/*
 * A zygote as the spawner sees it: a child that is told what to do, and
 * believed only what can be checked.
 */

#ifndef CODR_ZYGOTE_PEER_H
#define CODR_ZYGOTE_PEER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "codr_spawner_setup.h"
#include "codr_zygote.h"

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
    bool                 test;          /* it only says if it can be parked */
} codr_zygote_t;


/* Its next step to SERVING, when it has said something.  0, or negative
   errno; -ENOTSUP: it has found itself unfit. */
int codr_zygote_proceed(codr_zygote_t *zygote, const codr_spawner_t *spawner);

/* What one with test has said. */
bool codr_zygote_can_park(const codr_zygote_t *zygote);

/*
 * A clone for the slot, whose cgroup is prepared; sock goes to it.  A pid, or
 * negative errno.  ret_mounts: a descriptor that keeps its mount namespace,
 * or -1.
 */
pid_t codr_zygote_clone(codr_zygote_t *zygote, const codr_spawner_t *spawner,
    const codr_spawn_request_t *request, const codr_cgroup_slot_t *slot,
    uid_t uid, int sock, int *ret_mounts);

/* Kills it, unless it is gone; reaping it is the caller's. */
void codr_zygote_dismiss(codr_zygote_t *zygote);

#endif /* CODR_ZYGOTE_PEER_H */
