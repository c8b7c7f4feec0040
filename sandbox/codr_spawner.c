/*
 * The spawner role: makes sandboxes and ends them.  The only process with
 * privileges that a request from outside can reach, so what it takes are
 * structs of numbers and one descriptor, it allocates nothing per request, and
 * any odd request ends it.  It is the parent of every init, and tells the
 * broker of each end exactly once.
 */

#define _GNU_SOURCE

#include "codr_spawner.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "codr_control.h"
#include "codr_init.h"
#include "codr_io.h"
#include "codr_ipc.h"
#include "codr_log.h"
#include "codr_ns.h"
#include "codr_nursery.h"
#include "codr_spawn_request.h"
#include "codr_spawner_setup.h"
#include "codr_spawner_slot.h"
#include "codr_trace.h"
#include "codr_util.h"

#define LACKING_US          15000000    /* until layers are looked for again */

static codr_spawner_t self;
static codr_nursery_t nursery;
static codr_trace_t   trace;            /* of the request at hand */


static void
answer(codr_spawn_reply_t *reply, const int *fds, size_t nfds)
{
    int result;

    reply->version = CODR_IPC_VERSION;

    /* a broker that is gone shows as the end of its socket; one that is there
       would wait for ever for what it was not told */
    result = codr_io_send_one(CODR_FD_PEER, reply, sizeof(*reply), fds, nfds);
    if (result < 0 && result != -EPIPE && result != -ECONNRESET) {
        codr_log(CODR_LEVEL_FATAL, -result, "answer the broker");
        exit(EXIT_FAILURE);
    }
}


static void
answer_ready(void)
{
    int                usage = codr_cgroup_usage_file(&self.cgroup);
    codr_spawn_reply_t reply = {
        .kind = CODR_SPAWNER_READY,
        .slots = self.count,
    };

    _Static_assert(sizeof(reply.layer) >= sizeof(self.layers.state), "layers");
    memcpy(reply.layer, self.layers.state, sizeof(self.layers.state));

    answer(&reply, &usage, usage == -1 ? 0 : 1);
    codr_close(&usage);
}


static void
log_trace(uint64_t id)
{
    char text[CODR_LOG_LINE];

    if (trace.wanted) {
        codr_trace_text(&trace, text, sizeof(text));
        codr_log(CODR_LEVEL_DEBUG, 0, "sandbox %llu: %s",
                 (unsigned long long) id, text);
    }
}


/* What there is of each kind of zygote, when that has changed. */
static void
answer_zygotes(void)
{
    int                     i;
    codr_interpreter_kind_t kind;
    codr_spawn_reply_t      reply = { .kind = CODR_SPAWNER_ZYGOTE };

    for (i = 1; i < CODR_INTERPRETER_COUNT; i++) {
        kind = (codr_interpreter_kind_t) i;
        if (codr_nursery_changed(&nursery, kind)) {
            reply.slot = (uint32_t) i;
            reply.flags = codr_nursery_state(&nursery, kind);
            answer(&reply, NULL, 0);
        }
    }
}


/* A pid; 0: a zygote is asked for it, and settle() is called when it has
   answered; or negative errno.  In the clone this does not return. */
static pid_t
clone_init(const codr_spawn_request_t *request, codr_spawner_slot_t *slot,
    int sock)
{
    pid_t         pid;
    unsigned long made = 0;
    codr_init_t   init = {
        .request = request,
        .layers = &self.layers,
        .cgroup = &self.cgroup,
        .slot = &slot->cgroup,
        .seccomp = &self.seccomp,
        .landlock = &self.landlock,
        .uid = codr_spawner_slot_uid(&self, slot),
        .user_ns = self.user_ns,
        .socket = sock,
        .parked = codr_nursery_parked(&nursery, request->flags),
    };

    if (request->flags & CODR_SPAWN_ZYGOTE) {
        return codr_nursery_ask(&nursery, request, &slot->cgroup,
                                codr_spawner_slot_uid(&self, slot), sock);
    }

    if (slot->blank.mounts >= 0) {
        made = self.blanks.namespaces;
        init.blank = &slot->blank;
    }

    pid = codr_ns_clone(self.namespaces & ~made,
                        codr_cgroup_into(&self.cgroup, &slot->cgroup));
    if (pid == 0) {
        codr_init_main(&init);
    }

    slot->entered = pid > 0 && made != 0;
    if (pid > 0 && made == 0) {
        slot->mounts = codr_ns_hold_mounts(pid);
    }
    return pid;
}


