/*
 * Which languages can be used: each one's version command runs in a sandbox,
 * one after the other, whenever the configuration or the spawner is new.
 */

#ifndef CODR_PROBE_H
#define CODR_PROBE_H

#include <stdbool.h>
#include <stddef.h>

#include "codr_config.h"
#include "codr_event.h"
#include "codr_sandbox.h"
#include "codr_stdio.h"

struct codr_broker_s;

typedef struct {
    struct codr_broker_s  *broker;
    codr_config_t         *config;      /* a reference; NULL: idle */
    size_t                 index;       /* of the language being asked */
    codr_sandbox_t         sandbox;
    codr_stdio_t           io;
    int                    source;      /* an empty image */
    int                    ends[3];
    bool                   found;       /* its programs are there */
    bool                   stale;       /* its answer does not count */
    char                   text[CODR_CONFIG_REASON];
    size_t                 length;
    codr_timer_t           retry;       /* for those that are unavailable */
} codr_probe_t;


void codr_probe_init(codr_probe_t *probe, struct codr_broker_s *broker);

/* Asks every language of the newest configuration again. */
void codr_probe_restart(codr_probe_t *probe);

#endif /* CODR_PROBE_H */
