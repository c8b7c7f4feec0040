/*
 * The zygotes of a spawner.  Runs in the spawner.  A zygote is less trusted
 * than the spawner: it is believed only that a pid it names is a child of
 * ours, and nobody else's.  While there is none, sandboxes are made without.
 */

#define _GNU_SOURCE

#include "codr_nursery.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "codr_cgroup.h"
#include "codr_io.h"
#include "codr_log.h"
#include "codr_nursery_ask.h"
#include "codr_uid.h"
#include "codr_util.h"

#define CLONES_MAX      1000        /* then another one takes over */
#define RETRY_US        1000000ULL  /* after one that ended, doubling */
#define RETRY_DOUBLINGS 6
#define FAILURES        3           /* that are no accident any more */
#define UNFIT_US        600000000ULL    /* after one that was unfit */


bool
codr_nursery_option(codr_nursery_t *nursery, int option, const char *text)
{
    int kind;

    if (option == 'k' || option == 'n') {
        kind = codr_interpreter_kind(text);
        nursery->named = kind > 0 ? (codr_interpreter_kind_t) kind
                                  : CODR_INTERPRETER_NONE;
        nursery->cradle[nursery->named].plan.off = option == 'n';
        return kind > 0;
    }

    return nursery->named != CODR_INTERPRETER_NONE
           && codr_zygote_plan_option(&nursery->cradle[nursery->named].plan,
                                      option, text);
}


/* What every init's Landlock domain has beside the usual, for those of the
   zygotes.  False when that is too much. */
static bool
name_paths(codr_nursery_t *nursery)
{
    size_t                 i, used;
    const codr_landlock_t *landlock = &nursery->spawner->landlock;

    used = (size_t) snprintf(nursery->read, sizeof(nursery->read),
                             CODR_ZYGOTE_READ "=");
    for (i = 0; i < landlock->nread && used < sizeof(nursery->read); i++) {
        used += (size_t) snprintf(nursery->read + used,
                                  sizeof(nursery->read) - used, "%s:",
                                  landlock->read[i]);
    }

    return used < sizeof(nursery->read);
}


static bool
can_have_any(const codr_spawner_t *spawner)
{
    return !spawner->user_ns && spawner->count >= CODR_ZYGOTE_SLOTS_MIN
           && codr_layer_ok(&spawner->layers, CODR_LAYER_UIDS);
}


static bool
open_kind(codr_cradle_t *cradle, codr_interpreter_kind_t kind, bool possible)
{
    int                 rc;
    codr_zygote_plan_t *plan = &cradle->plan;

    if (!possible || plan->argv[0][0] != '/') {
        codr_log(plan->off ? CODR_LEVEL_DEBUG : CODR_LEVEL_INFO, 0,
                 "no %s zygote: it takes root, uids to spare and an"
                 " interpreter by full path",
                 codr_interpreter_name(kind));
        return false;
    }

    rc = codr_zygote_plan_open(plan, kind);
    if (rc != 0) {
        codr_log(CODR_LEVEL_WARNING, -rc,
                 "no %s zygote: open its library beside the helper",
                 codr_interpreter_name(kind));
    }

    return rc == 0;
}


void
codr_nursery_open(codr_nursery_t *nursery, codr_spawner_t *spawner)
{
    int            kind;
    size_t         i;
    bool           any = false;
    codr_cradle_t *cradle;

    nursery->spawner = spawner;

    for (kind = 0; kind < CODR_INTERPRETER_COUNT; kind++) {
        cradle = &nursery->cradle[kind];
        cradle->plan.library = -1;
        for (i = 0; i < CODR_NURSERY_SIZE; i++) {
            cradle->zygote[i].sock = -1;
        }
        if (cradle->plan.argc > 0) {
            cradle->impossible = !open_kind(cradle,
                                            (codr_interpreter_kind_t) kind,
                                            can_have_any(spawner));
            any = any || !cradle->impossible;
        }
    }

    if (any) {
        spawner->count -= CODR_ZYGOTE_SLOTS;
    }
}


/* Starting */


static bool
has_uid(const codr_nursery_t *nursery, uid_t uid)
{
    int    kind;
    size_t i;

    for (kind = 0; kind < CODR_INTERPRETER_COUNT; kind++) {
        for (i = 0; i < CODR_NURSERY_SIZE; i++) {
            if (nursery->cradle[kind].zygote[i].uid == uid) {
                return true;
            }
        }
    }

    return false;
}


