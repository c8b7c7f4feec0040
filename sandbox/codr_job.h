/*
 * One job: everything the broker knows about it, and its states.
 *
 *   codr_job.c      takes it frame by frame, queues it, buries it
 *   codr_stage.c    its stages, from admission to the final message
 *   codr_supply.c   where a stage's sandbox comes from
 *   codr_command.c  what spawner and init are told of a stage
 *   codr_answer.c   what it says to the worker
 */

#ifndef CODR_JOB_H
#define CODR_JOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "codr_artefact.h"
#include "codr_broker.h"
#include "codr_event.h"
#include "codr_inspection.h"
#include "codr_queue.h"
#include "codr_request.h"
#include "codr_sandbox.h"
#include "codr_share.h"
#include "codr_source.h"
#include "codr_stage.h"
#include "codr_stdio.h"
#include "codr_trace.h"

typedef enum {
    CODR_JOB_NEW = 0,           /* EXECUTE has not come */
    CODR_JOB_FILES,             /* it has; SUBMIT has not */
    CODR_JOB_QUEUED,
    CODR_JOB_COMPILING,
    CODR_JOB_RUNNING,
    CODR_JOB_ENDED              /* its result is all there is of it */
} codr_job_state_t;

/* What the compile stage used. */
typedef struct {
    bool      done;
    bool      cached;           /* it was not needed: no figures */
    uint64_t  cpu_us;
    uint64_t  wall_us;
    uint64_t  memory_peak;
    char     *words;            /* cleaned; NULL when it said nothing */
} codr_compile_figures_t;

struct codr_job_s {
    codr_doomed_t           doomed;
    codr_job_t             *prev;
    codr_job_t             *next;
    codr_broker_t          *broker;
    codr_config_t          *config;         /* a reference */
    codr_job_state_t        state;
    codr_client_t          *control;        /* NULL: it is detached */
    codr_result_t          *result;         /* from SUBMIT on */
    codr_timer_t            timer;          /* waiting */
    codr_timer_t            detached;
    uint64_t                detach_ms;      /* most it may be; 0: not at all */
    char                    id[CODR_JOB_ID_LEN + 1];

    codr_request_t          request;
    codr_language_t        *language;       /* of config */
    codr_limits_t           caps;           /* of location and language */
    codr_limits_t           limits;         /* in force */
    bool                    output_drop;
    codr_source_t           source;
    uint64_t                stored;         /* bytes of memfds it holds */

    codr_inspection_t       inspection;

    codr_waiter_t           waiter;
    size_t                  position;       /* told last; 0 = none */
    bool                    announced;      /* STARTED was said */
    bool                    told_stage;     /* STAGE was said, too */
    bool                    holds_place;    /* counted as running */
    bool                    holds_compile;  /* counted as compiling */
    bool                    alone;          /* waits for no equal one */
    bool                    identified;     /* the next three are known */
    bool                    cacheable;      /* key is what it is made from */
    codr_cache_key_t        key;
    uint64_t                toolchain;      /* when key was made */
    codr_flight_t           flight;         /* while it compiles */
    bool                    counted, charged;   /* see codr_charge.h */

    codr_sandbox_t          sandbox;        /* of the present stage */
    codr_path_t             path;           /* where it came from */
    bool                    cold;           /* no ready one any more */
    uint64_t                spent_us;       /* CPU time of those before it that
                                               ended before they ran it */
    int                     ends[3];        /* of its streams, until sent */
    codr_stdio_t            io;             /* of the run stage */
    codr_share_t            share;          /* in its owner's floods */
    codr_stdio_t            compiler;       /* of the compile stage */
    char                   *words;          /* the compiler's, as they come */
    size_t                  words_len;
    codr_compile_figures_t  compile;
    codr_artefact_t         artefact;

    uint64_t                input_bytes;
    uint64_t                input_us;       /* the last; 0 = none yet */
    bool                    eof;            /* nobody can type any more */
    uint64_t                eof_us;
    uint64_t                written;        /* by the program */
    bool                    truncated;
    bool                    output_over;    /* and that ended it */

    codr_trace_t            trace;
    uint64_t                submitted_us;
    uint64_t                begun_us;       /* left the queue */
    uint64_t                start_us;       /* from there to its exec */
};


/* EXECUTE, and any other frame of the job's client: as codr_wire_handlers_t's
   frame. */
int codr_job_begin(codr_client_t *client, const uint8_t *payload, size_t len);
int codr_job_frame(codr_job_t *, codr_frame_t, const uint8_t *payload);

/* Ends a job that has no sandbox with an error. */
void codr_job_refuse(codr_job_t *job, codr_error_t code, const char *message,
    uint64_t retry_ms);

/* The final message has been said: nothing of the job is needed any more. */
void codr_job_finish(codr_job_t *job);

/* Another client controls it from now on. */
void codr_job_control(codr_job_t *job, codr_client_t *client);

/* Its client is gone: it is stopped, unless it may go on without. */
void codr_job_alone(codr_job_t *job);

#endif /* CODR_JOB_H */
