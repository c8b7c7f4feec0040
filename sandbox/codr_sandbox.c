/*
 * The life of one sandbox in the broker.  Whatever init or the program in it
 * does, a sandbox that does not end by itself ends in one way only: the
 * spawner says that it is gone, or the spawner itself is.
 */

#define _GNU_SOURCE

#include "codr_sandbox.h"

#include <errno.h>

#include "codr_io.h"
#include "codr_leaving.h"
#include "codr_log.h"
#include "codr_report.h"
#include "codr_sandbox_limits.h"
#include "codr_util.h"

#define TRIES_MAX       256         /* slots that other instances hold */
#define START_US        10000000    /* to be prepared; to start then */
#define END_US          10000000    /* to be gone once it is killed */


void
codr_sandbox_init(codr_sandbox_t *sandbox, codr_loop_t *loop,
    const codr_sandbox_handlers_t *handlers, void *data)
{
    *sandbox = (codr_sandbox_t) {
        .loop = loop,
        .handlers = handlers,
        .data = data,
        .init_end = -1,
        .init = { .fd = -1, .handler = codr_report_ready, .data = sandbox },
        .oom = { .fd = -1, .handler = codr_sandbox_oom_ready, .data = sandbox },
        .cpu = CODR_METER_NONE,
        .peak = CODR_METER_NONE,
        .wall_timer = { .handler = codr_sandbox_wall_over, .data = sandbox },
        .cpu_timer = { .handler = codr_sandbox_cpu_over, .data = sandbox },
        .artefact = CODR_ARTEFACT_NONE,
    };
}


/* What a sandbox has open. */
typedef struct {
    codr_event_t  init;
    codr_event_t  oom;
    int           fd[3];
} open_t;


/* Its descriptors and timers; what is known about its end stays. */
static open_t
release(codr_sandbox_t *sandbox)
{
    open_t open = {
        .init = sandbox->init,
        .oom = sandbox->oom,
        .fd = {
            codr_steal_fd(&sandbox->init_end),
            codr_steal_fd(&sandbox->cpu.fd),
            codr_steal_fd(&sandbox->peak.fd),
        },
    };

    sandbox->init = CODR_EVENT_NONE;
    sandbox->oom = CODR_EVENT_NONE;
    codr_timer_clear(&sandbox->loop->timers, &sandbox->wall_timer);
    codr_timer_clear(&sandbox->loop->timers, &sandbox->cpu_timer);
    return open;
}


static void
close_all(codr_loop_t *loop, open_t open)
{
    size_t i;

    codr_event_close(loop, &open.init);
    codr_event_close(loop, &open.oom);
    for (i = 0; i < CODR_ARRAY_LEN(open.fd); i++) {
        codr_close(&open.fd[i]);
    }
}


void
codr_sandbox_free(codr_sandbox_t *sandbox)
{
    close_all(sandbox->loop, release(sandbox));
    codr_artefact_free(&sandbox->artefact);
    sandbox->state = CODR_SANDBOX_IDLE;
}


static void
give_slot_back(codr_sandbox_t *sandbox, bool foreign)
{
    codr_link_t *link = sandbox->link;
    uint32_t     slot = sandbox->request.slot;

    if (!sandbox->attached) {
        return;
    }
    sandbox->attached = false;

    if (foreign) {
        codr_slot_foreign(link->slots, slot);
    } else {
        codr_slot_release(link->slots, slot);
    }

    codr_link_detach(link, slot);
}


/* The last thing that happens to a sandbox.  Whoever waits for its end hears of
   it before all is closed; its owner may be gone then. */
static void
gone(codr_sandbox_t *sandbox)
{
    open_t       open;
    codr_loop_t *loop = sandbox->loop;

    if (sandbox->state == CODR_SANDBOX_GONE) {
        return;
    }

    if (sandbox->started_us && sandbox->end.wall_us == 0) {
        sandbox->end.wall_us = codr_now_us() - sandbox->started_us;
    }

    open = release(sandbox);
    sandbox->state = CODR_SANDBOX_GONE;
    give_slot_back(sandbox, false);
    sandbox->handlers->changed(sandbox);
    close_all(loop, open);
}