/* One of the slots that were kept back, whose uid nobody has. */
static uid_t
find_uid(const codr_nursery_t *nursery)
{
    uint32_t              i;
    uid_t                 uid;
    const codr_spawner_t *spawner = nursery->spawner;

    for (i = 0; i < CODR_ZYGOTE_SLOTS; i++) {
        uid = spawner->first_uid + spawner->count + i;
        if (!has_uid(nursery, uid)
            && (spawner->uids < 0 || codr_uid_lease(spawner->uids, uid) == 0))
        {
            return uid;
        }
    }

    return 0;
}


/* A zygote, or with test one that only says whether it can be parked. */
static int
start(codr_nursery_t *nursery, codr_cradle_t *cradle, bool test)
{
    int                  pair[2];
    uid_t                uid = find_uid(nursery);
    pid_t                pid;
    codr_zygote_files_t  files;
    codr_zygote_t       *next = &cradle->zygote[1];

    if (uid == 0) {
        return -EADDRINUSE;
    }

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == -1) {
        return -errno;
    }

    pid = fork();
    if (pid == 0) {
        files = (codr_zygote_files_t) {
            .control = pair[1],
            .filter = nursery->spawner->seccomp.late_fd,
            .log = CODR_FD_LOG,
            .test = test,
        };
        codr_zygote_plan_execute(&cradle->plan, uid, &files);
    }
    codr_close(&pair[1]);
    if (pid == -1) {
        codr_close(&pair[0]);
        return -errno;
    }

    *next = (codr_zygote_t) {
        .state = CODR_ZYGOTE_WARMING, .pid = pid, .sock = pair[0], .uid = uid,
        .test = test,
    };
    return codr_cgroup_house(&nursery->spawner->cgroup, pid, uid);
}


static bool
has_plan(const codr_cradle_t *cradle)
{
    return cradle->plan.library >= 0;
}


/* Whether the next one should start now. */
static bool
is_due(const codr_cradle_t *cradle)
{
    const codr_zygote_t *present = &cradle->zygote[0];

    return !cradle->plan.off
           && (present->state == CODR_ZYGOTE_NONE
               || present->clones >= CLONES_MAX)
           && cradle->zygote[1].state == CODR_ZYGOTE_NONE
           && codr_now_us() >= cradle->retry_us;
}


static void
tested(codr_cradle_t *cradle, codr_parks_t parks)
{
    cradle->parks = parks;
    cradle->retest_us = codr_now_us() + UNFIT_US;
}


/* Whether it should be asked, as there is no zygote, if it can be parked. */
static bool
is_asked(const codr_cradle_t *cradle)
{
    return cradle->plan.parkable
           && (cradle->plan.off || cradle->unfit
               || cradle->failures >= FAILURES)
           && cradle->zygote[0].state == CODR_ZYGOTE_NONE
           && cradle->zygote[1].state == CODR_ZYGOTE_NONE
           && (cradle->parks == CODR_PARKS_UNKNOWN
               || (cradle->parks == CODR_PARKS_NO
                   && codr_now_us() >= cradle->retest_us));
}


/* Only now is it known what Landlock lets all of them read. */
static void
seal_plans(codr_nursery_t *nursery)
{
    int                 kind;
    bool                fits = name_paths(nursery);
    codr_zygote_plan_t *plan;

    if (!fits) {
        codr_log(CODR_LEVEL_WARNING, 0, "no zygote: too many binds");
    }

    for (kind = 0; kind < CODR_INTERPRETER_COUNT; kind++) {
        plan = &nursery->cradle[kind].plan;
        if (plan->library < 0) {
            continue;
        }
        if (fits) {
            codr_zygote_plan_seal(plan, nursery->read);
        } else {
            codr_close(&plan->library);
            nursery->cradle[kind].impossible = true;
        }
    }
}


