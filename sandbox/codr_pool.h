/*
 * Ready sandboxes: finished, confined, waiting for a description, each used
 * once.  Part of the broker.
 *
 * Per language there are at most as many as its `warm` says, for the kinds of
 * run (limits, terminal or not) that its last jobs were; at first for what its
 * locations give a client that asks for nothing.
 */

#ifndef CODR_POOL_H
#define CODR_POOL_H

#include <stdbool.h>
#include <stddef.h>

#include "codr_config.h"
#include "codr_ipc.h"
#include "codr_sandbox.h"
#include "codr_timer.h"

typedef struct codr_broker_s codr_broker_t;
typedef struct codr_pool_entry_s codr_pool_entry_t;
typedef struct codr_forecast_s codr_forecast_t;

typedef struct {
    codr_broker_t      *broker;
    codr_config_t      *config;         /* a reference, or NULL */
    codr_forecast_t    *forecast;       /* one a language of it */
    codr_pool_entry_t  *entries;        /* oldest last */
    size_t              count;          /* of them, ending ones included */
    size_t              starting;
    unsigned            failures;       /* in a row */
    codr_timer_t        timer;          /* the next look at what is missing */
} codr_pool_t;


void codr_pool_init(codr_pool_t *pool, codr_broker_t *broker);

/* For the newest configuration and spawner: ends what is there, begins to
   fill. */
void codr_pool_restart(codr_pool_t *pool);

/* Looks at what is missing, or is of no use any more. */
void codr_pool_refill(codr_pool_t *pool);

/* How a ready sandbox for a run of the language is made now: a flag of
   CODR_SPAWN_HOW, or 0. */
uint32_t codr_pool_flags(const codr_broker_t *broker,
    const codr_language_t *language);

/* Ends what is there. */
void codr_pool_drain(codr_pool_t *pool);

/*
 * Moves a ready sandbox of the language that was made for this request into
 * sandbox, with the master side of its terminal, or -1.  False: there is none.
 * Either way the pool learns what is asked for.
 */
bool codr_pool_take(codr_pool_t *pool, const codr_language_t *language,
    const codr_spawn_request_t *request, codr_sandbox_t *sandbox,
    int *ret_master);

/* How many wait for jobs of a language. */
size_t codr_pool_ready(const codr_pool_t *pool,
    const codr_language_t *language);

#endif /* CODR_POOL_H */