static int
send_spawn(codr_sandbox_t *sandbox)
{
    return codr_io_send_one(sandbox->link->event.fd, &sandbox->request,
                            sizeof(sandbox->request), &sandbox->init_end, 1);
}


/* Sends what is due; what does not fit waits for codr_sandbox_flush(). */
static int
send_requests(codr_sandbox_t *sandbox)
{
    int result = 0;

    if (sandbox->unsent_spawn) {
        result = send_spawn(sandbox);
        if (result == 0) {
            sandbox->unsent_spawn = false;
            codr_close(&sandbox->init_end);
        }
    }

    /* a KILL must not overtake its SPAWN */
    if (result == 0 && sandbox->unsent_kill) {
        result = codr_link_kill(sandbox->link, sandbox->request.id);
        sandbox->unsent_kill = result != 0;
    }

    if (result == -EAGAIN) {
        codr_link_retry(sandbox->link);
        return 0;
    }

    return result;
}


void
codr_sandbox_flush(codr_sandbox_t *sandbox)
{
    if (send_requests(sandbox) < 0) {
        codr_link_lose(sandbox->link);
    }
}


static int
open_init(codr_sandbox_t *sandbox)
{
    int result = codr_io_pair(&sandbox->init.fd, &sandbox->init_end);

    return result < 0 ? result : codr_event_watch(sandbox->loop,
                                                  &sandbox->init, EPOLLIN);
}


static int
tell_init(codr_sandbox_t *sandbox, codr_init_op_t op, uint32_t value)
{
    codr_init_request_t request = {
        .version = CODR_IPC_VERSION,
        .op = op,
        .value = value,
    };

    return codr_io_send_one(sandbox->init.fd, &request, sizeof(request), NULL,
                            0);
}


/* One attempt with one slot. */
static int
attempt(codr_sandbox_t *sandbox)
{
    int             result;
    static uint64_t last_id;

    sandbox->request.slot = codr_slot_take(sandbox->link->slots);
    if (sandbox->request.slot == 0) {
        return -EBUSY;
    }

    result = codr_link_attach(sandbox->link, sandbox, sandbox->request.slot);
    if (result < 0) {
        codr_slot_release(sandbox->link->slots, sandbox->request.slot);
        return result;
    }

    sandbox->attached = true;
    sandbox->request.id = ++last_id;
    sandbox->unsent_spawn = true;
    sandbox->tries++;

    result = open_init(sandbox);
    if (result == 0) {
        sandbox->run_told = false;
        result = sandbox->handlers->describe(sandbox);
    }
    if (result == 0 && sandbox->run_us != 0 && !sandbox->run_told) {
        result = tell_init(sandbox, CODR_INIT_RUN, 0);
    }
    if (result == 0) {
        result = send_requests(sandbox);
    }

    if (result < 0) {
        codr_event_close(sandbox->loop, &sandbox->init);
        codr_close(&sandbox->init_end);
        give_slot_back(sandbox, false);
    }

    return result;
}


int
codr_sandbox_start(codr_sandbox_t *sandbox, codr_link_t *link,
    const codr_spawn_request_t *request)
{
    int result;

    if (link->state != CODR_LINK_READY) {
        return -ENOTCONN;
    }

    sandbox->link = link;
    sandbox->request = *request;
    sandbox->request.version = CODR_IPC_VERSION;
    sandbox->request.op = CODR_SPAWN;
    sandbox->state = CODR_SANDBOX_STARTING;

    result = attempt(sandbox);
    if (result == 0) {
        result = codr_timer_set(&sandbox->loop->timers, &sandbox->wall_timer,
                                codr_now_us() + START_US);
        if (result < 0) {
            codr_sandbox_kill(sandbox, CODR_STATUS_INTERNAL);
            result = 0;         /* the owner hears of it when it is gone */
        }
        return result;
    }

    sandbox->state = CODR_SANDBOX_IDLE;
    return result;
}


