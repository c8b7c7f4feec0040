/*
 * The store of results: how they are found, which leave when there is no room
 * or when they are too old, and which never do.
 */

#define _GNU_SOURCE

#include "tap.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "../../sandbox/codr_results.h"
#include "../../sandbox/codr_sanitized.h"
#include "../../sandbox/codr_util.h"

#define MEGABYTE    (1024 * 1024)
#define TTL_US      60000000ULL

static codr_timers_t   timers;
static codr_results_t  results;
static uint8_t         block[100000];


static const char *
id_of(unsigned n)
{
    static char  id[CODR_JOB_ID_LEN + 1];

    (void) snprintf(id, sizeof(id), "%032x", n);
    return id;
}


static codr_result_t *
find(unsigned n)
{
    return codr_results_find(&results, id_of(n), CODR_JOB_ID_LEN);
}


/* A job that writes so many blocks. */
static codr_result_t *
begin(unsigned n, unsigned blocks)
{
    codr_result_t  *result = codr_results_add(&results, id_of(n));

    while (result && blocks-- > 0) {
        codr_results_write(&results, result, 1, block, sizeof(block));
    }

    return result;
}


static void
end(codr_result_t *result)
{
    codr_results_end(&results, result, "end", 3);
}


static void
finds(void)
{
    codr_result_t  *result = begin(1, 0);

    tap_ok(result && find(1) == result, "a result is found by its id");
    tap_ok(find(2) == NULL, "another one is not");
    tap_ok(codr_results_find(&results, id_of(1), 31) == NULL,
           "nor is half an id");
    tap_ok(codr_results_add(&results, id_of(1)) == NULL && errno == EEXIST,
           "an id is given once");
    tap_ok(codr_results_token_same(result->view_token, result->view_token,
                                   CODR_TOKEN_LEN), "its token is its own");
    tap_ok(!codr_results_token_same(result->view_token,
                                    result->attach_token, CODR_TOKEN_LEN),
           "another token is not");
    tap_ok(!codr_results_token_same(result->view_token, result->view_token,
                                    CODR_TOKEN_LEN - 1), "nor half of it");
    end(result);
    tap_ok(find(1) == result && result->final_len == 3,
           "it stays after its end");
}


static void
evicts(void)
{
    unsigned        i;
    codr_result_t  *live = begin(100, 2), *result;

    for (i = 101; i < 120; i++) {
        result = begin(i, 2);
        end(result);
    }

    tap_ok(results.memory <= MEGABYTE, "all together stay within the maximum");
    tap_ok(find(1) == NULL && find(101) == NULL, "the oldest have left");
    tap_ok(find(119) && find(119)->tape.begin == 0, "the newest are there");
    tap_ok(find(100) == live && live->tape.begin == 0
           && live->tape.end == 2 * sizeof(block),
           "and so is what has not ended");

    /* it alone is too much in the end */
    for (i = 0; i < 20; i++) {
        codr_results_write(&results, live, 1, block, sizeof(block));
    }
    tap_ok(results.memory <= MEGABYTE, "that may not grow for ever either");
    tap_ok(find(119) == NULL, "the others leave first");
    tap_ok(find(100) == live && live->tape.begin > 0
           && live->tape.end == 22 * sizeof(block),
           "then it loses its oldest bytes");

    /* a small one beside it keeps its own */
    result = begin(200, 1);
    codr_results_write(&results, live, 1, block, sizeof(block));
    tap_ok(result->tape.begin == 0, "and nobody else's");
    end(live);
    end(result);
}


static void
spares_readers(void)
{
    unsigned        i;
    codr_result_t  *read = begin(300, 2), *result;

    read->clients = (struct codr_client_s *) &i;
    end(read);

    for (i = 301; i < 310; i++) {
        result = begin(i, 1);
        end(result);
    }
    tap_ok(find(300) == read && read->tape.begin == 0,
           "what is being read stays, as far as others can leave");

    result = begin(400, 20);
    tap_ok(find(300) == NULL && read->tape.memory == 0
           && read->final_len == 3, "else it keeps its end only");

    i = (unsigned) results.memory;
    read->clients = NULL;
    codr_results_leave(&results, read);
    tap_ok(results.memory < i, "until its readers have left");
    end(result);
}


static void
keeps_ends(void)
{
    unsigned        i;
    codr_result_t  *unheard = begin(450, 1), *second = begin(451, 1), *result;

    end(unheard);
    end(second);
    codr_results_offer(&results, unheard);
    codr_results_offer(&results, second);
    codr_results_offer(&results, second);
    tap_ok(results.offered == second && second->after == unheard
           && unheard->after == NULL, "ends are offered");

    for (i = 460; i < 480; i++) {
        result = begin(i, 1);
        end(result);
    }
    tap_ok(find(450) == unheard && unheard->tape.memory == 0
           && unheard->final_len == 3,
           "one that nobody has stays, without its output");
    tap_ok(results.memory <= MEGABYTE, "within the maximum");

    codr_results_claim(&results, second);
    codr_results_claim(&results, unheard);
    codr_results_offer(&results, unheard);
    tap_ok(results.offered == NULL && unheard->claimed,
           "until somebody has it");
    for (i = 480; i < 490; i++) {
        result = begin(i, 1);
        end(result);
    }
    tap_ok(find(450) == NULL, "then it leaves like others");

    result = begin(490, 1);
    end(result);
    codr_results_offer(&results, result);
    codr_results_limit(&results, MEGABYTE, 0);
    tap_ok(results.offered == NULL && find(490) == NULL,
           "or when its time is over");
    codr_results_limit(&results, MEGABYTE, TTL_US);
}


static void
forgets(void)
{
    codr_timer_t   *timer;
    codr_result_t  *live = begin(500, 1), *old = begin(501, 1);

    end(old);
    tap_ok(codr_timers_due(&timers, codr_now_us() + TTL_US / 2) == NULL,
           "a result stays for its time");

    codr_results_limit(&results, MEGABYTE, 0);
    tap_ok(find(501) == NULL, "and leaves after it");
    tap_ok(find(500) == live, "what has not ended has no such time");

    end(live);
    while ((timer = codr_timers_due(&timers, codr_now_us() + 1)) != NULL) {
        timer->handler(timer);
    }
    tap_number((int) results.count, 0, "nothing is left");
    tap_number((int) results.memory, 0, "of memory either");
}


/* malloc keeps what leaves to make room; what expires is no use to it. */
static void
gives_back(void)
{
    size_t      grown, kept;
    const char *begun = sbrk(0);

    codr_results_limit(&results, 64 * MEGABYTE, TTL_US);
    end(begin(600, 100));
    grown = (size_t) ((const char *) sbrk(0) - begun);
    codr_results_limit(&results, 64 * MEGABYTE, 0);
    kept = (size_t) ((const char *) sbrk(0) - begun);

    tap_ok(grown > 8 * MEGABYTE, "results take memory of the system");
    tap_ok(kept < MEGABYTE, "and give it back when their time is over");
}


int
main(void)
{
    if (codr_timers_init(&timers) < 0) {
        return 1;
    }

    codr_results_init(&results, &timers);
    codr_results_limit(&results, MEGABYTE, TTL_US);

    finds();
    evicts();
    spares_readers();
    keeps_ends();
    forgets();
    if (CODR_SANITIZED) {
        tap_skip("what has expired is given back", "another malloc");
    } else {
        gives_back();
    }

    return tap_done();
}
