/*
 * Sockets of workers that join a job or ask about it: what they are told, and
 * what becomes of those that say odd things.
 */

#define _GNU_SOURCE

#include "tap.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../../sandbox/codr_broker.h"
#include "../../sandbox/codr_client.h"
#include "../../sandbox/codr_job.h"
#include "../../sandbox/codr_offer.h"
#include "../../sandbox/codr_results.h"
#include "../../sandbox/codr_util.h"

#define ID      "00000000000000000000000000000001"
#define OTHER   "00000000000000000000000000000002"
#define THIRD   "00000000000000000000000000000003"
#define SECOND  1000000ULL

static codr_config_t   config;
static codr_broker_t   broker;
static codr_result_t  *result;


static void
settle(void)
{
    codr_loop_end_turn(&broker.loop);
}


static void
let_pass(uint64_t us)
{
    uint64_t       until = codr_now_us() + us;
    codr_timer_t  *timer;

    while ((timer = codr_timers_due(&broker.loop.timers, until)) != NULL) {
        timer->handler(timer);
    }
    settle();
}


/* A worker's new socket that says this. */
static int
say(const void *frame, size_t len)
{
    int  ends[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == -1
        || send(ends[1], frame, len, 0) != (ssize_t) len)
    {
        perror("socketpair");
        _exit(1);
    }

    codr_client_accept(&broker, &config, ends[0]);
    settle();
    return ends[1];
}


static int
attach(const char *id, codr_field_tag_t tag, const char *token,
    uint64_t offset)
{
    uint8_t        buffer[512];
    codr_writer_t  writer;

    codr_writer_init(&writer, buffer, sizeof(buffer));
    codr_frame_begin(&writer, CODR_FRAME_ATTACH);
    codr_put_text(&writer, CODR_FIELD_JOB_ID, id);
    codr_put_text(&writer, tag, token);
    codr_put_number(&writer, CODR_FIELD_OFFSET, offset);
    return say(buffer, codr_frame_end(&writer));
}


static int
view(uint64_t offset)
{
    return attach(ID, CODR_FIELD_VIEW_TOKEN, result->view_token, offset);
}


/* The next frame a worker reads: its type, 0 at the end, -1 for none. */
static int
read_frame(int sock, uint8_t *payload, size_t *ret_len)
{
    uint8_t       header[CODR_FRAME_HEADER];
    ssize_t       n;
    codr_frame_t  frame;

    settle();
    n = recv(sock, header, sizeof(header), MSG_DONTWAIT);
    if (n != sizeof(header)) {
        return n == 0 ? 0 : -1;
    }
    if (codr_frame_decode(&frame, header) != 0
        || (frame.length > 0
            && recv(sock, payload, frame.length, MSG_DONTWAIT)
               != (ssize_t) frame.length))
    {
        return -2;
    }

    *ret_len = frame.length;
    return frame.type;
}


static int
next(int sock)
{
    size_t          len;
    static uint8_t  payload[CODR_FRAME_MAX];

    return read_frame(sock, payload, &len);
}


/* A number of the next frame, which has to be of the type; -1 without. */
static int64_t
next_number(int sock, int type, codr_field_tag_t tag)
{
    size_t          len;
    uint64_t        value;
    codr_field_t    field;
    codr_fields_t   fields;
    static uint8_t  payload[CODR_FRAME_MAX];

    if (read_frame(sock, payload, &len) != type) {
        return -1;
    }

    codr_fields_init(&fields, payload, len);
    while (codr_fields_next(&fields, &field) == 1) {
        if (field.tag == tag
            && codr_field_number(&field, 0, INT64_MAX, &value) == 0)
        {
            return (int64_t) value;
        }
    }

    return -1;
}


/* All output up to another frame, whose type is returned. */
static int
read_output(int sock, char *text, size_t size)
{
    int             type;
    size_t          len, used = 0;
    codr_output_t   output;
    static uint8_t  payload[CODR_FRAME_MAX];

    while ((type = read_frame(sock, payload, &len)) == CODR_FRAME_OUTPUT) {
        if (codr_output_decode(&output, payload, len) == 0
            && used + output.length < size)
        {
            memcpy(text + used, output.data, output.length);
            used += output.length;
        }
    }

    text[used] = '\0';
    return type;
}


static void
write_output(uint8_t stream, const char *text)
{
    codr_results_write(&broker.results, result, stream,
                       (const uint8_t *) text, strlen(text));
}