bool
codr_sandbox_rest(codr_sandbox_t *sandbox)
{
    if (sandbox->state != CODR_SANDBOX_STARTING || sandbox->ending
        || !sandbox->spawned || !sandbox->ready)
    {
        return false;
    }

    codr_timer_clear(&sandbox->loop->timers, &sandbox->wall_timer);
    return true;
}


int
codr_sandbox_adopt(codr_sandbox_t *to, codr_sandbox_t *from)
{
    int            result;
    codr_sandbox_t own = *to;

    *to = *from;
    to->handlers = own.handlers;
    to->data = own.data;
    to->init = own.init;
    to->oom = own.oom;
    to->wall_timer = own.wall_timer;
    to->cpu_timer = own.cpu_timer;

    from->cpu.fd = -1;
    from->peak.fd = -1;
    from->attached = false;
    from->state = CODR_SANDBOX_IDLE;
    codr_link_move(to->link, to, to->request.slot);

    result = codr_event_move(to->loop, &to->init, &from->init);
    if (result == 0) {
        result = codr_event_move(to->loop, &to->oom, &from->oom);
    }
    if (result == 0) {
        result = codr_timer_set(&to->loop->timers, &to->wall_timer,
                                codr_now_us() + START_US);
    }
    if (result < 0) {
        /* the owner hears of it when it is gone */
        codr_sandbox_kill(to, CODR_STATUS_INTERNAL);
    }

    return result;
}


int
codr_sandbox_describe(codr_sandbox_t *sandbox, uint32_t flags,
    uint64_t artefact_max, const void *fields, size_t len, const int *fds,
    size_t nfds)
{
    codr_init_request_t request = {
        .version = CODR_IPC_VERSION,
        .op = CODR_INIT_DESCRIBE,
        .flags = flags,
        .artefact_max = artefact_max,
    };
    struct iovec pieces[2] = {
        { &request, sizeof(request) },
        { (void *) (uintptr_t) fields, len },
    };

    sandbox->artefact_max = artefact_max;
    sandbox->run_told = (flags & CODR_DESCRIBE_RUN) != 0;
    return codr_io_send(sandbox->init.fd, pieces, 2, fds, nfds);
}


int
codr_sandbox_run(codr_sandbox_t *sandbox, uint64_t cpu_us, unsigned cpus)
{
    int result;

    /* what came before may have shown that the spawner is gone, and this one
       with it: nothing of it may be told as begun */
    if (sandbox->state == CODR_SANDBOX_IDLE
        || sandbox->state == CODR_SANDBOX_GONE)
    {
        return -ENOTCONN;
    }

    sandbox->run_us = codr_now_us();
    sandbox->cpu_limit_us = cpu_us;
    sandbox->cpus = cpus ? cpus : 1;

    if (sandbox->run_told) {
        return 0;
    }

    result = sandbox->state != CODR_SANDBOX_PREPARED || sandbox->ending ? 0
             : codr_timer_set(&sandbox->loop->timers, &sandbox->wall_timer,
                              sandbox->run_us + START_US);
    if (result < 0) {
        codr_sandbox_kill(sandbox, CODR_STATUS_INTERNAL);
        return result;
    }

    /* nobody at the other end: the spawner has refused, and the next attempt
       asks again; or init has ended by itself, which the spawner will say */
    result = sandbox->init.fd == -1 ? 0 : tell_init(sandbox, CODR_INIT_RUN, 0);
    if (result < 0 && result != -EPIPE && result != -ECONNRESET) {
        codr_sandbox_kill(sandbox, CODR_STATUS_INTERNAL);
        return result;
    }

    return 0;
}


