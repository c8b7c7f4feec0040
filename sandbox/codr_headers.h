/*
 * What codr-shortcut can be given: precompiled headers, or, where a program
 * has none of them, the compile command's own words on its steps.  Made once
 * in a sandbox of ours, of nothing but what the configuration says, when the
 * first job could have used it.
 */

#ifndef CODR_HEADERS_H
#define CODR_HEADERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "codr_artefact.h"
#include "codr_cache.h"
#include "codr_config.h"
#include "codr_event.h"
#include "codr_sandbox.h"
#include "codr_source.h"
#include "codr_stdio.h"

#define CODR_HEADERS_SETS   16

struct codr_broker_s;
struct codr_job_s;

typedef enum {
    CODR_HEADERS_NONE = 0,
    CODR_HEADERS_WANTED,
    CODR_HEADERS_READY,
    CODR_HEADERS_FAILED         /* not tried again until something changes */
} codr_headers_state_t;

typedef struct {
    codr_cache_key_t       key;     /* of language, toolchain and names */
    codr_headers_state_t   state;
    codr_artefact_t        artefact;
    uint64_t               used_us;
} codr_header_set_t;

typedef struct {
    struct codr_broker_s  *broker;
    codr_header_set_t      set[CODR_HEADERS_SETS];
    uint64_t               used;    /* bytes of those that are ready */

    /* the one that is wanted or being made */
    codr_header_set_t     *wanted;  /* NULL: none */
    codr_config_t         *config;  /* a reference */
    codr_language_t       *language;
    int                    index;   /* in its list; -1: the steps */
    codr_timer_t           timer;
    codr_source_t          source;
    codr_sandbox_t         sandbox;
    codr_stdio_t           io;
    int                    ends[3];
    bool                   stale;   /* what is being made is not wanted */
} codr_headers_t;


void codr_headers_init(codr_headers_t *headers,
    struct codr_broker_s *broker);

/* A memfd for the compile stage of this job, which stays ours, or -1; and
   what codr-shortcut is to do. */
int codr_headers_choose(codr_headers_t *headers,
    const struct codr_job_s *job, const char **ret_mode);

/* The toolchain is another one. */
void codr_headers_drop(codr_headers_t *headers);

/* The configuration is another one. */
void codr_headers_configure(codr_headers_t *headers);

#endif /* CODR_HEADERS_H */
