/*
 * Jobs that a worker begins and does not finish: they end, there is a number
 * they cannot exceed, and who comes then is told.
 */

#define _GNU_SOURCE

#include "tap.h"

#include <errno.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../../sandbox/codr_broker.h"
#include "../../sandbox/codr_client.h"
#include "../../sandbox/codr_job.h"
#include "../../sandbox/codr_proto.h"
#include "../../sandbox/codr_util.h"

#define SPARE       256         /* beyond what can run and wait */
#define SECOND      1000000ULL

static codr_config_t  config;
static codr_broker_t  broker;
static int            worker[3 * SPARE];


static void
begin_job(int *ret_worker)
{
    int  ends[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == -1) {
        perror("socketpair");
        _exit(1);
    }

    codr_client_accept(&broker, &config, ends[0]);
    *ret_worker = ends[1];
}


/* The code of the ERROR frame a worker reads: -1 without one. */
static int
read_error(int sock)
{
    uint8_t        buffer[1024];
    ssize_t        n;
    uint64_t       code;
    codr_field_t   field;
    codr_frame_t   frame;
    codr_fields_t  fields;

    n = recv(sock, buffer, sizeof(buffer), MSG_DONTWAIT);
    if (n < CODR_FRAME_HEADER || codr_frame_decode(&frame, buffer) != 0
        || frame.type != CODR_FRAME_ERROR)
    {
        return -1;
    }

    codr_fields_init(&fields, buffer + CODR_FRAME_HEADER, frame.length);

    while (codr_fields_next(&fields, &field) == 1) {
        if (field.tag == CODR_FIELD_CODE
            && codr_field_number(&field, 0, 1000, &code) == 0)
        {
            return (int) code;
        }
    }

    return -1;
}


static void
let_pass(uint64_t us)
{
    uint64_t       until = codr_now_us() + us;
    codr_timer_t  *timer;

    while ((timer = codr_timers_due(&broker.loop.timers, until)) != NULL) {
        timer->handler(timer);
    }
}


static void
test_slow(void)
{
    int  sock;

    begin_job(&sock);
    let_pass(29 * SECOND);
    tap_number(read_error(sock), -1, "a job may take its time to come");
    let_pass(31 * SECOND);
    tap_number(read_error(sock), CODR_ERROR_BAD_MESSAGE, "not for ever");
    tap_ok(recv(sock, &(char) { 0 }, 1, MSG_DONTWAIT) == 0, "and is over");
    (void) close(sock);
}


static void
settle(void)
{
    codr_loop_end_turn(&broker.loop);
}


static bool
is_closed(int sock)
{
    return recv(sock, &(char) { 0 }, 1, MSG_DONTWAIT) == 0;
}


static void
test_many(void)
{
    size_t  i;

    let_pass(60 * SECOND);
    settle();

    for (i = 0; i < CODR_ARRAY_LEN(worker); i++) {
        begin_job(&worker[i]);
        settle();
    }

    tap_number(broker.loose_count, SPARE, "there is an end to it");
    tap_ok(is_closed(worker[0]), "the oldest that never came gives way");
    tap_ok(is_closed(worker[2 * SPARE - 1]), "as far as there is no room");
    tap_ok(!is_closed(worker[2 * SPARE]), "the next oldest stays");
    tap_ok(!is_closed(worker[3 * SPARE - 1]), "and the newest is taken");
}


/* A ^D is kept like any byte, but counts as none: each needs input before
   it. */
static void
test_keys(void)
{
    int            i;
    codr_job_t     job = { .broker = &broker, .state = CODR_JOB_QUEUED };
    codr_result_t  result = { .job = &job };

    job.result = &result;
    job.limits.value[CODR_LIMIT_STDIN] = 4;
    codr_stdio_init(&job.io, &broker.loop, NULL, &job);
    job.io.terminal = true;

    for (i = 0; i < 100; i++) {
        codr_stage_input(&job, "", 0);
        codr_stage_eof(&job);
    }
    tap_number(job.io.input_len, 1, "empty input makes no room for another ^D");

    for (i = 0; i < 100; i++) {
        codr_stage_input(&job, "x", 1);
        codr_stage_eof(&job);
    }
    tap_number(job.io.input_len, 9, "what has a byte each is bounded by it");
    codr_stdio_close(&job.io);
}


int
main(void)
{
    struct rlimit  files;

    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        (void) setrlimit(RLIMIT_NOFILE, &files);
    }

    config.references = 1;
    broker.config[0] = &config;
    broker.listener.fd = -1;

    if (codr_loop_init(&broker.loop) < 0) {
        return 1;
    }

    test_slow();
    test_many();
    test_keys();

    return tap_done();
}
