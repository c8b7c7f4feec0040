/*
 * The store of results.  Runs in the broker; knows neither jobs nor sockets.
 */

#define _GNU_SOURCE

#include "codr_results.h"

#include <errno.h>
#include <limits.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "codr_util.h"

#define GIVE_BACK   (1024 * 1024)   /* bytes that have expired: worth a call */

#define STAGE_KEPT  256         /* bytes of a STAGE frame after the end */


static size_t
bucket_of(const void *id)
{
    size_t         i, hash = 5381;
    const uint8_t *p = id;

    for (i = 0; i < CODR_JOB_ID_LEN; i++) {
        hash = hash * 33 ^ p[i];
    }

    return hash % CODR_RESULTS_BUCKETS;
}


static void
append(codr_result_list_t *list, codr_result_t *result)
{
    result->next = NULL;
    result->prev = list->last;

    if (list->last) {
        list->last->next = result;
    } else {
        list->first = result;
    }
    list->last = result;
}


static void
take_out(codr_result_list_t *list, codr_result_t *result)
{
    if (result->prev) {
        result->prev->next = result->next;
    } else {
        list->first = result->next;
    }

    if (result->next) {
        result->next->prev = result->prev;
    } else {
        list->last = result->prev;
    }

    result->prev = result->next = NULL;
}


static void
withdraw(codr_results_t *results, codr_result_t *result)
{
    if (!result->offered) {
        return;
    }

    if (result->before) {
        result->before->after = result->after;
    } else {
        results->offered = result->after;
    }
    if (result->after) {
        result->after->before = result->before;
    }

    result->before = result->after = NULL;
    result->offered = false;
}


static void
unlist(codr_results_t *results, codr_result_t *result)
{
    codr_result_t **at = &results->bucket[bucket_of(result->id)];

    while (*at != result) {
        at = &(*at)->same;
    }

    *at = result->same;
    result->listed = false;
    results->count--;
    withdraw(results, result);
}


/* Counts anew what a result takes. */
static void
weigh(codr_results_t *results, codr_result_t *result)
{
    results->memory -= result->memory;
    result->memory = sizeof(*result) + result->stage_len + result->final_len
                     + result->warnings_len + result->tape.memory;
    results->memory += result->memory;
}


static void
destroy(codr_results_t *results, codr_result_t *result)
{
    codr_tape_clear(&result->tape);
    results->memory -= result->memory;
    free(result->warnings);
    free(result->stage);
    free(result->final);
    free(result);
}


/* An ended one leaves.  Its clients still get the end, not the output. */
static void
evict(codr_results_t *results, codr_result_t *result)
{
    take_out(&results->ended, result);
    unlist(results, result);

    if (result->clients) {
        codr_tape_clear(&result->tape);
        weigh(results, result);
    } else {
        destroy(results, result);
    }
}


/* One whose end nobody has yet gives up its output only. */
static void
give_way(codr_results_t *results, codr_result_t *result)
{
    if (result->offered) {
        codr_tape_clear(&result->tape);
        weigh(results, result);
    } else {
        evict(results, result);
    }
}


static bool
can_give_way(const codr_result_t *result)
{
    return !result->offered || result->tape.memory > 0;
}


/* One that nobody reads, before one that somebody does. */
static codr_result_t *
oldest(const codr_results_t *results)
{
    codr_result_t *result, *read = NULL;

    for (result = results->ended.first; result; result = result->next) {
        if (!can_give_way(result)) {
            continue;
        }
        if (result->clients == NULL) {
            return result;
        }
        if (read == NULL) {
            read = result;
        }
    }

    return read;
}


static codr_result_t *
largest(const codr_results_t *results)
{
    codr_result_t *result, *most = NULL;

    for (result = results->live.first; result; result = result->next) {
        if (most == NULL || result->tape.memory > most->tape.memory) {
            most = result;
        }
    }

    return most && most->tape.memory > 0 ? most : NULL;
}


/* As far as possible. */
static void
make_room(codr_results_t *results, size_t bytes)
{
    codr_result_t *result;

    while (results->memory + bytes > results->max
           && (result = oldest(results)) != NULL)
    {
        give_way(results, result);
    }

    while (results->memory + bytes > results->max
           && (result = largest(results)) != NULL)
    {
        codr_tape_drop(&result->tape);
        weigh(results, result);
    }
}


/* What leaves to make room is needed at once, and malloc keeps it; what has
   expired is not. */
static void
give_back(codr_results_t *results, size_t bytes)
{
    results->expired += bytes;

    if (results->expired >= GIVE_BACK) {
        results->expired = 0;
        (void) malloc_trim(0);
    }
}


static void
expire(codr_timer_t *timer)
{
    size_t          before;
    uint64_t        now = codr_now_us();
    codr_result_t  *result;
    codr_results_t *results = timer->data;

    before = results->memory;
    while ((result = results->ended.first) != NULL
           && result->ended_us + results->ttl_us <= now)
    {
        evict(results, result);
    }
    give_back(results, before - results->memory);

    codr_timer_clear(results->timers, timer);
    if (result) {   /* without memory: the next end sets it */
        (void) codr_timer_set(results->timers, timer,
                              result->ended_us + results->ttl_us);
    }
}


void
codr_results_init(codr_results_t *results, codr_timers_t *timers)
{
    results->timers = timers;
    results->timer.handler = expire;
    results->timer.data = results;
}