/* 0, and the slot's pid: as clone_init(); or negative errno. */
static int
make_sandbox(const codr_spawn_request_t *request, codr_spawner_slot_t *slot,
    int sock, uint32_t *ret_step)
{
    int                 rc;
    pid_t               pid = 0;
    codr_cgroup_usage_t usage;

    slot->watch = (codr_cgroup_watch_t) { 0 };
    slot->doomed = false;

    codr_spawner_slot_tidy(&self, slot);
    *ret_step = CODR_STEP_UID_LEASE;
    rc = codr_spawner_slot_lease(&self, slot);
    if (rc != 0) {
        return rc;
    }

    /* the clone copies it; a zygote has networks of its own */
    *ret_step = CODR_STEP_NETNS;
    if (codr_layer_ok(&self.layers, CODR_LAYER_NS_NET)
        && !(request->flags & CODR_SPAWN_ZYGOTE))
    {
        slot->networked = true;
        rc = codr_ns_enter_net(&slot->net);
        if (rc != 0) {
            return rc;
        }
    }

    codr_trace_mark(&trace, "lease");
    rc = codr_spawner_slot_prepare(&self, slot, request, ret_step);
    if (rc != 0) {
        return rc;
    }

    *ret_step = CODR_STEP_CGROUP_CREATE;
    rc = codr_cgroup_watch(&self.cgroup, &slot->cgroup, &slot->watch);
    codr_trace_mark(&trace, "cgroup");
    if (rc == 0 && self.blanks.namespaces != 0 && slot->blank.mounts < 0
        && !(request->flags & CODR_SPAWN_ZYGOTE))
    {
        /* or not, for want of descriptors: then init makes all of it */
        (void) codr_spawner_slot_blank(&self, slot, request->disk,
                                       request->inodes);
        codr_trace_mark(&trace, "blank");
    }
    if (rc == 0) {
        *ret_step = CODR_STEP_CLONE;
        rc = pid = clone_init(request, slot, sock);
    }
    if (rc < 0) {
        (void) codr_cgroup_finish(&self.cgroup, &slot->cgroup, &usage);
        return rc;
    }

    codr_trace_mark(&trace, "clone");
    slot->id = request->id;
    slot->pid = pid;
    return 0;
}


/* What has become of a request; error is negative, and of that step. */
static void
settle(uint32_t number, uint64_t id, int error, uint32_t step)
{
    codr_cgroup_watch_t *watch = &self.slots[number].watch;
    codr_spawn_reply_t   reply = {
        .kind = error == 0 ? CODR_SPAWNER_SPAWNED : CODR_SPAWNER_REFUSED,
        .id = id,
        .slot = number,
        .flags = error == 0 ? watch->flags : 0,
        .step = error == 0 ? CODR_STEP_NONE : step,
        .error = -error,
    };

    answer(&reply, watch->fd, error == 0 ? watch->count : 0);

    while (watch->ours > 0) {
        codr_close(&watch->fd[--watch->ours]);
    }
    codr_trace_mark(&trace, "answer");
    log_trace(id);
}


static void
spawn(const codr_spawn_request_t *request, int sock)
{
    int                  rc;
    uint32_t             step;
    codr_spawner_slot_t *slot = codr_spawner_slot_use(&self, request->slot);

    trace.wanted = (request->flags & CODR_SPAWN_TRACE) != 0;
    slot->traced = trace.wanted;
    codr_trace_begin(&trace, "request");
    rc = make_sandbox(request, slot, sock, &step);

    if (rc == 0 && slot->pid == 0) {
        codr_trace_mark(&trace, "asked");
        log_trace(request->id);
        return;
    }

    settle(request->slot, request->id, rc, step);
}


static void
kill_sandbox(codr_spawner_slot_t *slot)
{
    codr_cgroup_kill(&self.cgroup, &slot->cgroup);

    if (slot->pid == 0) {
        slot->doomed = true;
        return;
    }

    /* not reaped yet, so the pid is still its own; all others in the
       namespace die with it */
    (void) kill(slot->pid, SIGKILL);
}