static void
joins(void)
{
    int   sock, second;
    char  text[100];

    sock = attach(OTHER, CODR_FIELD_VIEW_TOKEN, result->view_token, 0);
    tap_number((int) next_number(sock, CODR_FRAME_ERROR, CODR_FIELD_CODE),
               CODR_ERROR_NOT_FOUND, "an unknown job");
    tap_number(next(sock), 0, "is all");
    (void) close(sock);

    sock = attach(ID, CODR_FIELD_ATTACH_TOKEN, result->view_token, 0);
    tap_number((int) next_number(sock, CODR_FRAME_ERROR, CODR_FIELD_CODE),
               CODR_ERROR_NOT_FOUND, "looks like a wrong token");
    (void) close(sock);

    sock = view(0);
    tap_number(next(sock), -1, "before it begins nothing is said");
    result->announced = true;
    codr_pump_all(result);
    tap_number(recv(sock, text, 1, MSG_PEEK | MSG_DONTWAIT), -1,
               "what a turn says waits for its end");
    tap_number((int) next_number(sock, CODR_FRAME_STARTED,
                                 CODR_FIELD_OFFSET), 0, "then it is said");

    write_output(1, "one ");
    write_output(2, "two ");
    write_output(1, "three");
    codr_pump_all(result);
    tap_number(read_output(sock, text, sizeof(text)), -1, "its output");
    tap_text(text, "one two three", "is all there");

    second = view(4);
    tap_number((int) next_number(second, CODR_FRAME_STARTED,
                                 CODR_FIELD_OFFSET), 4, "another begins later");
    (void) read_output(second, text, sizeof(text));
    tap_text(text, "two three", "and has the rest");
    (void) close(second);

    second = view(100);
    tap_number((int) next_number(second, CODR_FRAME_STARTED,
                                 CODR_FIELD_OFFSET), 13,
               "beyond the end is the end");
    (void) close(second);
    (void) close(sock);
}


static void
takes_over(void)
{
    int  first, second;

    first = attach(ID, CODR_FIELD_ATTACH_TOKEN, result->attach_token, 13);
    tap_number(next(first), CODR_FRAME_STARTED, "one controls it");
    second = attach(ID, CODR_FIELD_ATTACH_TOKEN, result->attach_token, 13);
    tap_number(next(first), CODR_FRAME_TAKEN, "until another one does");
    tap_number(next(first), 0, "and then leaves");
    tap_number(next(second), CODR_FRAME_STARTED, "for the other");
    (void) close(first);
    (void) close(second);
}


static int
fetch(const char *owner, uint64_t wait_ms, int64_t offset, uint64_t size)
{
    uint8_t        buffer[512];
    codr_writer_t  writer;

    codr_writer_init(&writer, buffer, sizeof(buffer));
    codr_frame_begin(&writer, CODR_FRAME_FETCH);
    codr_put_text(&writer, CODR_FIELD_JOB_ID, ID);
    if (owner) {
        codr_put_text(&writer, CODR_FIELD_OWNER, owner);
    }
    codr_put_number(&writer, CODR_FIELD_WAIT_MS, wait_ms);
    if (offset >= 0) {
        codr_put_number(&writer, CODR_FIELD_OFFSET, (uint64_t) offset);
        codr_put_number(&writer, CODR_FIELD_SIZE, size);
    }
    return say(buffer, codr_frame_end(&writer));
}


static void
fetches(void)
{
    int   sock;
    char  text[100];

    sock = fetch("somebody else", 0, -1, 0);
    tap_number(next(sock), CODR_FRAME_ERROR, "another owner's job");
    (void) close(sock);

    sock = fetch("me", 0, -1, 0);
    tap_number((int) next_number(sock, CODR_FRAME_RECORD,
                                 CODR_FIELD_JOB_STATE),
               CODR_PHASE_PROCESSING, "one's own");
    tap_number(next(sock), CODR_FRAME_FETCHED, "has not ended");
    (void) close(sock);

    sock = fetch(NULL, 0, 2, 3);
    tap_number(next(sock), CODR_FRAME_RECORD, "some output");
    tap_number(read_output(sock, text, sizeof(text)), CODR_FRAME_FETCHED,
               "to an end");
    tap_text(text, "e twot", "so much of each stream");
    (void) close(sock);

    sock = fetch(NULL, 5000, -1, 0);
    tap_number(next(sock), -1, "who waits is told nothing");
    let_pass(4 * SECOND);
    tap_number(next(sock), -1, "as long as it waits");
    let_pass(6 * SECOND);
    tap_number(next(sock), CODR_FRAME_RECORD, "but not longer");
    (void) close(sock);
}


/* One that waits for its turn. */
static void
add_queued(const char *id)
{
    codr_job_t *job = calloc(1, sizeof(*job));

    if (job == NULL) {
        _exit(1);
    }

    job->broker = &broker;
    job->config = &config;
    config.references++;
    job->state = CODR_JOB_QUEUED;
    job->source = CODR_SOURCE_EMPTY;
    job->artefact = CODR_ARTEFACT_NONE;
    job->ends[0] = job->ends[1] = job->ends[2] = -1;
    codr_sandbox_init(&job->sandbox, &broker.loop, NULL, job);
    codr_stdio_init(&job->io, &broker.loop, NULL, job);
    codr_stdio_init(&job->compiler, &broker.loop, NULL, job);
    memcpy(job->id, id, sizeof(job->id));
    broker.jobs = job;
    broker.job_count++;

    job->result = codr_results_add(&broker.results, id);
    job->result->job = job;
}