void
codr_nursery_tend(codr_nursery_t *nursery)
{
    int            rc, kind;
    codr_cradle_t *cradle;

    if (nursery->read[0] == '\0') {
        seal_plans(nursery);
    }

    codr_nursery_end_silent(nursery);

    for (kind = 0; kind < CODR_INTERPRETER_COUNT; kind++) {
        cradle = &nursery->cradle[kind];
        if (!has_plan(cradle)) {
            continue;
        }
        rc = 0;
        if (is_asked(cradle)) {
            codr_zygote_plan_remember(&cradle->plan);
            rc = start(nursery, cradle, true);
            tested(cradle, CODR_PARKS_NO);      /* until it says otherwise */
        } else if (is_due(cradle)) {
            rc = start(nursery, cradle, false);
        }
        if (rc < 0) {
            codr_log(CODR_LEVEL_WARNING, -rc, "start a zygote");
            cradle->retry_us = codr_now_us() + (RETRY_US << RETRY_DOUBLINGS);
        }
    }
}


/* Events */


static int
until(uint64_t due, uint64_t now)
{
    return due > now ? (int) ((due - now) / 1000) + 1 : 0;
}


static int
shorter(int a, int b)
{
    return b < 0 || (a >= 0 && a < b) ? a : b;
}


/* Until a zygote must have answered, in ms; -1: nobody waits. */
static int
patience(const codr_zygote_t *zygote, uint64_t now)
{
    uint64_t due = codr_zygote_due_us(zygote);

    return due > 0 ? until(due, now) : -1;
}


/* Until one that ended is started anew, in ms; -1: none is missing. */
static int
pause_of(const codr_cradle_t *cradle, uint64_t now)
{
    uint64_t due = cradle->plan.off ? 0 : cradle->retry_us;

    if (cradle->parks == CODR_PARKS_NO
        && (due == 0 || cradle->retest_us < due))
    {
        due = cradle->retest_us;
    }
    if (!has_plan(cradle) || due == 0
        || cradle->zygote[1].state != CODR_ZYGOTE_NONE
        || cradle->zygote[0].state != CODR_ZYGOTE_NONE)
    {
        return -1;
    }

    return until(due, now);
}


int
codr_nursery_events(const codr_nursery_t *nursery, struct pollfd *ret)
{
    int                  kind, shortest = -1;
    size_t               i;
    uint64_t             now = codr_now_us();
    const codr_cradle_t *cradle;

    for (kind = 0; kind < CODR_INTERPRETER_COUNT; kind++) {
        cradle = &nursery->cradle[kind];
        for (i = 0; i < CODR_NURSERY_SIZE; i++) {
            *ret++ = (struct pollfd) {
                .fd = cradle->zygote[i].sock, .events = POLLIN,
            };
            shortest = shorter(shortest, patience(&cradle->zygote[i], now));
        }
        shortest = shorter(shortest, pause_of(cradle, now));
    }

    return shortest;
}


/* The newest that is ready takes over; the other one goes when it has answered
   whom it was asked for. */
static void
take_over(codr_cradle_t *cradle)
{
    codr_zygote_t ready = cradle->zygote[1];

    cradle->zygote[1] = cradle->zygote[0];
    cradle->zygote[0] = ready;
    if (cradle->zygote[1].nasked == 0) {
        codr_zygote_dismiss(&cradle->zygote[1]);
    }
    cradle->failures = 0;
}


static const char *
name_of(const codr_nursery_t *nursery, const codr_cradle_t *cradle)
{
    return codr_interpreter_name((uint64_t) (cradle - nursery->cradle));
}


static void
spoke(codr_nursery_t *nursery, codr_cradle_t *cradle, size_t i)
{
    int            rc;
    codr_zygote_t *zygote = &cradle->zygote[i];

    if (zygote->test) {
        if (codr_zygote_can_park(zygote)) {
            tested(cradle, CODR_PARKS_YES);
            codr_log(CODR_LEVEL_INFO, 0, "ready sandboxes have a %s that has"
                     " started", name_of(nursery, cradle));
        }
        codr_zygote_dismiss(zygote);
        return;
    }

    if (zygote->state == CODR_ZYGOTE_SERVING) {
        codr_nursery_answered(nursery, zygote, i > 0);
        return;
    }

    rc = codr_zygote_proceed(zygote, nursery->spawner);
    cradle->unfit = rc == -ENOTSUP;
    if (cradle->unfit) {
        codr_zygote_dismiss(zygote);
        return;                 /* it has said why */
    }
    if (rc < 0) {
        codr_log(CODR_LEVEL_WARNING, -rc, "a zygote is of no use");
        codr_zygote_dismiss(zygote);
        return;
    }

    if (i == 1 && zygote->state == CODR_ZYGOTE_SERVING) {
        take_over(cradle);
    }
}


