/*
 * The event loop of the keeper, the supervisor and the broker: epoll, timers,
 * and objects that are freed once nobody is working on them.
 *
 * One event a turn: a handler may remove or free any other event's owner, and
 * no batch with stale pointers is left behind.  Level-triggered, so epoll
 * itself goes round robin over what is ready.  Bulk events have an epoll of
 * their own, which is one event of the other: all of them together get the
 * turns of one, and nobody else waits for more than one of them.
 */

#ifndef CODR_EVENT_H
#define CODR_EVENT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>

#include "codr_timer.h"

typedef struct codr_event_s codr_event_t;
typedef struct codr_loop_s codr_loop_t;
typedef struct codr_doomed_s codr_doomed_t;

typedef void (*codr_event_pt)(codr_event_t *event, uint32_t events);

/* Belongs to whoever embeds it; CODR_EVENT_NONE is one without descriptor. */
struct codr_event_s {
    int             fd;
    uint32_t        events;         /* 0: not watched at all */
    bool            bulk;
    codr_event_pt   handler;
    void           *data;
};

#define CODR_EVENT_NONE     ((codr_event_t) { .fd = -1 })

/* First member of objects that codr_loop_doom() frees later. */
struct codr_doomed_s {
    codr_doomed_t  *next;
    void          (*destroy)(codr_doomed_t *doomed);
};

struct codr_loop_s {
    int             epoll;
    bool            stopped;
    codr_timers_t   timers;
    codr_event_t    clock;          /* of the timers */
    codr_event_t    bulk;           /* the epoll of bulk events */
    codr_doomed_t  *doomed;
    void          (*late)(void);    /* what this turn has left for its end */
};


/* 0, or negative errno. */
int codr_loop_init(codr_loop_t *loop);
void codr_loop_free(codr_loop_t *loop);

/* Runs until codr_loop_stop(). 0, or negative errno of epoll. */
int codr_loop_run(codr_loop_t *loop);
void codr_loop_stop(codr_loop_t *loop);

/* What codr_loop_run() does after each turn: what is late, and the doomed. */
void codr_loop_end_turn(codr_loop_t *loop);

/* Destroys the object after the present handler; the second time for the
   same object does nothing. */
void codr_loop_doom(codr_loop_t *loop, codr_doomed_t *doomed,
    void (*destroy)(codr_doomed_t *doomed));

/*
 * Watches for events, replaces what was watched for, or with 0 does not watch
 * at all: a hang-up that is always reported would otherwise spin while its
 * owner waits for something else.  0, or negative errno.
 */
int codr_event_watch(codr_loop_t *loop, codr_event_t *event,
    uint32_t events);

/* Whether it is one of the bulk events from now on.  0, or negative errno; then
   it is not watched any more. */
int codr_event_set_bulk(codr_loop_t *loop, codr_event_t *event, bool bulk);

/* An event without descriptor gets that of another one, and what it was watched
   for.  0, or negative errno. */
int codr_event_move(codr_loop_t *loop, codr_event_t *to, codr_event_t *from);

/* Stops watching and closes the descriptor; accepts CODR_EVENT_NONE. */
void codr_event_close(codr_loop_t *loop, codr_event_t *event);

#endif /* CODR_EVENT_H */
