/*
 * The validator, seen from the broker: reviews of sources, and whom to ask.
 */

#ifndef CODR_REVIEW_H
#define CODR_REVIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "codr_event.h"
#include "codr_parting.h"
#include "codr_passed.h"
#include "codr_review_ipc.h"
#include "codr_rules.h"
#include "codr_source.h"

typedef struct codr_review_s codr_review_t;

/* Whom to ask.  Between one that has died and the next, reviews wait. */
typedef struct {
    codr_loop_t    *loop;
    codr_event_t    link;           /* who is asked now */
    codr_event_t    next;           /* who will be, when it is ready */
    codr_rules_t   *rules;          /* of link; NULL: nobody is asked */
    char            cause[240];     /* why nobody will be; empty: wait */
    codr_review_t  *first;          /* that wait */
    codr_review_t  *last;
    size_t          running;
    size_t          most;           /* at a time */
    bool            asking;
    codr_parting_t  parting;
    codr_passed_t   passed;         /* by rules */
    void          (*changed)(void *data);   /* cause has */
    void           *data;
} codr_reviewer_t;

typedef enum {
    CODR_REVIEW_NONE = 0,
    CODR_REVIEW_WAITS,
    CODR_REVIEW_RUNS,
    CODR_REVIEW_OVER
} codr_review_state_t;

struct codr_review_s {
    /* filled in by the caller; they live as long as the review */
    const codr_source_t    *source;
    const char             *language;
    uint32_t                level;
    uint32_t                nodes;
    void                  (*over)(codr_review_t *review);
    void                   *data;

    codr_review_state_t     state;
    codr_reviewer_t        *reviewer;
    codr_review_t          *prev;           /* that wait */
    codr_review_t          *next;
    codr_event_t            answer;
    codr_timer_t            timer;
    bool                    has_key;        /* of its sources */
    codr_passed_key_t       key;
    codr_rules_t           *rules;          /* OVER: of the verdict, or NULL */
    codr_review_verdict_t   verdict;        /* OVER */
};


void codr_reviewer_init(codr_reviewer_t *reviewer, codr_loop_t *loop,
    size_t most);

/* A validator that is about to be ready; takes the socket over. */
void codr_reviewer_take(codr_reviewer_t *reviewer, int sock);

/* None can be had now. */
void codr_reviewer_none(codr_reviewer_t *reviewer, const char *cause);

/* It waits to be asked; over is called when the verdict is there, which may be
   from within this function: what has passed before passes.  0, or negative
   errno. */
int codr_review_begin(codr_reviewer_t *reviewer, codr_review_t *review);

/* Asks for those that wait, as far as that can be now, and for others when it
   can be. */
void codr_review_ask(codr_reviewer_t *reviewer);

/* Accepts one that has not begun, or is over; what it knows is gone. */
void codr_review_end(codr_review_t *review);

#endif /* CODR_REVIEW_H */