int
codr_sandbox_prepared(codr_sandbox_t *sandbox)
{
    if (sandbox->state != CODR_SANDBOX_STARTING) {
        return -EPROTO;
    }

    sandbox->state = CODR_SANDBOX_PREPARED;

    /* who holds it back now has a bound for that */
    if (sandbox->run_us == 0 && !sandbox->ending) {
        codr_timer_clear(&sandbox->loop->timers, &sandbox->wall_timer);
    }
    return 0;
}


int
codr_sandbox_started(codr_sandbox_t *sandbox, uint64_t cpu_us, uint64_t at_us)
{
    if (sandbox->run_us == 0 || sandbox->started_us != 0) {
        return -EPROTO;
    }

    sandbox->state = CODR_SANDBOX_RUNNING;
    sandbox->started_us = at_us;
    sandbox->cpu_base_us = cpu_us;

    if (!sandbox->ending) {
        codr_timer_clear(&sandbox->loop->timers, &sandbox->wall_timer);
    }
    codr_sandbox_begin_cpu(sandbox);
    sandbox->handlers->started(sandbox);
    return 0;
}


void
codr_sandbox_signal(codr_sandbox_t *sandbox, int signo)
{
    if (sandbox->init.fd != -1) {
        /* an init that does not read its socket gets no signals either */
        (void) tell_init(sandbox, CODR_INIT_SIGNAL, (uint32_t) signo);
    }
}


void
codr_sandbox_kill(codr_sandbox_t *sandbox, codr_status_t reason)
{
    if (sandbox->state == CODR_SANDBOX_IDLE
        || sandbox->state == CODR_SANDBOX_GONE || sandbox->ending)
    {
        return;
    }

    /* once the program has ended by itself, that is how it ended */
    if (!sandbox->end.reported) {
        sandbox->end.killed = true;
        sandbox->end.reason = reason;
    }
    sandbox->ending = true;
    sandbox->unsent_kill = true;

    codr_timer_clear(&sandbox->loop->timers, &sandbox->cpu_timer);
    (void) codr_timer_set(&sandbox->loop->timers, &sandbox->wall_timer,
                          codr_now_us() + END_US);

    if (send_requests(sandbox) < 0) {
        codr_link_lose(sandbox->link);
    }
}


void
codr_sandbox_lost(codr_sandbox_t *sandbox)
{
    sandbox->end.lost = true;
    if (!sandbox->end.killed && !sandbox->end.reported) {
        sandbox->end.killed = true;
        sandbox->end.reason = CODR_STATUS_INTERNAL;
    }

    gone(sandbox);
}


/* The spawner's side */


static int
take_spawned(codr_sandbox_t *sandbox, const codr_spawn_reply_t *reply,
    int *fds, size_t nfds)
{
    int      result;
    size_t   i = 0;
    bool     cpu = reply->flags & (CODR_SPAWNED_CPU | CODR_SPAWNED_CPU_V2);
    bool     peak = reply->flags & CODR_SPAWNED_PEAK;
    bool     oom = reply->flags & (CODR_SPAWNED_OOM | CODR_SPAWNED_OOM_V2);

    if (sandbox->spawned || nfds != (size_t) cpu + peak + oom) {
        return -EPROTO;
    }
    sandbox->spawned = true;

    if (cpu) {
        sandbox->cpu.fd = codr_steal_fd(&fds[i++]);
        sandbox->cpu.v2 = (reply->flags & CODR_SPAWNED_CPU_V2) != 0;
    }
    if (peak) {
        sandbox->peak.fd = codr_steal_fd(&fds[i++]);
    }
    if (oom) {
        sandbox->oom.fd = codr_steal_fd(&fds[i]);
        sandbox->oom_v2 = (reply->flags & CODR_SPAWNED_OOM_V2) != 0;
        result = codr_event_watch(sandbox->loop, &sandbox->oom,
                                  sandbox->oom_v2 ? EPOLLPRI : EPOLLIN);
        if (result < 0) {
            return result;
        }
    }

    codr_sandbox_begin_cpu(sandbox);
    sandbox->handlers->changed(sandbox);
    return 0;
}


