/*
 * Results: what is known of each job and what it wrote, while it waits and
 * runs, and for a while after its end.
 *
 * All of them together take no more than a maximum: results of ended jobs
 * leave first, the oldest before the others.  Those of jobs that have not
 * ended never do; where their output alone is too much, the job that holds
 * most gives up its oldest bytes.
 */

#ifndef CODR_RESULTS_H
#define CODR_RESULTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "codr_limits.h"
#include "codr_proto.h"
#include "codr_tape.h"
#include "codr_timer.h"

#define CODR_RESULTS_BUCKETS    4096

typedef struct codr_result_s codr_result_t;

/* Who uses a result, and its readers: for whoever embeds the store. */
struct codr_job_s;
struct codr_client_s;

/* A list of results: first is the oldest. */
typedef struct {
    codr_result_t  *first;
    codr_result_t  *last;
} codr_result_list_t;

typedef struct {
    codr_timers_t       *timers;
    codr_timer_t         timer;         /* the oldest is too old */
    codr_result_t       *bucket[CODR_RESULTS_BUCKETS];
    codr_result_list_t   live;
    codr_result_list_t   ended;
    codr_result_t       *offered;       /* see codr_results_offer() */
    size_t               count;
    size_t               memory;
    size_t               expired;       /* of it, not given back yet */
    size_t               max;
    uint64_t             ttl_us;
} codr_results_t;

struct codr_result_s {
    codr_result_t  *prev;               /* live or ended */
    codr_result_t  *next;
    codr_result_t  *same;               /* in its bucket */
    size_t          memory;             /* as it was counted last */
    bool            listed;             /* can be found by its id */

    char            id[CODR_JOB_ID_LEN + 1];
    char            attach_token[CODR_TOKEN_LEN + 1];
    char            view_token[CODR_TOKEN_LEN + 1];
    uint8_t         owner[CODR_OWNER_MAX];
    size_t          owner_len;
    char            language[CODR_NAME_MAX + 1];
    char            tag[CODR_TAG_MAX + 1];
    codr_limits_t   limits;
    codr_terminal_t terminal;
    bool            input_closed;
    uint64_t        input_bytes;

    uint64_t        created_ms;         /* since 1970, as the next two */
    uint64_t        started_ms;         /* 0 = not yet */
    uint64_t        completed_ms;       /* 0 = not yet */
    uint64_t        ended_us;           /* the same, monotonic */

    bool            announced;          /* STARTED can be said */
    unsigned        stages;             /* that began so far */
    uint8_t        *warnings;           /* fields of STARTED, or NULL */
    size_t          warnings_len;
    uint8_t        *stage;              /* the last STAGE frame */
    size_t          stage_len;
    uint8_t        *final;              /* the COMPLETE or ERROR frame */
    size_t          final_len;
    codr_tape_t     tape;

    bool            outlives;           /* the socket that submitted it */
    bool            claimed;            /* some worker has its end */
    bool            offered;            /* in that list, as the next two */
    codr_result_t  *before;
    codr_result_t  *after;
    unsigned        offers;             /* that were made so far */
    uint64_t        offer_us;           /* when the next one is due */

    struct codr_job_s     *job;         /* NULL after its end */
    struct codr_client_s  *clients;     /* it is not freed while it has one */
};


void codr_results_init(codr_results_t *results, codr_timers_t *timers);

/* What the configuration says; evicts what is too much by it. */
void codr_results_limit(codr_results_t *results, size_t max, uint64_t ttl_us);

/* An empty one of a job that begins.  NULL: no memory, or the id is taken
   (errno EEXIST). */
codr_result_t *codr_results_add(codr_results_t *results, const char *id);

/* NULL when there is none. */
codr_result_t *codr_results_find(const codr_results_t *results,
    const void *id, size_t len);

/* Output of a live job, as far as there is room. */
void codr_results_write(codr_results_t *results, codr_result_t *result,
    uint8_t stream, const uint8_t *data, size_t len);

/* Keeps a copy of what the policy warns of. */
void codr_results_warn(codr_results_t *results, codr_result_t *result,
    const void *fields, size_t len);

/* Keeps a copy of the STAGE frame, or of the final one: then the job has
   ended, and its result is one that may be evicted. */
void codr_results_stage(codr_results_t *results, codr_result_t *result,
    const void *frame, size_t len);
void codr_results_end(codr_results_t *results, codr_result_t *result,
    const void *frame, size_t len);

/* Its end is one that workers are to be told of, until one has claimed it:
   it stays until then, if without its output, but not beyond its time. */
void codr_results_offer(codr_results_t *results, codr_result_t *result);
void codr_results_claim(codr_results_t *results, codr_result_t *result);

/* It has no clients any more: frees one that was evicted meanwhile. */
void codr_results_leave(codr_results_t *results, codr_result_t *result);

/* Forgets a job that never was: no final frame was said. */
void codr_results_forget(codr_results_t *results, codr_result_t *result);

/* Whether a token is this one, in constant time. */
bool codr_results_token_same(const char token[CODR_TOKEN_LEN + 1],
    const void *said, size_t len);

#endif /* CODR_RESULTS_H */
