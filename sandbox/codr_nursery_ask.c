/*
 * What zygotes are asked for, and what they answer.  Runs in the spawner, which
 * goes on with other requests meanwhile: one that is stopped, or that the
 * kernel lets wait, holds up those who have asked it, for a second, and nobody
 * else.
 */

#define _GNU_SOURCE

#include "codr_nursery_ask.h"

#include <errno.h>

#include "codr_log.h"
#include "codr_util.h"


bool
codr_nursery_serves(const codr_cradle_t *cradle)
{
    const codr_zygote_t *present = &cradle->zygote[0];

    return present->state == CODR_ZYGOTE_SERVING && present->sock >= 0;
}


void
codr_nursery_give_up(codr_nursery_t *nursery, codr_zygote_t *zygote)
{
    uint32_t slot;

    while ((slot = codr_zygote_give_up(zygote)) > 0) {
        nursery->cloned(slot, -ESRCH, -1);
    }
}


static void
end_useless(codr_nursery_t *nursery, codr_zygote_t *zygote, int error)
{
    codr_log(CODR_LEVEL_WARNING, -error, "clone a zygote");
    codr_zygote_dismiss(zygote);
    codr_nursery_give_up(nursery, zygote);
}


int
codr_nursery_ask(codr_nursery_t *nursery, const codr_spawn_request_t *request,
    const codr_cgroup_slot_t *slot, uid_t uid, int sock)
{
    int            rc;
    codr_zygote_t *zygote;
    codr_cradle_t *cradle = &nursery->cradle[codr_spawn_kind(request->flags)];

    if (!codr_nursery_serves(cradle)) {
        return -ESRCH;
    }

    zygote = &cradle->zygote[0];
    rc = codr_zygote_ask(zygote, nursery->spawner, request, slot, uid, sock);
    if (rc < 0 && rc != -EAGAIN) {
        end_useless(nursery, zygote, rc);
    }

    return rc;
}


static bool
is_zygote(const codr_nursery_t *nursery, pid_t pid)
{
    int    kind;
    size_t i;

    for (kind = 0; kind < CODR_INTERPRETER_COUNT; kind++) {
        for (i = 0; i < CODR_NURSERY_SIZE; i++) {
            if (nursery->cradle[kind].zygote[i].pid == pid) {
                return true;
            }
        }
    }

    return false;
}


void
codr_nursery_answered(codr_nursery_t *nursery, codr_zygote_t *zygote,
    bool replaced)
{
    int                 rc;
    codr_zygote_clone_t clone = { .mounts = -1 };

    rc = codr_zygote_answered(zygote, nursery->spawner, &clone);
    if (rc == 0 && clone.pid > 0 && is_zygote(nursery, clone.pid)) {
        codr_close(&clone.mounts);
        nursery->cloned(clone.slot, -EPROTO, -1);
        rc = -EPROTO;
    }
    if (rc < 0) {
        end_useless(nursery, zygote, rc);
        return;
    }

    nursery->cloned(clone.slot, clone.pid, clone.mounts);
    if (clone.pid < 0) {
        end_useless(nursery, zygote, clone.pid);
    } else if (replaced && zygote->nasked == 0) {
        codr_zygote_dismiss(zygote);
    }
}


void
codr_nursery_end_silent(codr_nursery_t *nursery)
{
    int            kind;
    size_t         i;
    uint64_t       due, now = codr_now_us();
    codr_zygote_t *zygote;

    for (kind = 0; kind < CODR_INTERPRETER_COUNT; kind++) {
        for (i = 0; i < CODR_NURSERY_SIZE; i++) {
            zygote = &nursery->cradle[kind].zygote[i];
            due = codr_zygote_due_us(zygote);
            if (due > 0 && now >= due) {
                end_useless(nursery, zygote, -ETIMEDOUT);
            }
        }
    }
}


bool
codr_nursery_is_asked(const codr_nursery_t *nursery)
{
    int    kind;
    size_t i;

    for (kind = 0; kind < CODR_INTERPRETER_COUNT; kind++) {
        for (i = 0; i < CODR_NURSERY_SIZE; i++) {
            if (nursery->cradle[kind].zygote[i].nasked > 0) {
                return true;
            }
        }
    }

    return false;
}
