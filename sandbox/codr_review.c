/*
 * Asks the validator.  Runs in the broker.
 *
 * Each verdict comes through a socket that only the process which looked at
 * that source can write to, and is believed as far as its numbers go: rules
 * that exist, ranges within that source.  Whatever else comes, or nothing, is
 * "unavailable", and that refuses.
 */

#define _GNU_SOURCE

#include "codr_review.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "codr_io.h"
#include "codr_log.h"
#include "codr_util.h"

#define WAIT_US     15000000    /* for a validator */
#define RUN_US      5000000     /* its CPU time has a bound of its own */


_Static_assert(CODR_SOURCE_FEW <= CODR_REVIEW_DATA, "few fit");

static void answer_came(codr_event_t *event, uint32_t events);
static void link_spoke(codr_event_t *event, uint32_t events);
static void next_spoke(codr_event_t *event, uint32_t events);


void
codr_reviewer_init(codr_reviewer_t *reviewer, codr_loop_t *loop, size_t most)
{
    *reviewer = (codr_reviewer_t) {
        .loop = loop, .link = CODR_EVENT_NONE, .next = CODR_EVENT_NONE,
        .most = most,
    };
    codr_parting_init(&reviewer->parting, loop);
}


/* Reviews that wait */


static void
append(codr_reviewer_t *reviewer, codr_review_t *review)
{
    review->prev = reviewer->last;
    review->next = NULL;
    if (reviewer->last) {
        reviewer->last->next = review;
    } else {
        reviewer->first = review;
    }
    reviewer->last = review;
}


static void
take_off(codr_reviewer_t *reviewer, codr_review_t *review)
{
    if (review->prev) {
        review->prev->next = review->next;
    } else {
        reviewer->first = review->next;
    }
    if (review->next) {
        review->next->prev = review->prev;
    } else {
        reviewer->last = review->prev;
    }
    review->prev = review->next = NULL;
}


/* Leaves its verdict to whoever began it. */
static void
finish(codr_review_t *review)
{
    codr_reviewer_t *reviewer = review->reviewer;

    codr_timer_clear(&reviewer->loop->timers, &review->timer);
    if (review->state == CODR_REVIEW_WAITS) {
        take_off(reviewer, review);
    } else if (review->state == CODR_REVIEW_RUNS) {
        codr_event_close(reviewer->loop, &review->answer);
        reviewer->running--;
    }

    review->state = CODR_REVIEW_OVER;
}


static void
conclude(codr_review_t *review, codr_review_result_t result)
{
    codr_reviewer_t *reviewer = review->reviewer;

    finish(review);
    review->verdict.version = CODR_REVIEW_VERSION;
    review->verdict.result = result;
    if (result != CODR_REVIEW_DONE) {
        review->verdict.count = 0;
    }

    review->over(review);
    codr_review_ask(reviewer);
}


static void
too_late(codr_timer_t *timer)
{
    codr_log(CODR_LEVEL_ERROR, ETIMEDOUT, "review a source");
    conclude(timer->data, CODR_REVIEW_UNAVAILABLE);
}


/* Requests */


/* Nothing is left of the last one: it was another process's. */
static bool
compose(codr_review_request_t *request, const codr_review_t *review,
    int language)
{
    size_t               i;
    const codr_source_t *source = review->source;

    memset(request, 0, sizeof(*request));
    request->version = CODR_REVIEW_VERSION;
    request->language = (uint32_t) language;
    request->level = review->level;
    request->nodes = review->nodes;
    if (source->memfd == -1) {
        request->bytes = (uint32_t) source->few_len;
        memcpy(request->data, source->few, source->few_len);
    }

    for (i = 0; i < source->names.count; i++) {
        if (!source->piece[i].checked) {
            continue;
        }
        if (request->sources == CODR_REVIEW_SOURCES) {
            return false;
        }
        request->source[request->sources++] = (codr_review_source_t) {
            source->piece[i].offset, source->piece[i].length,
        };
    }

    return true;
}


static void
pass(codr_review_t *review)
{
    review->verdict.count = 0;
    conclude(review, CODR_REVIEW_DONE);
}


/* Good until the next one is made.  NULL: it is concluded, as nobody need be
   asked. */
static const codr_review_request_t *
make_request(codr_review_t *review)
{
    int                           language;
    codr_reviewer_t              *reviewer = review->reviewer;
    static codr_review_request_t  request;      /* large */

    language = codr_rules_language(reviewer->rules, review->language);
    if (language < 0) {
        pass(review);                           /* nothing checks it */
        return NULL;
    }

    if (!compose(&request, review, language)) {
        codr_log(CODR_LEVEL_ERROR, E2BIG, "ask the validator");
        conclude(review, CODR_REVIEW_UNAVAILABLE);
        return NULL;
    }

    if (!review->has_key) {
        review->has_key = codr_passed_key(&review->key, &request,
                                          review->source->memfd);
    }
    if (review->has_key && codr_passed_has(&reviewer->passed, &review->key)) {
        pass(review);
        return NULL;
    }

    return &request;
}


