/*
 * What the broker believes of a validator: a verdict that is whole and whose
 * numbers are possible; everything else is "unavailable", which refuses.
 */

#define _GNU_SOURCE

#include "tap.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../sandbox/codr_io.h"
#include "../../sandbox/codr_proto.h"
#include "../../sandbox/codr_review.h"
#include "../../sandbox/codr_util.h"

#define SOURCE      "print(1)\n"
#define LENGTH      (sizeof(SOURCE) - 1)
#define LOOK_US     1000

static const struct {
    const char             *name;
    size_t                  length;     /* that is written; 0: nothing */
    codr_review_verdict_t   verdict;
    codr_review_result_t    want;
} answers[] = {
    { "nothing found", sizeof(codr_review_verdict_t),
      { .version = CODR_REVIEW_VERSION }, CODR_REVIEW_DONE },
    { "a finding", sizeof(codr_review_verdict_t),
      { .version = CODR_REVIEW_VERSION, .count = 1,
        .finding = { { 0, 0, 0, LENGTH } } }, CODR_REVIEW_DONE },
    { "too many nodes", sizeof(codr_review_verdict_t),
      { .version = CODR_REVIEW_VERSION, .result = CODR_REVIEW_TOO_COMPLEX },
      CODR_REVIEW_TOO_COMPLEX },
    { "no verdict: a killed process", 0,
      { .version = CODR_REVIEW_VERSION }, CODR_REVIEW_UNAVAILABLE },
    { "half of a verdict", sizeof(codr_review_verdict_t) / 2,
      { .version = CODR_REVIEW_VERSION }, CODR_REVIEW_UNAVAILABLE },
    { "one byte", 1,
      { .version = CODR_REVIEW_VERSION }, CODR_REVIEW_UNAVAILABLE },
    { "another version", sizeof(codr_review_verdict_t),
      { .version = CODR_REVIEW_VERSION + 1 }, CODR_REVIEW_UNAVAILABLE },
    { "a result that is none", sizeof(codr_review_verdict_t),
      { .version = CODR_REVIEW_VERSION, .result = 99 },
      CODR_REVIEW_UNAVAILABLE },
    { "more findings than there are places", sizeof(codr_review_verdict_t),
      { .version = CODR_REVIEW_VERSION,
        .count = CODR_DIAGNOSTIC_FINDINGS + 1 }, CODR_REVIEW_UNAVAILABLE },
    { "a rule that is none", sizeof(codr_review_verdict_t),
      { .version = CODR_REVIEW_VERSION, .count = 1,
        .finding = { { 1, 0, 0, 1 } } }, CODR_REVIEW_UNAVAILABLE },
    { "a source that is none", sizeof(codr_review_verdict_t),
      { .version = CODR_REVIEW_VERSION, .count = 1,
        .finding = { { 0, 1, 0, 1 } } }, CODR_REVIEW_UNAVAILABLE },
    { "behind the end of the source", sizeof(codr_review_verdict_t),
      { .version = CODR_REVIEW_VERSION, .count = 1,
        .finding = { { 0, 0, 0, LENGTH + 1 } } }, CODR_REVIEW_UNAVAILABLE },
    { "an end before its beginning", sizeof(codr_review_verdict_t),
      { .version = CODR_REVIEW_VERSION, .count = 1,
        .finding = { { 0, 0, 2, 1 } } }, CODR_REVIEW_UNAVAILABLE },
};


static int
make_memfd(const void *data, size_t len)
{
    int fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    if (fd == -1 || codr_io_write_all(fd, data, len) < 0
        || codr_io_seal(fd) < 0)
    {
        abort();
    }

    return fd;
}


static void
send_table(int peer)
{
    int                 fd;
    uint8_t             buffer[256];
    codr_writer_t       writer;
    codr_review_ready_t ready = { .version = CODR_REVIEW_VERSION };

    codr_writer_init(&writer, buffer, sizeof(buffer));
    codr_put_text(&writer, CODR_FIELD_LANGUAGE, "python");
    codr_put_text(&writer, CODR_FIELD_RULE, "python.test");
    codr_put_text(&writer, CODR_FIELD_RULE_MESSAGE, "no");
    codr_put_text(&writer, CODR_FIELD_SEVERITY, "error");

    fd = make_memfd(buffer, (size_t) (writer.pos - writer.start));
    if (codr_io_send_one(peer, &ready, sizeof(ready), &fd, 1) < 0) {
        abort();
    }
    codr_close(&fd);
}


