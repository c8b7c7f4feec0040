/*
 * Whether the host's compilers, headers and libraries are still the ones they
 * were: a number that changes when they do.
 */

#ifndef CODR_TOOLCHAIN_H
#define CODR_TOOLCHAIN_H

#include <stdint.h>

#include "codr_config.h"
#include "codr_event.h"

typedef struct codr_toolchain_s codr_toolchain_t;

struct codr_toolchain_s {
    codr_loop_t     *loop;
    codr_event_t     event;         /* inotify */
    codr_timer_t     timer;         /* changes come in swarms */
    codr_config_t   *config;        /* a reference, or NULL */
    uint64_t         stamp;         /* 0: not known */
    void           (*changed)(codr_toolchain_t *toolchain);
    void            *data;
};


/* A sealed copy of codr-shortcut, which lies beside our own executable, to be
   executed in compile sandboxes; -1 when there is none. */
int codr_toolchain_shortcut(void);

/* Starts watching; changed is called when the stamp is another one. */
void codr_toolchain_open(codr_toolchain_t *toolchain, codr_loop_t *loop,
    void (*changed)(codr_toolchain_t *toolchain), void *data);

/* Looks now, and at the programs and binds of this configuration from now
   on. */
void codr_toolchain_configure(codr_toolchain_t *toolchain,
    codr_config_t *config);

#endif /* CODR_TOOLCHAIN_H */
