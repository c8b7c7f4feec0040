/*
 * One socket of a worker: who is behind it, what of a job it has been told,
 * and what it may say.
 *
 *   codr_client.c   takes sockets, reads frames, lets go of sockets
 *   codr_attach.c   joins one to a job that is there already
 *   codr_pump.c     what it is told, as fast as it reads
 *   codr_fetch.c    what a worker asks of a job for itself
 */

#ifndef CODR_CLIENT_H
#define CODR_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "codr_broker.h"
#include "codr_event.h"
#include "codr_results.h"
#include "codr_tape.h"
#include "codr_timer.h"
#include "codr_wire.h"

typedef enum {
    CODR_CLIENT_NEW = 0,        /* its first frame has not come */
    CODR_CLIENT_CONTROL,        /* a job's own: output waits for it */
    CODR_CLIENT_OBSERVER,       /* submitted an ASYNC job */
    CODR_CLIENT_VIEWER,
    CODR_CLIENT_FETCH
} codr_client_role_t;

struct codr_client_s {
    codr_doomed_t        doomed;
    codr_client_t       *prev;          /* of the broker */
    codr_client_t       *next;
    codr_client_t       *left;          /* of the result */
    codr_client_t       *right;
    codr_broker_t       *broker;
    codr_config_t       *config;        /* a reference; NULL with a job */
    codr_wire_t          wire;
    codr_timer_t         timer;         /* coming, fetching, lingering */
    codr_client_role_t   role;
    bool                 counted;       /* in loose_count */

    codr_job_t          *job;           /* CONTROL, OBSERVER; NULL: no more */
    codr_result_t       *result;
    codr_place_t         place;         /* of the output it is told next */
    unsigned             stages;        /* STAGE frames there were by then */
    bool                 quiet;         /* wants no output */
    bool                 joined;        /* by ATTACH, or FETCH with LIVE */
    bool                 trusted;       /* by that: it is told no token */
    bool                 accepted;      /* ACCEPTED was said */
    bool                 started;       /* STARTED was said, or RECORD */
    bool                 ended;         /* so was the last frame */

    bool                 output;        /* FETCH: wants it */
    bool                 due;           /* FETCH: waits no more */
    uint64_t             room[2];       /* FETCH: bytes, by stream */
};


/* A worker's new socket, which is taken over. */
void codr_client_accept(codr_broker_t *broker, codr_config_t *config,
    int sock);

/* Nothing more is said: it goes as soon as the worker has read it all. */
void codr_client_finish(codr_client_t *client);
void codr_client_close(codr_client_t *client);

/* Its job is one, or none any more. */
void codr_client_set_job(codr_client_t *client, codr_job_t *job);

/* Makes it one of a result's. */
void codr_client_join(codr_client_t *client, codr_result_t *result,
    codr_client_role_t role);

/* Whether its worker records the end that it is told: it submitted the job. */
bool codr_client_reports(const codr_client_t *client);

/* Ends it with an ERROR of its own. */
void codr_client_refuse(codr_client_t *client, codr_error_t code,
    const char *message);

/* Frames ATTACH and FETCH: as codr_wire_handlers_t's frame. */
int codr_attach_take(codr_client_t *client, const uint8_t *payload,
    size_t len);
int codr_fetch_take(codr_client_t *client, const uint8_t *payload,
    size_t len);

/* Makes it a viewer, if there is room for one more. */
void codr_attach_view(codr_client_t *client, codr_result_t *result,
    uint64_t offset);


/* codr_pump.c */

/* Tells it what it has not been told yet. */
void codr_pump(codr_client_t *client);

/* The same for all clients of a result. */
void codr_pump_all(codr_result_t *result);

/* A frame for all of them that have not seen STARTED: the job waits. */
void codr_pump_waiting(codr_result_t *result, const void *frame, size_t len);

/* Output that has just been written to the tape, as a whole frame: goes at
   once to whoever is not behind. */
void codr_pump_output(codr_result_t *result, const void *frame, size_t len,
    uint64_t offset);

/* OUTPUT frames from its place on, at most room[] bytes of each stream unless
   NULL; false: there is nothing more now. */
bool codr_pump_pieces(codr_client_t *client, uint64_t *room);

/* Whether the program has to wait for its client. */
bool codr_pump_blocks(const codr_client_t *client);

/* FETCH: as codr_pump(). */
void codr_fetch_pump(codr_client_t *client);

#endif /* CODR_CLIENT_H */