void
codr_results_limit(codr_results_t *results, size_t max, uint64_t ttl_us)
{
    size_t before = results->memory;

    results->max = max;
    results->ttl_us = ttl_us;

    /* a flood's tape takes the memory of those before it: pages that went to
       the kernel and came back cost more than all else that is done with them
       here.  Twice: a tape that has all of it may leave at once. */
    (void) mallopt(M_TRIM_THRESHOLD,
                   max < INT_MAX / 2 ? (int) (2 * max) : INT_MAX);

    make_room(results, 0);
    give_back(results, before - results->memory);
    expire(&results->timer);
}


/* What the calendar's clock says, but never less than it said before: it can
   be set while a job runs. */
static uint64_t
wall_ms(uint64_t before)
{
    uint64_t        ms;
    struct timespec now;

    (void) clock_gettime(CLOCK_REALTIME, &now);     /* cannot fail */
    ms = (uint64_t) now.tv_sec * 1000 + (uint64_t) now.tv_nsec / 1000000;

    return ms > before ? ms : before;
}


codr_result_t *
codr_results_add(codr_results_t *results, const char *id)
{
    size_t         bucket = bucket_of(id);
    codr_result_t *result;

    if (codr_results_find(results, id, CODR_JOB_ID_LEN)) {
        errno = EEXIST;
        return NULL;
    }

    make_room(results, sizeof(*result));

    result = calloc(1, sizeof(*result));
    if (result == NULL) {
        return NULL;
    }

    memcpy(result->id, id, CODR_JOB_ID_LEN);
    codr_random_hex(result->attach_token, CODR_TOKEN_LEN / 2);
    codr_random_hex(result->view_token, CODR_TOKEN_LEN / 2);
    result->created_ms = wall_ms(0);
    result->listed = true;
    result->same = results->bucket[bucket];
    results->bucket[bucket] = result;
    results->count++;

    append(&results->live, result);
    weigh(results, result);
    return result;
}


codr_result_t *
codr_results_find(const codr_results_t *results, const void *id, size_t len)
{
    codr_result_t *result;

    if (len != CODR_JOB_ID_LEN) {
        return NULL;
    }

    for (result = results->bucket[bucket_of(id)]; result;
         result = result->same)
    {
        if (memcmp(result->id, id, len) == 0) {
            return result;
        }
    }

    return NULL;
}


void
codr_results_write(codr_results_t *results, codr_result_t *result,
    uint8_t stream, const uint8_t *data, size_t len)
{
    size_t growth = codr_tape_growth(&result->tape, len);

    if (growth > 0) {
        make_room(results, growth);
    }

    /* without memory readers find that the begin has moved */
    (void) codr_tape_add(&result->tape, stream, data, len);

    if (growth > 0) {
        weigh(results, result);
    }
}


/* Replaces a frame; without memory there is none. */
static void
keep(uint8_t **ret, size_t *ret_len, const void *frame, size_t len)
{
    free(*ret);
    *ret = malloc(len);
    *ret_len = 0;

    if (*ret) {
        memcpy(*ret, frame, len);
        *ret_len = len;
    }
}


void
codr_results_warn(codr_results_t *results, codr_result_t *result,
    const void *fields, size_t len)
{
    keep(&result->warnings, &result->warnings_len, fields, len);
    weigh(results, result);
}


void
codr_results_stage(codr_results_t *results, codr_result_t *result,
    const void *frame, size_t len)
{
    if (result->started_ms == 0) {
        result->started_ms = wall_ms(result->created_ms);
    }

    result->stages++;
    make_room(results, len);
    keep(&result->stage, &result->stage_len, frame, len);
    weigh(results, result);
}


void
codr_results_end(codr_results_t *results, codr_result_t *result,
    const void *frame, size_t len)
{
    result->completed_ms = wall_ms(result->started_ms ? result->started_ms
                                                      : result->created_ms);
    result->ended_us = codr_now_us();

    if (result->stage_len > STAGE_KEPT) {   /* the end says all of it, too */
        free(result->stage);
        result->stage = NULL;
        result->stage_len = 0;
    }

    keep(&result->final, &result->final_len, frame, len);
    take_out(&results->live, result);
    append(&results->ended, result);
    weigh(results, result);
    make_room(results, 0);

    if (!codr_timer_is_set(&results->timer)) {
        expire(&results->timer);
    }
}


void
codr_results_offer(codr_results_t *results, codr_result_t *result)
{
    if (result->offered || result->claimed || !result->listed) {
        return;
    }

    result->offered = true;
    result->after = results->offered;
    if (result->after) {
        result->after->before = result;
    }
    results->offered = result;
}


void
codr_results_claim(codr_results_t *results, codr_result_t *result)
{
    result->claimed = true;
    withdraw(results, result);
}


void
codr_results_leave(codr_results_t *results, codr_result_t *result)
{
    if (!result->listed && result->clients == NULL) {
        destroy(results, result);
    }
}


void
codr_results_forget(codr_results_t *results, codr_result_t *result)
{
    take_out(&results->live, result);
    unlist(results, result);
    codr_results_leave(results, result);
}


bool
codr_results_token_same(const char token[CODR_TOKEN_LEN + 1],
    const void *said, size_t len)
{
    size_t         i;
    uint8_t        differs = 0;
    const uint8_t *p = said;

    if (len != CODR_TOKEN_LEN) {
        return false;
    }

    for (i = 0; i < CODR_TOKEN_LEN; i++) {
        differs |= (uint8_t) token[i] ^ p[i];
    }

    return differs == 0;
}
