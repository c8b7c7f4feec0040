/*
 * Fair queueing of jobs between owners.  Runs in the broker; pure but for
 * malloc.  An owner's line exists as long as somebody stands in it.
 */

#include "codr_queue.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct codr_line_s {
    codr_line_t    *prev;
    codr_line_t    *next;
    codr_waiter_t  *first;
    codr_waiter_t  *last;
    codr_line_t    *turn;           /* while they are visited: the next line */
    codr_waiter_t  *place;          /* and where this one is */
    size_t          count;
    size_t          length;
    char            owner[];
};


static void
append_line(codr_queue_t *queue, codr_line_t *line)
{
    line->next = NULL;
    line->prev = queue->last;

    if (queue->last) {
        queue->last->next = line;
    } else {
        queue->first = line;
    }

    queue->last = line;
}


static void
unlink_line(codr_queue_t *queue, codr_line_t *line)
{
    if (line->prev) {
        line->prev->next = line->next;
    } else {
        queue->first = line->next;
    }

    if (line->next) {
        line->next->prev = line->prev;
    } else {
        queue->last = line->prev;
    }
}


static codr_line_t *
line_of(codr_queue_t *queue, const void *owner, size_t len)
{
    codr_line_t *line;

    for (line = queue->first; line; line = line->next) {
        if (line->length == len && memcmp(line->owner, owner, len) == 0) {
            return line;
        }
    }

    line = calloc(1, sizeof(*line) + len);
    if (line == NULL) {
        return NULL;
    }

    line->length = len;
    memcpy(line->owner, owner, len);
    append_line(queue, line);
    return line;
}


int
codr_queue_add(codr_queue_t *queue, codr_waiter_t *waiter, const void *owner,
    size_t len, size_t max)
{
    codr_line_t *line;

    if (queue->count >= max) {
        return -ENOSPC;
    }

    line = line_of(queue, owner, len);
    if (line == NULL) {
        return -ENOMEM;
    }

    waiter->line = line;
    waiter->next = NULL;
    waiter->prev = line->last;
    if (line->last) {
        line->last->next = waiter;
    } else {
        line->first = waiter;
    }
    line->last = waiter;

    line->count++;
    queue->count++;
    return 0;
}


void
codr_queue_remove(codr_queue_t *queue, codr_waiter_t *waiter)
{
    codr_line_t *line = waiter->line;

    if (line == NULL) {
        return;
    }

    if (waiter->prev) {
        waiter->prev->next = waiter->next;
    } else {
        line->first = waiter->next;
    }
    if (waiter->next) {
        waiter->next->prev = waiter->prev;
    } else {
        line->last = waiter->prev;
    }

    waiter->line = NULL;
    waiter->prev = waiter->next = NULL;

    if (--line->count == 0) {
        unlink_line(queue, line);
        free(line);
    }
    queue->count--;
}


/* A longer line goes to the end before its waiter is taken out of it. */
static void
serve(codr_queue_t *queue, codr_waiter_t *waiter)
{
    codr_line_t *line = waiter->line;

    unlink_line(queue, line);
    append_line(queue, line);
    codr_queue_remove(queue, waiter);
}


codr_waiter_t *
codr_queue_take(codr_queue_t *queue, codr_queue_fits_pt fits, void *context)
{
    codr_line_t   *line;
    codr_waiter_t *waiter;

    for (line = queue->first; line; line = line->next) {
        for (waiter = line->first; waiter; waiter = waiter->next) {
            if (fits(waiter, context)) {
                serve(queue, waiter);
                return waiter;
            }
        }
    }

    return NULL;
}


/* Round by round, one of each line; a line that has no more leaves the rounds.
   So it takes as many steps as there are waiters. */
void
codr_queue_visit(codr_queue_t *queue, codr_queue_fits_pt visit, void *context)
{
    codr_line_t  *line, *lines = queue->first, **link;

    for (line = queue->first; line; line = line->next) {
        line->turn = line->next;
        line->place = line->first;
    }

    while (lines) {
        link = &lines;

        while (*link) {
            line = *link;
            if (!visit(line->place, context)) {
                return;
            }

            line->place = line->place->next;
            if (line->place == NULL) {
                *link = line->turn;
            } else {
                link = &line->turn;
            }
        }
    }
}


void
codr_queue_each(codr_queue_t *queue, codr_queue_each_pt each, void *context)
{
    codr_line_t   *line, *next_line;
    codr_waiter_t *waiter, *next;

    for (line = queue->first; line; line = next_line) {
        next_line = line->next;
        for (waiter = line->first; waiter; waiter = next) {
            next = waiter->next;
            each(waiter, context);
        }
    }
}
