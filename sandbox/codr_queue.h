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
    uint64_t        served_us;      /* when one was taken last; 0 = unknown */
    uint64_t        interval_us;    /* average between two; 0 = unknown */
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
    void *context, uint64_t now_us);

/* From 1: how many are taken until it is this one's turn, if all fit. */
size_t codr_queue_position(const codr_queue_t *queue,
    const codr_waiter_t *waiter);

/* Estimate for a position; 0 = not known. */
uint64_t codr_queue_wait_ms(const codr_queue_t *queue, size_t position);

/* Calls each for every waiter, which it may remove. */
void codr_queue_each(codr_queue_t *queue, codr_queue_each_pt each,
    void *context);

#endif /* CODR_QUEUE_H */
