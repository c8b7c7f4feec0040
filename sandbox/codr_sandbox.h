/*
 * One sandbox, from SPAWN to the spawner's word that everything in it is
 * gone: the conversation with spawner and init, and the deadlines.
 *
 * A sandbox runs one command: a stage of a job, or a language's version.
 */

#ifndef CODR_SANDBOX_H
#define CODR_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "codr_artefact.h"
#include "codr_event.h"
#include "codr_ipc.h"
#include "codr_link.h"
#include "codr_meter.h"
#include "codr_proto.h"
#include "codr_slot.h"

typedef enum {
    CODR_SANDBOX_IDLE = 0,      /* not started, or freed */
    CODR_SANDBOX_STARTING,      /* SPAWN is on its way */
    CODR_SANDBOX_PREPARED,      /* the program can start, RUN was not sent */
    CODR_SANDBOX_RUNNING,       /* the program was executed */
    CODR_SANDBOX_GONE           /* nothing is left, but see codr_leaving.h */
} codr_sandbox_state_t;

/* How it ended; figures are those of the program, from its exec on. */
typedef struct {
    bool           killed;      /* while it ran; reason says why */
    codr_status_t  reason;
    bool           lost;        /* with its spawner */
    bool           stays;       /* killed, with all that it holds open */
    bool           unread;      /* what it wrote, or was to read, was lost */
    bool           reported;    /* init told wait_status and flags */
    int            wait_status;
    uint32_t       flags;       /* CODR_EXITED_* */
    uint64_t       rusage_us;   /* told, too: CPU time */
    bool           failed;      /* step and error say at what */
    uint32_t       step;        /* codr_step_t */
    int            error;
    uint32_t       oom_events;
    bool           cpu_counted; /* by a cgroup, to the microsecond */
    bool           cpu_over;    /* RLIMIT_CPU was reached */
    uint64_t       cpu_us;
    uint64_t       wall_us;
    uint64_t       memory_peak; /* 0 = not known */
} codr_sandbox_end_t;

typedef struct {
    /* Send DESCRIBE with codr_sandbox_describe().  0, or negative errno. */
    int   (*describe)(codr_sandbox_t *sandbox);
    /* Take the terminal's master side over. */
    void  (*terminal)(codr_sandbox_t *sandbox, int master);
    /* The program was executed: its time begins. */
    void  (*started)(codr_sandbox_t *sandbox);
    /* State or end has changed. */
    void  (*changed)(codr_sandbox_t *sandbox);
} codr_sandbox_handlers_t;

struct codr_sandbox_s {
    codr_loop_t                    *loop;
    const codr_sandbox_handlers_t  *handlers;
    void                           *data;
    codr_sandbox_state_t            state;
    codr_link_t                    *link;
    codr_spawn_request_t            request;    /* as it was sent */
    unsigned                        tries;      /* slots asked for */
    bool                            attached;   /* has its slot */
    bool                            spawned;    /* the spawner said so */
    bool                            ready;      /* init can be described */
    bool                            forked;     /* is a zygote's clone */
    bool                            ending;     /* KILL was asked for */
    bool                            unsent_spawn;
    bool                            unsent_kill;
    int                             init_end;   /* to go with SPAWN */
    codr_event_t                    init;
    codr_event_t                    oom;
    bool                            oom_v2;
    bool                            oom_of_all; /* and not of it alone */
    codr_meter_t                    cpu;
    codr_meter_t                    peak;
    uint64_t                        cpu_base_us;
    uint64_t                        cpu_seen_us;
    uint64_t                        cpu_limit_us;
    uint64_t                        cpu_pause_us;
    unsigned                        cpus;
    bool                            run_told;   /* DESCRIBE says it all */
    uint64_t                        run_us;     /* it may run; 0: it may not */
    uint64_t                        started_us; /* it ran; 0: not yet */
    codr_timer_t                    wall_timer;
    codr_timer_t                    cpu_timer;
    uint64_t                        artefact_max;
    codr_artefact_t                 artefact;
    codr_sandbox_end_t              end;
};


void codr_sandbox_init(codr_sandbox_t *sandbox, codr_loop_t *loop,
    const codr_sandbox_handlers_t *handlers, void *data);

/*
 * Asks for a sandbox with the limits of request, whose version, op, id and
 * slot are filled in here.  0, -EBUSY without a free slot, or another
 * negative errno; then nothing has begun.
 */
int codr_sandbox_start(codr_sandbox_t *sandbox, codr_link_t *link,
    const codr_spawn_request_t *request);

/* Ready to be described, with nothing of a job's in it; no deadline runs. */
bool codr_sandbox_rest(codr_sandbox_t *sandbox);

/*
 * Moves a resting sandbox to another owner, whose codr_sandbox_init() has been
 * called; from is idle then.  The new owner describes it, for which the time
 * of a start runs again.  0, or negative errno, and it ends. */
int codr_sandbox_adopt(codr_sandbox_t *to, codr_sandbox_t *from);

/* One DESCRIBE: fields of len bytes, and descriptors.  With CODR_DESCRIBE_RUN
   codr_sandbox_run() must follow in the same turn.  0, or negative errno. */
int codr_sandbox_describe(codr_sandbox_t *sandbox, uint32_t flags,
    uint64_t artefact_max, const void *fields, size_t len, const int *fds,
    size_t nfds);

/* Once, from STARTING on: the program starts as soon as it can, with cpu_us of
   CPU time on cpus processors, 0 = no bound.  0, or -errno: it is killed. */
int codr_sandbox_run(codr_sandbox_t *sandbox, uint64_t cpu_us, unsigned cpus);

/* RUNNING: it ends with wall_limit at this time. */
void codr_sandbox_deadline(codr_sandbox_t *sandbox, uint64_t at_us);

/* To the foreground process group; lost when the sandbox does not listen. */
void codr_sandbox_signal(codr_sandbox_t *sandbox, int signo);

/* Ends it; accepts one that is not running. */
void codr_sandbox_kill(codr_sandbox_t *sandbox, codr_status_t reason);

/* Idle or gone: forgets everything, the artefact included. */
void codr_sandbox_free(codr_sandbox_t *sandbox);

/* For codr_link.c. */
int codr_sandbox_reply(codr_sandbox_t *sandbox,
    const codr_spawn_reply_t *reply, int *fds, size_t nfds);
void codr_sandbox_flush(codr_sandbox_t *sandbox);
void codr_sandbox_lost(codr_sandbox_t *sandbox);

#endif /* CODR_SANDBOX_H */