static void
kill_by_id(uint64_t id)
{
    uint32_t i;

    for (i = 1; i < self.used; i++) {
        if (self.slots[i].id == id) {
            kill_sandbox(&self.slots[i]);
            return;
        }
    }
}


static bool
is_possible(const codr_spawn_request_t *request)
{
    return codr_spawn_request_is_sane(request) && request->slot < self.count
           && self.slots[request->slot].id == 0;
}


/* False when the request is not one a broker makes. */
static bool
handle(const codr_spawn_request_t *request, int sock)
{
    if (request->version != CODR_IPC_VERSION) {
        return false;
    }

    switch (request->op) {
    case CODR_SPAWN:
        if (sock < 0 || !self.usable || !is_possible(request)) {
            return false;
        }
        spawn(request, sock);
        return true;

    case CODR_KILL:
        if (sock >= 0 || request->id == 0) {
            return false;
        }
        kill_by_id(request->id);
        return true;
    }

    return false;
}


/* False at the end: the broker has gone, or has gone mad. */
static bool
receive(void)
{
    bool                   sane;
    size_t                 nfds = 0;
    ssize_t                n;
    codr_spawn_request_t   request;
    codr_cleanup_close int sock = -1;

    n = codr_io_recv(CODR_FD_PEER, &request, sizeof(request), &sock, 1, &nfds,
                     NULL);
    if (n == 0 || n == -ECONNRESET) {
        return false;
    }

    sane = n == sizeof(request) && handle(&request, nfds == 1 ? sock : -1);
    if (!sane) {
        codr_log(CODR_LEVEL_PANIC, 0, "odd request from the broker");
    }

    return sane;
}


static codr_spawner_slot_t *
find_slot(pid_t pid)
{
    uint32_t i;

    for (i = 1; i < self.used; i++) {
        if (self.slots[i].id != 0 && self.slots[i].pid == pid) {
            return &self.slots[i];
        }
    }

    return NULL;
}


/* While they are held, the end of init does not have to wait for all that is
   unmounted with them.  At once: files are memory. */
static void
give_up_mounts(codr_spawner_slot_t *slot)
{
    codr_close(&slot->mounts);

    if (slot->entered) {
        slot->entered = false;
        codr_blank_close(&slot->blank);
    }
}


/* An init is gone, and with it all of its namespace. */
static void
finish(codr_spawner_slot_t *slot, int wait_status, const struct rusage *rusage)
{
    int                 rc;
    codr_cgroup_usage_t usage;
    codr_spawn_reply_t  reply = {
        .kind = CODR_SPAWNER_EXITED,
        .id = slot->id,
        .slot = (uint32_t) (slot - self.slots),
        .wait_status = wait_status,
        .cpu_us = codr_rusage_cpu_us(rusage),
    };

    trace.wanted = slot->traced;
    codr_trace_begin(&trace, "reaped");
    rc = codr_cgroup_finish(&self.cgroup, &slot->cgroup, &usage);
    if (rc != 0) {
        codr_log(CODR_LEVEL_ERROR, -rc, "remove the cgroup of sandbox %llu",
                 (unsigned long long) slot->id);
    }

    if (self.cgroup.version != CODR_CGROUP_NONE) {
        reply.cpu_us = usage.cpu_us;
        reply.memory_peak = usage.memory_peak;
        reply.oom_events = usage.oom_events;
    }

    codr_spawner_slot_leave(&self, slot);

    answer(&reply, NULL, 0);
    codr_trace_mark(&trace, "end sent");
    give_up_mounts(slot);
    codr_trace_mark(&trace, "unmounted");
    log_trace(reply.id);
}


/* What a zygote says of the clone that it was asked for, or was said for it.
   The clone may have ended meanwhile. */