/* Who would wait for an hour for its end. */
static int
stop(const char *id)
{
    uint8_t        buffer[512];
    codr_writer_t  writer;

    codr_writer_init(&writer, buffer, sizeof(buffer));
    codr_frame_begin(&writer, CODR_FRAME_FETCH);
    codr_put_text(&writer, CODR_FIELD_JOB_ID, id);
    codr_put_number(&writer, CODR_FIELD_STOP, 1);
    codr_put_number(&writer, CODR_FIELD_WAIT_MS, 3600000);
    return say(buffer, codr_frame_end(&writer));
}


static size_t
count_clients(void)
{
    size_t         count = 0;
    codr_client_t *client;

    for (client = broker.clients; client; client = client->next) {
        count++;
    }

    return count;
}


/* A job that waits ends while it is asked to: the answer is there before the
   wait for it begins. */
static void
stops(void)
{
    int     sock;
    size_t  clients;

    let_pass(10 * SECOND);
    clients = count_clients();

    add_queued(THIRD);
    sock = stop(THIRD);
    tap_number(next(sock), CODR_FRAME_RECORD, "who stops a job that waits");
    tap_number(next(sock), CODR_FRAME_COMPLETE, "has its end at once");
    tap_number(next(sock), 0, "and that is all");
    tap_number((long) broker.job_count, 0, "the job is gone");
    let_pass(10 * SECOND);
    tap_number((long) count_clients(), (long) clients,
               "so is the socket, before the time of the wait is over");
    (void) close(sock);
}


/* What a worker passes on to another node. */
static void
relays(void)
{
    int             sock;
    char            text[100];
    size_t          len = 0;
    uint8_t         buffer[256];
    codr_writer_t   writer;
    static uint8_t  payload[CODR_FRAME_MAX];

    codr_writer_init(&writer, buffer, sizeof(buffer));
    codr_frame_begin(&writer, CODR_FRAME_FETCH);
    codr_put_bytes(&writer, CODR_FIELD_JOB_ID, ID, CODR_JOB_ID_LEN);
    codr_put_number(&writer, CODR_FIELD_LIVE, 1);
    codr_put_number(&writer, CODR_FIELD_OFFSET, 4);
    sock = say(buffer, codr_frame_end(&writer));

    tap_number(read_frame(sock, payload, &len), CODR_FRAME_STARTED,
               "a worker may view by the id");
    tap_ok(memmem(payload, len, result->view_token, CODR_TOKEN_LEN) == NULL
           && memmem(payload, len, result->attach_token, CODR_TOKEN_LEN)
              == NULL, "and gets no token");
    tap_number(read_output(sock, text, sizeof(text)), -1, "but output");
    tap_text(text, "two three", "from where it wanted it");
    (void) close(sock);
    broker.clients->wire.event.handler(&broker.clients->wire.event, EPOLLIN);
    settle();
}


static void
ends(void)
{
    int      sock, waiting;
    char     text[100];
    uint8_t  final[CODR_FRAME_HEADER];

    sock = view(0);
    waiting = fetch(NULL, 60000, 4, 100);
    codr_frame_header(final, CODR_FRAME_COMPLETE, 0);
    codr_results_end(&broker.results, result, final, sizeof(final));
    codr_pump_all(result);

    tap_number(next(sock), CODR_FRAME_STARTED, "a viewer");
    tap_number(read_output(sock, text, sizeof(text)), CODR_FRAME_COMPLETE,
               "sees the end");
    tap_number(next(sock), 0, "and that is all");
    tap_number(next(waiting), CODR_FRAME_RECORD, "so does who waits");
    tap_number(read_output(waiting, text, sizeof(text)), CODR_FRAME_COMPLETE,
               "with the output before it");
    tap_text(text, "two three", "from where it wanted it");
    (void) close(sock);
    (void) close(waiting);

    sock = view(4);
    (void) next(sock);
    tap_number(read_output(sock, text, sizeof(text)), CODR_FRAME_COMPLETE,
               "and who comes late");
    tap_text(text, "two three", "with its output");
    (void) close(sock);
    let_pass(10 * SECOND);
    tap_ok(broker.clients == NULL && broker.watcher_count == 0
           && broker.loose_count == 0, "all sockets are closed");
}


