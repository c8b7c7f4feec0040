/*
 * The spawner's zygotes: started, replaced, asked for clones.  Of each kind
 * there are at most two, the present one and the next.
 */

#ifndef CODR_NURSERY_H
#define CODR_NURSERY_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "codr_init.h"
#include "codr_spawner_setup.h"
#include "codr_zygote_peer.h"
#include "codr_zygote_plan.h"

#define CODR_NURSERY_SIZE       2       /* of a kind */
#define CODR_NURSERY_EVENTS     (CODR_INTERPRETER_COUNT * CODR_NURSERY_SIZE)

/* Whether an interpreter of a kind can be parked. */
typedef enum {
    CODR_PARKS_UNKNOWN = 0,
    CODR_PARKS_YES,
    CODR_PARKS_NO
} codr_parks_t;

/* All of one kind. */
typedef struct {
    codr_zygote_plan_t  plan;
    codr_zygote_t       zygote[CODR_NURSERY_SIZE];  /* serving one first */
    uint64_t            retry_us;       /* when the next one may start; 0 =
                                           none is missing */
    unsigned            failures;       /* in a row */
    bool                unfit;          /* the last one said so */
    bool                impossible;     /* here, for ever */
    codr_parks_t        parks;
    uint64_t            retest_us;      /* PARKS_NO: when to ask again */
    uint32_t            told;           /* what the broker was told last */
} codr_cradle_t;

/* What has become of a clone that was asked for: a pid or negative errno, and a
   descriptor that keeps its mount namespace, or -1. */
typedef void (*codr_nursery_cloned_pt)(uint32_t slot, pid_t pid, int mounts);

struct codr_nursery_s {
    codr_spawner_t          *spawner;
    codr_nursery_cloned_pt   cloned;
    codr_interpreter_kind_t  named;     /* the kind that options are of */
    char                     read[CODR_ZYGOTE_TEXT];    /* "CODR_READ=a:b" */
    codr_cradle_t            cradle[CODR_INTERPRETER_COUNT];
};


/* Options of the spawner; false when one is not valid. */
bool codr_nursery_option(codr_nursery_t *nursery, int option,
    const char *text);

/*
 * Reads the libraries while the host's files are there, and keeps slots back.
 * Without a zygote, or where there can be none, it stays empty; why is logged.
 */
void codr_nursery_open(codr_nursery_t *nursery, codr_spawner_t *spawner);

/* Starts what is missing and due. Call it after anything has happened. */
void codr_nursery_tend(codr_nursery_t *nursery);

/* For poll(): CODR_NURSERY_EVENTS rows, and the longest wait in ms or -1. */
int codr_nursery_events(const codr_nursery_t *nursery, struct pollfd *ret);
void codr_nursery_came(codr_nursery_t *nursery, const struct pollfd *events);

/* Whether a child that has ended was one of its. */
bool codr_nursery_reaped(codr_nursery_t *nursery, pid_t pid);

/* What there is of a kind: CODR_ZYGOTE_*. */
uint32_t codr_nursery_state(const codr_nursery_t *nursery,
    codr_interpreter_kind_t kind);

/* The same, when that is another answer than the last one. */
bool codr_nursery_changed(codr_nursery_t *nursery,
    codr_interpreter_kind_t kind);

/* What init is to park for a request with these flags, or NULL: nothing. */
const codr_init_parked_t *codr_nursery_parked(codr_nursery_t *nursery,
    uint32_t flags);

/*
 * As codr_zygote_ask(), the zygote of the kind that the request names.  With 0
 * the answer comes by cloned(), also where the zygote has none: it is ended,
 * and the answer is -ESRCH.
 */
int codr_nursery_ask(codr_nursery_t *nursery,
    const codr_spawn_request_t *request, const codr_cgroup_slot_t *slot,
    uid_t uid, int sock);

/* Whether any answer is awaited. */
bool codr_nursery_is_asked(const codr_nursery_t *nursery);

void codr_nursery_end(codr_nursery_t *nursery);

#endif /* CODR_NURSERY_H */