/* A validator that says one answer after another, and then leaves. */
_Noreturn static void
be_validator(int peer)
{
    int                          fds[2], last = -1;
    size_t                       i, nfds;
    static codr_review_request_t request;

    send_table(peer);

    for (i = 0; i < CODR_ARRAY_LEN(answers); i++) {
        if (codr_io_recv(peer, &request, sizeof(request), fds, 2, &nfds, NULL)
            != (ssize_t) CODR_REVIEW_REQUEST(1) || nfds != 2)
        {
            _exit(1);
        }
        if (answers[i].length > 0
            && write(fds[0], &answers[i].verdict, answers[i].length) < 0)
        {
            _exit(1);
        }
        codr_close(&fds[1]);
        codr_close(&last);
        last = fds[0];
        if (answers[i].length == 0) {
            codr_close(&last);
        }
    }

    _exit(0);
}


/* A child that has answered ends when nobody listens any more. */
static void
look(codr_timer_t *timer)
{
    codr_reviewer_t *reviewer = timer->data;

    if (reviewer->parting.child.fd == -1) {
        codr_loop_stop(reviewer->loop);
    } else {
        (void) codr_timer_set(&reviewer->loop->timers, timer,
                              codr_now_us() + LOOK_US);
    }
}


/* What it was asked for goes on: the end of something else is nothing to it. */
static void
keep_another(codr_reviewer_t *reviewer)
{
    int          ends[2];
    codr_event_t answer = CODR_EVENT_NONE;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == -1) {
        abort();
    }

    answer.fd = ends[0];
    tap_number(codr_event_watch(reviewer->loop, &answer, EPOLLIN), 0,
               "another one has answered");
    codr_parting_take(&reviewer->parting, &answer, &ends[1]);
    codr_parting_end(&reviewer->parting, reviewer);
    tap_number(reviewer->parting.child.fd, ends[0],
               "and is kept when something else is over");
}


static void
changed(void *data)
{
    (void) data;
}


static void
over(codr_review_t *review)
{
    codr_loop_stop(review->data);
}


int
main(void)
{
    int                 peer[2], status = -1;
    char               *names[] = { (char *) (uintptr_t) "main.py", NULL };
    pid_t               pid;
    size_t              i;
    codr_loop_t         loop;
    codr_review_t       review;
    codr_source_piece_t piece = { 0, LENGTH, true };
    codr_source_t       source = {
        .memfd = make_memfd(SOURCE, LENGTH), .names = { names, 1 },
        .piece = &piece, .image = LENGTH,
    };

    static codr_reviewer_t reviewer;
    codr_timer_t           timer = { .handler = look, .data = &reviewer };

    tap_number(codr_loop_init(&loop), 0, "a loop");
    tap_ok(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, peer) == 0,
           "a socket");
    (void) fflush(stdout);
    pid = fork();
    if (pid == 0) {
        codr_close(&peer[0]);
        be_validator(peer[1]);
    }
    codr_close(&peer[1]);

    codr_reviewer_init(&reviewer, &loop, 1);
    reviewer.changed = changed;
    codr_reviewer_take(&reviewer, peer[0]);

    for (i = 0; i < CODR_ARRAY_LEN(answers); i++) {
        /* the nodes are part of what is remembered */
        review = (codr_review_t) {
            .source = &source, .language = "python", .over = over,
            .nodes = (uint32_t) i + 1, .data = &loop,
        };
        loop.stopped = false;
        tap_number(codr_review_begin(&reviewer, &review), 0, answers[i].name);
        codr_review_ask(&reviewer);
        if (review.state != CODR_REVIEW_OVER) {
            (void) codr_loop_run(&loop);
        }
        tap_number(review.verdict.result, answers[i].want,
                   answers[i].want == CODR_REVIEW_UNAVAILABLE ? "unavailable"
                                                              : "believed");
        tap_number(review.verdict.count,
                   answers[i].want == CODR_REVIEW_DONE
                   ? answers[i].verdict.count : 0, "with its findings");
        tap_ok((reviewer.parting.child.fd != -1)
               == (answers[i].want != CODR_REVIEW_UNAVAILABLE),
               "its process is kept when it has answered");
        codr_review_end(&review);
        tap_number(reviewer.parting.child.fd, -1,
                   "until what it was asked for is over");
    }

    keep_another(&reviewer);
    loop.stopped = false;
    look(&timer);
    if (!loop.stopped) {
        (void) codr_loop_run(&loop);
    }
    tap_number(reviewer.parting.child.fd, -1, "and not for ever");
    tap_ok(waitpid(pid, &status, 0) == pid && status == 0,
           "all of them were asked for");
    codr_loop_free(&loop);
    return tap_done();
}