static void
cloned(uint32_t number, pid_t pid, int mounts)
{
    codr_early_end_t     end;
    codr_cgroup_usage_t  usage;
    codr_spawner_slot_t *slot = &self.slots[number];
    uint64_t             id = slot->id;

    trace.wanted = slot->traced;
    codr_trace_begin(&trace, "cloned");

    if (pid < 0) {
        (void) codr_cgroup_finish(&self.cgroup, &slot->cgroup, &usage);
        slot->given_up = true;
        codr_spawner_slot_leave(&self, slot);
        settle(number, id, pid, CODR_STEP_CLONE);
    } else {
        slot->pid = pid;
        slot->mounts = mounts;
        settle(number, id, 0, CODR_STEP_NONE);
        if (codr_early_take(&self.early, pid, &end)) {
            finish(slot, end.wait_status, &end.rusage);
        } else if (slot->doomed) {
            kill_sandbox(slot);
        }
    }

    if (!codr_nursery_is_asked(&nursery)) {
        codr_early_forget(&self.early);
    }
}


static void
reap(int flags)
{
    int                  status;
    pid_t                pid = 0;
    struct rusage        rusage;
    codr_spawner_slot_t *slot;

    while ((pid = wait4(-1, &status, flags | __WALL, &rusage)) > 0) {
        slot = find_slot(pid);
        if (slot) {
            finish(slot, status, &rusage);
        } else if (!codr_nursery_reaped(&nursery, pid)
                   && codr_nursery_is_asked(&nursery))
        {
            codr_early_add(&self.early, pid, status, &rusage);
        }
    }
}


/* False when we are asked to end. */
static bool
take_signal(void)
{
    size_t                  i;
    ssize_t                 n;
    struct signalfd_siginfo info[2];    /* one each at most */

    n = read(self.children, info, sizeof(info));
    for (i = 0; n > 0 && i < (size_t) n / sizeof(info[0]); i++) {
        if (info[i].ssi_signo == SIGTERM) {
            return false;
        }
    }

    reap(WNOHANG);
    return true;
}


/* How long to wait for anything.  One that misses a layer makes no sandbox,
   and leaves after a while, so that the next one may find it: 0 then.  One
   that has something to tidy does so unless somebody asks for something. */
static int
shorter(int pause, uint64_t began_us)
{
    uint64_t waited = codr_now_us() - began_us;

    if (self.untidy > 0) {
        return 0;
    }
    if (self.usable) {
        return pause;
    }

    return waited < LACKING_US ? (int) ((LACKING_US - waited) / 1000) + 1 : 0;
}


static void
serve(void)
{
    int           n, pause;
    uint64_t      began_us = codr_now_us();
    struct pollfd events[3 + CODR_NURSERY_EVENTS] = {
        { .fd = self.children, .events = POLLIN },
        { .fd = CODR_FD_PEER, .events = POLLIN },
        { .fd = CODR_FD_CONTROL, .events = POLLIN },
    };

    for ( ;; ) {
        codr_nursery_tend(&nursery);
        answer_zygotes();
        pause = shorter(codr_nursery_events(&nursery, events + 3), began_us);
        n = poll(events, CODR_ARRAY_LEN(events), pause);
        if (n == -1 || (n == 0 && pause == 0 && !self.usable)) {
            return;
        }
        if (n == 0) {
            codr_spawner_slot_tidy_one(&self);
        }
        if ((events[0].revents && !take_signal())
            || (events[1].revents && !receive())
            || (events[2].revents && !codr_control_is_alive(CODR_FD_CONTROL)))
        {
            return;
        }
        codr_nursery_came(&nursery, events + 3);
    }
}


static void
end(void)
{
    uint32_t i;

    codr_nursery_end(&nursery);

    for (i = 1; i < self.used; i++) {
        if (self.slots[i].id != 0) {
            kill_sandbox(&self.slots[i]);
        }
    }

    reap(0);

    for (i = 1; i < self.used; i++) {
        codr_cgroup_forget(&self.cgroup, &self.slots[i].cgroup);
    }
    if (self.cgroup.version != CODR_CGROUP_NONE) {
        codr_cgroup_close(&self.cgroup);
    }
}


int
codr_spawner_main(int argc, char **argv)
{
    int rc;

    codr_log_init("spawner", CODR_FD_LOG);
    nursery.cloned = cloned;

    rc = codr_spawner_set_up(&self, &nursery, argc, argv);
    if (rc == 0) {
        answer_ready();
        serve();
    }

    end();

    if (rc != 0) {
        return EXIT_FAILURE;
    }

    return self.usable ? EXIT_SUCCESS : CODR_EXIT_LACKING;
}
