/*
 * What init reports of its sandbox.  Runs in the broker.  No process of the
 * job can speak here; all the same an init that breaks the format is ended.
 */

#define _GNU_SOURCE

#include "codr_report.h"

#include <errno.h>

#include "codr_io.h"
#include "codr_log.h"
#include "codr_util.h"

#define END_US  10000000    /* to end what the program left, after its end */


/* What init says of the time; the broker may hear of it much later, and of the
   end together with the start.  It cannot have been before, nor is it to
   come. */
static uint64_t
no_earlier(uint64_t at_us, uint64_t first_us)
{
    uint64_t now = codr_now_us();

    at_us = at_us < now ? at_us : now;
    return at_us > first_us ? at_us : first_us;
}


static int
take_exited(codr_sandbox_t *sandbox, const codr_init_reply_t *reply)
{
    if (sandbox->state != CODR_SANDBOX_RUNNING || sandbox->end.reported) {
        return -EPROTO;
    }

    sandbox->end.reported = true;
    sandbox->end.wait_status = reply->wait_status;
    sandbox->end.flags = reply->flags;
    sandbox->end.rusage_us = reply->value;
    sandbox->end.wall_us = no_earlier(reply->at_us, sandbox->started_us)
                           - sandbox->started_us;

    /* the program is over: from here on it is init that takes time */
    codr_timer_clear(&sandbox->loop->timers, &sandbox->cpu_timer);
    return codr_timer_set(&sandbox->loop->timers, &sandbox->wall_timer,
                          codr_now_us() + END_US);
}


static int
take_failed(codr_sandbox_t *sandbox, const codr_init_reply_t *reply)
{
    sandbox->end.failed = true;
    sandbox->end.step = reply->step;
    sandbox->end.error = reply->error;
    return 0;
}


static int
take_init_reply(codr_sandbox_t *sandbox, const codr_init_reply_t *reply,
    int *fd)
{
    if (reply->version != CODR_IPC_VERSION) {
        return -EPROTO;
    }

    if (*fd != -1) {
        sandbox->handlers->terminal(sandbox, codr_steal_fd(fd));
    }

    switch ((codr_init_answer_t) reply->kind) {

    case CODR_INIT_READY:
        sandbox->ready = true;
        return sandbox->state == CODR_SANDBOX_STARTING ? 0 : -EPROTO;

    case CODR_INIT_PREPARED:
        return codr_sandbox_prepared(sandbox);

    case CODR_INIT_STARTED:
        sandbox->forked = (reply->flags & CODR_STARTED_FORKED) != 0;
        return codr_sandbox_started(sandbox, reply->value,
                                    no_earlier(reply->at_us, sandbox->run_us));

    case CODR_INIT_FAILED:
        return take_failed(sandbox, reply);

    case CODR_INIT_EXITED:
        return take_exited(sandbox, reply);

    case CODR_INIT_ARTEFACT:
        return codr_artefact_begin(&sandbox->artefact, reply->value,
                                   sandbox->artefact_max);
    }

    return -EPROTO;
}


/* One message of init: 1 when there was one, 0 when there is none now. */
static int
read_init(codr_sandbox_t *sandbox)
{
    int            fd = -1, result;
    size_t         nfds = 0;
    ssize_t        n;
    static union {
        codr_init_reply_t  reply;
        uint8_t            bytes[CODR_IPC_CHUNK];
    } message;                          /* one process, one thread */

    n = codr_io_recv(sandbox->init.fd, &message, sizeof(message), &fd, 1,
                     &nfds, NULL);
    if (n == -EAGAIN) {
        return 0;
    }
    if (n <= 0) {
        return n == 0 ? -EPIPE : (int) n;
    }

    if (sandbox->artefact.memfd != -1 && !sandbox->artefact.sealed) {
        result = codr_artefact_add(&sandbox->artefact, &message, (size_t) n);
    } else if (n == (ssize_t) sizeof(message.reply)) {
        result = take_init_reply(sandbox, &message.reply, &fd);
    } else {
        result = -EPROTO;
    }

    codr_close(&fd);
    return result < 0 ? result : 1;
}


void
codr_report_ready(codr_event_t *event, uint32_t events)
{
    int             result;
    codr_sandbox_t *sandbox = event->data;

    (void) events;

    result = read_init(sandbox);
    if (result == 0) {
        return;
    }

    if (result < 0) {
        /* that it ended is the spawner's to tell, or that there was none,
           which resets a socket with requests in it; one that lies is ended */
        codr_event_close(sandbox->loop, &sandbox->init);
        if (result != -EPIPE && result != -ECONNRESET) {
            codr_log(CODR_LEVEL_ERROR, -result, "read answer of init");
            codr_sandbox_kill(sandbox, CODR_STATUS_INTERNAL);
        }
        return;
    }

    if (!codr_sandbox_leave(sandbox)) {
        sandbox->handlers->changed(sandbox);
    }
}


void
codr_report_drain(codr_sandbox_t *sandbox)
{
    while (sandbox->init.fd != -1 && read_init(sandbox) > 0) {
        continue;
    }
}