static int
take_refused(codr_sandbox_t *sandbox, const codr_spawn_reply_t *reply)
{
    if (sandbox->spawned) {
        return -EPROTO;
    }

    if (reply->error == EADDRINUSE) {
        codr_event_close(sandbox->loop, &sandbox->init);
        give_slot_back(sandbox, true);
        if (!sandbox->ending && sandbox->tries < TRIES_MAX
            && attempt(sandbox) == 0)
        {
            return 0;
        }
    }

    sandbox->end.failed = true;
    sandbox->end.step = reply->step;
    sandbox->end.error = reply->error;
    gone(sandbox);
    return 0;
}


static void
set_figures(codr_sandbox_t *sandbox, uint64_t cpu_us, uint64_t memory_peak)
{
    codr_sandbox_end_t *end = &sandbox->end;

    end->memory_peak = memory_peak;
    end->cpu_us = cpu_us > sandbox->cpu_base_us
                  ? cpu_us - sandbox->cpu_base_us : 0;
    end->cpu_counted = sandbox->cpu.fd != -1;
    end->cpu_over = end->cpu_us / 1000000 >= sandbox->request.cpu_seconds;
}


static int
take_gone(codr_sandbox_t *sandbox, const codr_spawn_reply_t *reply)
{
    if (!sandbox->spawned) {
        return -EPROTO;
    }

    /* what init said last lies in its socket, complete */
    codr_report_drain(sandbox);

    sandbox->end.oom_events = reply->oom_events;
    set_figures(sandbox, reply->cpu_us, reply->memory_peak);
    gone(sandbox);
    return 0;
}


/* Its slot stays the sandbox's until the spawner has seen it go. */
static bool
leave(codr_sandbox_t *sandbox, uint64_t cpu_us)
{
    if (!codr_leaving_add(sandbox->link, sandbox->request.slot,
                          sandbox->request.id))
    {
        return false;
    }

    set_figures(sandbox, cpu_us, codr_meter_bytes(sandbox->peak));
    sandbox->attached = false;      /* the slot is no business of ours */
    gone(sandbox);
    return true;
}


bool
codr_sandbox_leave(codr_sandbox_t *sandbox)
{
    uint64_t     cpu_us;
    codr_meter_t oom = { sandbox->oom.fd, sandbox->oom_v2 };

    if (!sandbox->end.reported || sandbox->ending || !sandbox->spawned
        || sandbox->oom_of_all || !codr_meter_no_oom(oom))
    {
        return false;
    }

    cpu_us = sandbox->cpu.fd == -1 ? sandbox->end.rusage_us
                                   : codr_meter_cpu_us(sandbox->cpu);

    return cpu_us > 0 && leave(sandbox, cpu_us);
}


bool
codr_sandbox_abandon(codr_sandbox_t *sandbox)
{
    if (!sandbox->ending || !sandbox->spawned || sandbox->unsent_kill) {
        return false;
    }

    sandbox->end.stays = true;
    if (leave(sandbox, sandbox->cpu.fd == -1
                       ? 0 : codr_meter_cpu_us(sandbox->cpu)))
    {
        return true;
    }

    sandbox->end.stays = false;
    return false;
}


int
codr_sandbox_reply(codr_sandbox_t *sandbox, const codr_spawn_reply_t *reply,
    int *fds, size_t nfds)
{
    if (reply->id != sandbox->request.id || sandbox->unsent_spawn) {
        return -EPROTO;
    }

    switch ((codr_spawn_answer_t) reply->kind) {

    case CODR_SPAWNER_SPAWNED:
        return take_spawned(sandbox, reply, fds, nfds);

    case CODR_SPAWNER_REFUSED:
        return take_refused(sandbox, reply);

    case CODR_SPAWNER_EXITED:
        return take_gone(sandbox, reply);

    case CODR_SPAWNER_READY:
    case CODR_SPAWNER_ZYGOTE:
        break;
    }

    return -EPROTO;
}
