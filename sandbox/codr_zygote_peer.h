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

#define CODR_ZYGOTE_ASKED_MAX   8       /* clones at once */

/* A clone that it was asked for. */
typedef struct {
    uint32_t  slot;
    uint64_t  since_us;
} codr_zygote_asked_t;

/* What it says of one. */
typedef struct {
    uint32_t  slot;
    pid_t     pid;              /* or negative errno */
    int       mounts;           /* a descriptor that keeps its mount namespace,
                                   or -1 */
} codr_zygote_clone_t;

typedef struct {
    codr_zygote_state_t  state;
    pid_t                pid;
    int                  sock;
    uid_t                uid;
    unsigned             clones;
    bool                 test;          /* it only says if it can be parked */
    unsigned             nasked;
    codr_zygote_asked_t  asked[CODR_ZYGOTE_ASKED_MAX];  /* the oldest first */
} codr_zygote_t;


/* Its next step to SERVING, when it has said something.  0, or negative
   errno; -ENOTSUP: it has found itself unfit. */
int codr_zygote_proceed(codr_zygote_t *zygote, const codr_spawner_t *spawner);

/* What one with test has said. */
bool codr_zygote_can_park(const codr_zygote_t *zygote);

/*
 * Asks for a clone for the slot, whose cgroup is prepared; sock goes to it.  0,
 * or negative errno; -EAGAIN: others wait for it already, too many or for too
 * long.  Never blocks.
 */
int codr_zygote_ask(codr_zygote_t *zygote, const codr_spawner_t *spawner,
    const codr_spawn_request_t *request, const codr_cgroup_slot_t *slot,
    uid_t uid, int sock);

/* What it has answered, to the oldest of those.  0, or negative errno: it is
   of no use any more. */
int codr_zygote_answered(codr_zygote_t *zygote, const codr_spawner_t *spawner,
    codr_zygote_clone_t *ret);

/* When it has to have answered; 0: nobody waits. */
uint64_t codr_zygote_due_us(const codr_zygote_t *zygote);

/* The slot that has waited longest, which is no longer waited for; 0: none. */
uint32_t codr_zygote_give_up(codr_zygote_t *zygote);

/* Kills it, unless it is gone; reaping it is the caller's. */
void codr_zygote_dismiss(codr_zygote_t *zygote);

#endif /* CODR_ZYGOTE_PEER_H */