static int
send_request(codr_review_t *review, const codr_review_request_t *request)
{
    int               ends[2], fds[2], result;
    codr_reviewer_t  *reviewer = review->reviewer;

    result = codr_io_pair(&ends[0], &ends[1]);
    if (result < 0) {
        return result;
    }

    fds[0] = ends[1];
    fds[1] = review->source->memfd;
    result = codr_io_send_one(reviewer->link.fd, request,
                              CODR_REVIEW_REQUEST(request->sources), fds,
                              fds[1] == -1 ? 1 : 2);
    codr_close(&ends[1]);
    if (result == 0) {
        review->answer = (codr_event_t) {
            .fd = ends[0], .handler = answer_came, .data = review,
        };
        result = codr_event_watch(reviewer->loop, &review->answer, EPOLLIN);
    }
    if (result < 0) {
        codr_close(&ends[0]);
        review->answer = CODR_EVENT_NONE;
    }

    return result;
}


/* A review that has waited is asked, or concluded. */
static void
ask(codr_reviewer_t *reviewer, codr_review_t *review)
{
    int                          result;
    const codr_review_request_t *request;

    request = make_request(review);
    if (request == NULL) {
        return;
    }

    result = send_request(review, request);
    if (result == -EAGAIN || result == -EPIPE || result == -ECONNRESET) {
        return;                                 /* the next one, then */
    }
    if (result < 0) {
        codr_log(CODR_LEVEL_ERROR, -result, "ask the validator");
        conclude(review, CODR_REVIEW_UNAVAILABLE);
        return;
    }

    take_off(reviewer, review);
    review->state = CODR_REVIEW_RUNS;
    review->timer.handler = too_late;
    review->rules = codr_rules_ref(reviewer->rules);
    reviewer->running++;
    (void) codr_timer_set(&reviewer->loop->timers, &review->timer,
                          codr_now_us() + RUN_US);
}


void
codr_review_ask(codr_reviewer_t *reviewer)
{
    codr_review_t *review;

    if (reviewer->asking) {
        return;                         /* who asks goes on after this one */
    }
    reviewer->asking = true;

    while (reviewer->rules && reviewer->running < reviewer->most
           && (review = reviewer->first) != NULL)
    {
        ask(reviewer, review);
        if (reviewer->first == review) {
            break;
        }
    }

    reviewer->asking = false;
}


/* Verdicts */


/* Numbers of a process that has read a hostile source. */
static bool
valid(const codr_review_t *review, const codr_review_verdict_t *verdict)
{
    size_t                       i, k, n;
    const codr_source_t         *source = review->source;
    const codr_review_finding_t *finding;

    if (verdict->version != CODR_REVIEW_VERSION
        || verdict->result > CODR_REVIEW_UNAVAILABLE
        || verdict->count > CODR_DIAGNOSTIC_FINDINGS)
    {
        return false;
    }

    for (i = 0; i < verdict->count; i++) {
        finding = &verdict->finding[i];
        for (k = 0, n = 0; k < source->names.count; k++) {
            if (source->piece[k].checked && n++ == finding->source) {
                break;
            }
        }
        if (k == source->names.count || finding->rule >= review->rules->rules
            || finding->start > finding->end
            || finding->end > source->piece[k].length)
        {
            return false;
        }
    }

    return true;
}


static void
answer_came(codr_event_t *event, uint32_t events)
{
    ssize_t                n;
    codr_review_t         *review = event->data;
    codr_review_verdict_t  verdict;

    (void) events;

    n = read(event->fd, &verdict, sizeof(verdict));
    if (n == -1 && errno == EAGAIN) {
        return;
    }

    if (n != (ssize_t) sizeof(verdict) || !valid(review, &verdict)) {
        codr_log(CODR_LEVEL_ERROR, 0, "a source has ended its validator");
        conclude(review, CODR_REVIEW_UNAVAILABLE);
        return;
    }

    codr_parting_take(&review->reviewer->parting, event, review);

    /* of policies that are still in force */
    if (verdict.result == CODR_REVIEW_DONE && verdict.count == 0
        && review->has_key && review->rules == review->reviewer->rules)
    {
        codr_passed_add(&review->reviewer->passed, &review->key);
    }

    review->verdict = verdict;
    conclude(review, (codr_review_result_t) verdict.result);
}


/* Validators */


/* What waits was known by the numbers of its languages. */
static void
lose(codr_reviewer_t *reviewer)
{
    codr_review_t *review;

    for (review = reviewer->first; review; review = review->next) {
        review->has_key = false;
    }

    codr_event_close(reviewer->loop, &reviewer->link);
    codr_rules_unref(reviewer->rules);
    reviewer->rules = NULL;
    codr_passed_clear(&reviewer->passed);
}