/* Fields of any tag and length, now and then one that would be right. */
static size_t
put_any(codr_writer_t *writer)
{
    int               i, count = rand() % 6;
    size_t            k, len;
    uint8_t           data[64];
    codr_field_tag_t  tag;

    static const codr_field_tag_t  known[] = {
        CODR_FIELD_JOB_ID, CODR_FIELD_ATTACH_TOKEN, CODR_FIELD_VIEW_TOKEN,
        CODR_FIELD_OFFSET, CODR_FIELD_SIZE, CODR_FIELD_STOP,
        CODR_FIELD_WAIT_MS, CODR_FIELD_OWNER,
    };

    codr_frame_begin(writer, rand() % 2 ? CODR_FRAME_ATTACH
                                        : CODR_FRAME_FETCH);
    for (i = 0; i < count; i++) {
        tag = (codr_field_tag_t) (rand() % CODR_FIELD_TAGS + 1);
        if (rand() % 8) {
            tag = known[(size_t) rand() % CODR_ARRAY_LEN(known)];
        }
        len = rand() % 3 ? (rand() % 2 ? 32 : 8) : (size_t) (rand() % 64);
        for (k = 0; k < len; k++) {
            data[k] = len == 32 && rand() % 40 ? '1' : (uint8_t) rand();
        }
        codr_put_bytes(writer, tag, len == 32 && rand() % 2
                       ? (const void *) ID : data, len);
    }

    return codr_frame_end(writer);
}


/* A worker that claims: whatever it says, the broker goes on. */
static void
claims(void)
{
    int            i, answer;
    size_t         len;
    uint8_t        buffer[1024];
    codr_writer_t  writer;

    result->outlives = true;
    codr_offer(&broker, result);
    tap_ok(broker.results.offered == result
           && codr_timer_is_set(&broker.offer_timer),
           "an end that nobody has is offered");
    let_pass(SECOND);
    tap_ok(broker.results.offered == result,
           "also when there is no worker now");

    codr_writer_init(&writer, buffer, sizeof(buffer));
    codr_frame_begin(&writer, CODR_FRAME_CLAIM);
    codr_put_bytes(&writer, CODR_FIELD_JOB_ID, OTHER, CODR_JOB_ID_LEN);
    codr_put_bytes(&writer, CODR_FIELD_JOB_ID, ID, CODR_JOB_ID_LEN);
    len = codr_frame_end(&writer) - CODR_FRAME_HEADER;
    tap_number(codr_offer_claimed(&broker, buffer + CODR_FRAME_HEADER, len),
               0, "and claimed");
    tap_ok(broker.results.offered == NULL && result->claimed, "then not");

    srand(2);
    for (i = 0; i < 20000; i++) {
        codr_writer_init(&writer, buffer, sizeof(buffer));
        len = put_any(&writer) - CODR_FRAME_HEADER;
        answer = codr_offer_claimed(&broker, buffer + CODR_FRAME_HEADER, len);
        if (answer != 0 && answer != -EPROTO) {
            break;
        }
    }
    tap_number(i, 20000, "odd claims are refused");
}


static void
survives(void)
{
    int            i, sock, type;
    bool           good = true;
    size_t         len;
    uint8_t        buffer[1024];
    codr_writer_t  writer;

    /* each of them is a line of the log */
    if (freopen("/dev/null", "w", stderr) == NULL) {
        return;
    }
    srand(1);

    for (i = 0; i < 20000; i++) {
        codr_writer_init(&writer, buffer, sizeof(buffer));
        len = put_any(&writer);
        if (rand() % 4 == 0) {
            buffer[CODR_FRAME_HEADER + (size_t) rand() % len] ^=
                (uint8_t) (1 << rand() % 8);
        }

        sock = say(buffer, len);
        type = next(sock);
        good = good && (type == 0 || type == -1 || type == CODR_FRAME_ERROR
                        || type == CODR_FRAME_RECORD);
        (void) close(sock);
        if (broker.clients) {
            broker.clients->wire.event.handler(&broker.clients->wire.event,
                                               EPOLLIN);
            settle();
        }
    }

    tap_ok(good, "odd frames are refused, or get a plain answer");
    let_pass(4000 * SECOND);
    tap_ok(broker.clients == NULL && broker.watcher_count == 0
           && broker.loose_count == 0, "and nothing of them stays");
}


int
main(void)
{
    config.references = 1;
    broker.config[0] = &config;
    broker.listener.fd = -1;

    if (codr_loop_init(&broker.loop) < 0) {
        return 1;
    }

    codr_results_init(&broker.results, &broker.loop.timers);
    codr_results_limit(&broker.results, 1024 * 1024, 100000 * SECOND);
    result = codr_results_add(&broker.results, ID);
    memcpy(result->owner, "me", 2);
    result->owner_len = 2;

    joins();
    takes_over();
    fetches();
    stops();
    relays();
    ends();
    claims();
    survives();

    return tap_done();
}
