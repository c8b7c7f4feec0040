/*
 * The turns of an owner's floods.
 */

#include "tap.h"

#include <string.h>

#include "../../sandbox/codr_job.h"
#include "../../sandbox/codr_share.h"

#define JOBS    4       /* the last one is another owner's */

static codr_broker_t broker;
static codr_job_t    jobs[JOBS];


static void
begin(void)
{
    int i;

    broker.host.cpus = 2;
    memset(jobs, 0, sizeof(jobs));

    for (i = 0; i < JOBS; i++) {
        jobs[i].broker = &broker;
        jobs[i].sandbox.state = CODR_SANDBOX_RUNNING;
        jobs[i].state = CODR_JOB_RUNNING;
        jobs[i].request.owner[0] = i == JOBS - 1 ? 'b' : 'a';
        jobs[i].request.owner_len = 1;
        codr_stdio_init(&jobs[i].io, &broker.loop, NULL, &jobs[i]);
        jobs[i].io.batch.flood = true;
        codr_share_output(&jobs[i]);
    }
}


/* Its turn, or its rest, is over. */
static void
tick(int i)
{
    codr_timer_t *timer = &jobs[i].share.timer;

    codr_timer_clear(&broker.loop.timers, timer);
    timer->handler(timer);
}


/* Who is read: a letter each, small for those that rest. */
static void
are(const char *wanted, const char *name)
{
    int  i;
    char got[JOBS + 1] = "";

    for (i = 0; i < JOBS; i++) {
        got[i] = (char) ((jobs[i].io.paused ? 'a' : 'A') + i);
    }

    tap_text(got, wanted, name);
}


static void
end(void)
{
    int i;

    for (i = 0; i < JOBS; i++) {
        codr_share_leave(&jobs[i]);
    }

    are("ABCD", "who leaves is read");
    tap_ok(broker.sharers == NULL, "nobody shares any more");
    tap_number(broker.loop.timers.count, 0, "no timer is left");
}


static void
test_turns(void)
{
    begin();
    are("ABCD", "floods begin awake");

    tick(0);
    tick(1);
    are("abCD", "all but one of an owner rest after a turn");

    tick(2);
    are("AbcD", "who has rested for longest is the next");
    tick(0);
    are("aBcD", "then the one after it");
    tick(3);
    are("aBcD", "another owner's only one needs no rest");

    codr_share_leave(&jobs[1]);
    are("aBCD", "where one leaves another one wakes");
    end();
}


static void
test_long_rest(void)
{
    begin();
    tick(0);
    tick(1);
    tick(1);
    are("aBCD", "who has rested for long is read beside others");
    tick(2);
    are("aBcD", "whose next turn ends without another one's begin");
    end();
}


static void
test_end(void)
{
    begin();
    tick(0);
    tick(1);

    jobs[2].io.batch.flood = false;
    tick(2);
    are("AbCD", "a flood that is over gives its turn away");
    tap_ok(jobs[2].share.sharers == NULL, "and is none any more");

    codr_share_leave(&jobs[1]);
    are("ABCD", "who leaves while it rests is read");
    end();
}


static void
test_lone(void)
{
    begin();
    codr_share_leave(&jobs[0]);
    codr_share_leave(&jobs[1]);
    tick(2);
    tick(2);
    are("ABCD", "an owner's only flood has no rest");

    codr_share_leave(&jobs[2]);
    jobs[2].io.batch.flood = false;
    codr_share_output(&jobs[2]);
    tap_ok(jobs[2].share.sharers == NULL, "other output does not share");
    end();
}


int
main(void)
{
    if (codr_loop_init(&broker.loop) < 0) {
        return 1;
    }

    test_turns();
    test_long_rest();
    test_end();
    test_lone();

    codr_loop_free(&broker.loop);
    return tap_done();
}