/* It says nothing any more: this is its end. */
static void
link_spoke(codr_event_t *event, uint32_t events)
{
    (void) events;
    lose(event->data);
}


static void
next_spoke(codr_event_t *event, uint32_t events)
{
    int                  memfd = -1, sock, result = -EPROTO;
    size_t               nfds;
    ssize_t              n;
    codr_rules_t        *rules;
    codr_reviewer_t     *reviewer = event->data;
    codr_review_ready_t  ready;

    (void) events;

    n = codr_io_recv(event->fd, &ready, sizeof(ready), &memfd, 1, &nfds,
                     NULL);
    if (n == -EAGAIN) {
        return;
    }
    if (n == (ssize_t) sizeof(ready) && memfd != -1
        && ready.version == CODR_REVIEW_VERSION)
    {
        result = codr_rules_read(&rules, memfd);
    }
    codr_close(&memfd);

    if (result < 0) {
        if (n != 0) {
            codr_log(CODR_LEVEL_PANIC, -result, "read the policies");
        }
        codr_event_close(reviewer->loop, event);
        return;
    }

    /* the socket becomes the link: the old one's validator leaves */
    sock = fcntl(event->fd, F_DUPFD_CLOEXEC, 0);
    codr_event_close(reviewer->loop, event);
    lose(reviewer);
    reviewer->link = (codr_event_t) {
        .fd = sock, .handler = link_spoke, .data = reviewer,
    };
    if (sock == -1
        || codr_event_watch(reviewer->loop, &reviewer->link, EPOLLIN) < 0)
    {
        codr_log(CODR_LEVEL_ERROR, errno, "watch the validator");
        codr_rules_unref(rules);
        codr_event_close(reviewer->loop, &reviewer->link);
        return;
    }

    reviewer->rules = rules;
    reviewer->cause[0] = '\0';
    reviewer->changed(reviewer->data);
    codr_review_ask(reviewer);
}


void
codr_reviewer_take(codr_reviewer_t *reviewer, int sock)
{
    codr_event_close(reviewer->loop, &reviewer->next);
    reviewer->next = (codr_event_t) {
        .fd = sock, .handler = next_spoke, .data = reviewer,
    };

    if (fcntl(sock, F_SETFL, O_RDWR | O_NONBLOCK) == -1
        || codr_event_watch(reviewer->loop, &reviewer->next, EPOLLIN) < 0)
    {
        codr_log(CODR_LEVEL_ERROR, errno, "watch the validator");
        codr_event_close(reviewer->loop, &reviewer->next);
    }
}


void
codr_reviewer_none(codr_reviewer_t *reviewer, const char *cause)
{
    if (reviewer->rules) {
        return;                     /* the old one does */
    }

    (void) snprintf(reviewer->cause, sizeof(reviewer->cause), "%.*s",
                    (int) sizeof(reviewer->cause) - 1, cause);
    reviewer->changed(reviewer->data);
    while (reviewer->first) {
        conclude(reviewer->first, CODR_REVIEW_UNAVAILABLE);
    }
}


/* Reviews */


static void
nobody_asked(codr_timer_t *timer)
{
    codr_review_t *review = timer->data;

    conclude(review, CODR_REVIEW_UNAVAILABLE);
}


int
codr_review_begin(codr_reviewer_t *reviewer, codr_review_t *review)
{
    int result;

    review->reviewer = reviewer;
    review->state = CODR_REVIEW_WAITS;
    review->answer = CODR_EVENT_NONE;
    review->timer.data = review;
    review->timer.handler = too_late;
    append(reviewer, review);

    if (reviewer->rules == NULL && reviewer->cause[0] != '\0') {
        review->timer.handler = nobody_asked;
        result = codr_timer_set(&reviewer->loop->timers, &review->timer,
                                codr_now_us());
    } else {
        result = codr_timer_set(&reviewer->loop->timers, &review->timer,
                                codr_now_us() + WAIT_US);
    }
    if (result < 0) {
        finish(review);
        return result;
    }

    if (reviewer->rules) {
        (void) make_request(review);    /* it may be known */
    }
    return 0;
}


void
codr_review_end(codr_review_t *review)
{
    codr_reviewer_t *reviewer = review->reviewer;
    bool             ran = review->state == CODR_REVIEW_RUNS;

    if (review->state == CODR_REVIEW_NONE) {
        return;
    }

    finish(review);
    codr_parting_end(&reviewer->parting, review);
    review->state = CODR_REVIEW_NONE;
    codr_rules_unref(review->rules);
    review->rules = NULL;
    if (ran) {
        codr_review_ask(reviewer);
    }
}