void
codr_nursery_came(codr_nursery_t *nursery, const struct pollfd *events)
{
    int            kind;
    size_t         i;
    codr_cradle_t *cradle;

    for (kind = 0; kind < CODR_INTERPRETER_COUNT; kind++) {
        cradle = &nursery->cradle[kind];
        for (i = 0; i < CODR_NURSERY_SIZE; i++, events++) {
            /* the rows of a kind may have changed places */
            if (events->revents && cradle->zygote[i].sock == events->fd) {
                spoke(nursery, cradle, i);
            }
        }
    }
}


/* One that was needed: the next comes after a pause. */
static void
lost(codr_cradle_t *cradle)
{
    unsigned doublings = cradle->failures < RETRY_DOUBLINGS
                         ? cradle->failures : RETRY_DOUBLINGS;

    cradle->retry_us = codr_now_us() + (RETRY_US << doublings);
    if (cradle->unfit) {
        cradle->retry_us = codr_now_us() + UNFIT_US;
    } else if (cradle->failures++ == 0) {
        codr_log(CODR_LEVEL_WARNING, 0, "a zygote has ended;"
                 " sandboxes are made without one meanwhile");
    }
}


static bool
reaped(codr_nursery_t *nursery, codr_cradle_t *cradle, size_t i)
{
    bool           replaced;
    codr_zygote_t *zygote = &cradle->zygote[i];

    replaced = zygote->test;
    replaced |= i == 1 && cradle->zygote[0].state != CODR_ZYGOTE_NONE
               && zygote->state == CODR_ZYGOTE_SERVING;
    codr_nursery_give_up(nursery, zygote);
    codr_close(&zygote->sock);
    *zygote = (codr_zygote_t) { .sock = -1 };

    if (!replaced) {
        lost(cradle);
    }
    return true;
}


bool
codr_nursery_reaped(codr_nursery_t *nursery, pid_t pid)
{
    int            kind;
    size_t         i;
    codr_cradle_t *cradle;

    for (kind = 0; kind < CODR_INTERPRETER_COUNT; kind++) {
        cradle = &nursery->cradle[kind];
        for (i = 0; i < CODR_NURSERY_SIZE; i++) {
            if (cradle->zygote[i].state != CODR_ZYGOTE_NONE
                && cradle->zygote[i].pid == pid)
            {
                return reaped(nursery, cradle, i);
            }
        }
    }

    return false;
}


/* While one is tried again it is as it was. */
uint32_t
codr_nursery_state(const codr_nursery_t *nursery,
    codr_interpreter_kind_t kind)
{
    uint32_t             parks;
    const codr_cradle_t *cradle = &nursery->cradle[kind];

    parks = cradle->parks == CODR_PARKS_YES ? CODR_ZYGOTE_PARKS : 0;

    if (codr_nursery_serves(cradle)) {
        return parks | CODR_ZYGOTE_SERVES;
    }
    if (cradle->impossible) {
        return CODR_ZYGOTE_IMPOSSIBLE;
    }
    if (cradle->unfit) {
        return parks | CODR_ZYGOTE_DIFFERS;
    }

    return parks | (cradle->failures >= FAILURES ? CODR_ZYGOTE_FAILS : 0);
}


bool
codr_nursery_changed(codr_nursery_t *nursery, codr_interpreter_kind_t kind)
{
    codr_cradle_t *cradle = &nursery->cradle[kind];
    uint32_t       before = cradle->told;

    cradle->told = codr_nursery_state(nursery, kind);
    return cradle->told != before;
}


/* Only what was tested is parked: another executable is asked anew. */
const codr_init_parked_t *
codr_nursery_parked(codr_nursery_t *nursery, uint32_t flags)
{
    codr_cradle_t *cradle = &nursery->cradle[codr_spawn_parked(flags)];

    if (cradle->parks != CODR_PARKS_YES) {
        return NULL;
    }
    if (!codr_zygote_plan_same(&cradle->plan)) {
        cradle->parks = CODR_PARKS_UNKNOWN;
        return NULL;
    }

    return &cradle->plan.parked;
}


void
codr_nursery_end(codr_nursery_t *nursery)
{
    int    kind;
    size_t i;

    for (kind = 0; kind < CODR_INTERPRETER_COUNT; kind++) {
        for (i = 0; i < CODR_NURSERY_SIZE; i++) {
            codr_zygote_dismiss(&nursery->cradle[kind].zygote[i]);
        }
    }
}
