/*
 * The broker: the unprivileged heart of the helper.  It takes jobs from
 * nginx's workers, queues them, asks the spawner for sandboxes, and carries
 * input, output and results.
 */

#ifndef CODR_BROKER_H
#define CODR_BROKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "codr_cache.h"
#include "codr_capacity.h"
#include "codr_config.h"
#include "codr_event.h"
#include "codr_headers.h"
#include "codr_ipc.h"
#include "codr_link.h"
#include "codr_pace.h"
#include "codr_pool.h"
#include "codr_probe.h"
#include "codr_queue.h"
#include "codr_quota.h"
#include "codr_review.h"
#include "codr_results.h"
#include "codr_slot.h"

/* Configurations that are kept for workers which have yet to connect; one
   that a channel or a job refers to lives on in any case. */
#define CODR_BROKER_CONFIGS     4

/* Sockets that watch jobs or ask about them, all jobs together. */
#define CODR_BROKER_WATCHERS    4096

typedef struct codr_broker_s codr_broker_t;
typedef struct codr_channel_s codr_channel_t;
typedef struct codr_client_s codr_client_t;
typedef struct codr_job_s codr_job_t;
typedef struct codr_sharers_s codr_sharers_t;

struct codr_broker_s {
    codr_loop_t       loop;
    codr_host_t       host;
    uint32_t          uid_base;
    uint32_t          uid_count;

    codr_event_t      control;          /* the supervisor */
    codr_event_t      log;              /* lines of every role */
    codr_event_t      listener;         /* unix: only, as the timer */
    codr_timer_t      listen_timer;     /* it is listened to again */
    bool              deaf;             /* the last connection had to wait */

    codr_config_t    *config[CODR_BROKER_CONFIGS];  /* newest first */
    codr_link_t      *link;             /* the newest spawner, or NULL */
    char              cause[240];       /* why there is none; empty: wait */
    codr_probe_t      probe;
    codr_channel_t   *channels;
    codr_pool_t       pool;
    codr_reviewer_t   reviewer;
    codr_slots_t      slots;
    codr_capacity_t   capacity;
    codr_queue_t      queue;
    codr_quotas_t     quotas;           /* jobs that wait and run */
    codr_timer_t      queue_timer;      /* positions are told */
    codr_timer_t      dispatch_timer;   /* a place became free */
    codr_timer_t      figures_timer;    /* workers are told of them */
    codr_timer_t      offer_timer;      /* and of ends that nobody has */
    uint64_t          figures_us;       /* and were told last */
    uint64_t          instance;         /* since when this helper stands */
    size_t            running[2];       /* by codr_kind_t, as the next */
    codr_pace_t       pace[2];
    size_t            compiling;
    codr_cache_t      cache;
    codr_headers_t    headers;
    uint64_t          toolchain;        /* stamp of the host's compilers */
    int               shortcut;         /* codr-shortcut, or -1 */
    uint64_t          stored;           /* bytes of all jobs' memfds */
    codr_sharers_t   *sharers;          /* owners of floods */
    codr_job_t       *jobs;
    size_t            job_count;
    codr_client_t    *clients;          /* newest first */
    size_t            loose_count;      /* of those without a job that do not
                                           watch one either */
    size_t            watcher_count;
    codr_results_t    results;
    size_t            turned_away;      /* and not told of yet */
    uint64_t          turned_away_us;   /* when it was told */
};


/*
 * Runs the role; argv[0] is the executable, argv[1] "broker", then
 *     --uids BASE:COUNT       whose processes never get a channel
 *     --uid UID --gid GID     what the broker becomes
 * Descriptors as the table of codr_ipc.h says.  Returns an exit status.
 */
int codr_broker_main(int argc, char **argv);

/* codr_dispatch.c: who runs when */

/* Queues a job, or refuses it as busy. */
void codr_dispatch_add(codr_broker_t *broker, codr_job_t *job);

/* Starts every job that can start now. */
void codr_dispatch(codr_broker_t *broker);

/* The same after the present event. */
void codr_dispatch_soon(codr_broker_t *broker);

/* A job gives its place back. */
void codr_dispatch_leave(codr_broker_t *broker, codr_job_t *job);

/* No spawner can be had: refuses all that wait. */
void codr_dispatch_refuse_all(codr_broker_t *broker);

/* Bytes of memfds: false when there is no room for that many more. */
bool codr_dispatch_store(codr_broker_t *broker, codr_job_t *job,
    uint64_t bytes);

/* codr_channel.c: nginx's workers */

/* Takes the socket over; config NULL: it will say HELLO first. */
void codr_channel_open(codr_broker_t *broker, int sock,
    codr_config_t *config);

/* Service mode: workers are not of a generation, so all get the newest. */
void codr_channel_renew_configs(codr_broker_t *broker);

/* Sends STATUS to every channel. */
void codr_channel_tell_status(codr_broker_t *broker);

/* A frame to every worker; false when one had no room for it. */
bool codr_channel_tell_all(codr_broker_t *broker, const void *frame,
    size_t len);

/* A frame to one worker; false when none took it. */
bool codr_channel_tell_one(codr_broker_t *broker, const void *frame,
    size_t len);

/* codr_status.c: the STATUS frame for workers of a configuration, or 0 when
   it does not fit. */
size_t codr_status_encode(const codr_broker_t *broker,
    const codr_config_t *config, void *buffer, size_t size);

#endif /* CODR_BROKER_H */
