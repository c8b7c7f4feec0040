/*
 * The queue of jobs that wait: first come, first served within an owner, and
 * owners in turn, so that one owner's thousand jobs delay another's first by
 * one place.
 */

#ifndef CODR_QUEUE_H
#define CODR_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct codr_line_s codr_line_t;
typedef struct codr_waiter_s codr_waiter_t;

/* Belongs to whoever embeds it; zeroed is not queued. */
struct codr_waiter_s {
    codr_line_t    *line;           /* its owner's; NULL: not queued */
    codr_waiter_t  *prev;
    codr_waiter_t  *next;
    void           *data;
};

typedef struct {
    codr_line_t    *first;          /* whose turn it is */
    codr_line_t    *last;
    size_t          count;          /* waiters of all owners */
} codr_queue_t;

typedef bool (*codr_queue_fits_pt)(codr_waiter_t *waiter, void *context);
typedef void (*codr_queue_each_pt)(codr_waiter_t *waiter, void *context);


/* 0, -ENOSPC when max wait already, or -ENOMEM. */
int codr_queue_add(codr_queue_t *queue, codr_waiter_t *waiter,
    const void *owner, size_t len, size_t max);

/* Accepts one that is not queued. */
void codr_queue_remove(codr_queue_t *queue, codr_waiter_t *waiter);

/* Takes the next waiter that fits off the queue: its owner's turn is over
   then.  NULL: none fits. */
codr_waiter_t *codr_queue_take(codr_queue_t *queue, codr_queue_fits_pt fits,
    void *context);

/* Calls visit for every waiter in the order in which they would be taken if
   all fitted, until it returns false.  It must not remove any. */
void codr_queue_visit(codr_queue_t *queue, codr_queue_fits_pt visit,
    void *context);

/* Calls each for every waiter, which it may remove. */
void codr_queue_each(codr_queue_t *queue, codr_queue_each_pt each,
    void *context);

#endif /* CODR_QUEUE_H */
