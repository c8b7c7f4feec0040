/*
 * The configuration of the helper: what the master (or, with a service
 * manager, the file of --config) says about languages, limits and capacity.
 *
 * It arrives as a sealed memfd with the field list described in codr_proto.h.
 * A decoded configuration is one object with one owner; the broker counts
 * references, because channels and jobs of an older one may outlive a reload.
 */

#ifndef CODR_CONFIG_H
#define CODR_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "codr_limits.h"
#include "codr_list.h"
#include "codr_proto.h"

#define CODR_CONFIG_MAX         (4 * 1024 * 1024)   /* bytes of the memfd */
#define CODR_CONFIG_LOCATIONS   4096
#define CODR_CONFIG_LANGUAGES   128
#define CODR_CONFIG_PEERS       32
#define CODR_CONFIG_WARM        64      /* ready sandboxes of a language */

#define CODR_CONFIG_REASON      160     /* bytes of a language's reason */

typedef enum {
    CODR_LANGUAGE_UNKNOWN = 0,          /* not asked yet */
    CODR_LANGUAGE_AVAILABLE,
    CODR_LANGUAGE_UNAVAILABLE           /* reason says why */
} codr_availability_t;

typedef struct {
    uint64_t             id;
    codr_limits_t        limits;        /* explicit ones, 0 = unset */
    bool                 output_drop;
    uint64_t             policy_mode;   /* codr_policy_mode_t */
    uint64_t             policy_level;  /* codr_policy_level_t */
    uint64_t             detach_ms;
} codr_location_t;

typedef struct {
    char                *name;          /* lower case */
    char                *source;        /* name of the main file */
    char                *grammar;       /* NULL: by the name */
    char                *policy;        /* file or directory; NULL: shipped */
    codr_list_t          aliases;
    codr_list_t          sources;       /* globs; empty: source's extension */
    codr_list_t          version;       /* argv; may be empty */
    codr_list_t          compile;       /* argv; empty: not compiled */
    codr_list_t          run;           /* argv */
    codr_list_t          env;           /* NAME=VALUE */
    codr_list_t          env_live;
    codr_list_t          precompile;    /* sets of header names */
    uint64_t             shortcut;      /* 1: codr-shortcut knows it */
    uint64_t             warm;          /* ready sandboxes, at most */
    uint64_t             zygote;        /* codr_interpreter_kind_t */
    codr_list_t          preload;       /* modules of the zygote */
    codr_limits_t        limits;        /* explicit ones, 0 = unset */
    bool                 output_drop;

    /* its bytes in the image: equal bytes are an equal definition */
    size_t               offset;
    size_t               length;

    /* what the broker's probe found */
    codr_availability_t  availability;
    char                 version_text[CODR_CONFIG_REASON];
    char                 reason[CODR_CONFIG_REASON];
} codr_language_t;

typedef struct {
    unsigned             references;
    uint64_t             generation;
    uint64_t             max_jobs;      /* 0 = auto, as the next two */
    uint64_t             max_batch;
    uint64_t             max_compile;
    uint64_t             queue_length;
    uint64_t             queue_ms;
    uint64_t             total_memory;  /* bytes; 0 = not set */
    uint64_t             total_percent; /* 0 = not set */
    uint64_t             total_cpu;     /* thousandths of a CPU; 0 = not set */
    uint64_t             results;       /* bytes */
    uint64_t             job_ttl_ms;
    uint64_t             cache_size;    /* bytes; 0 = no compile cache */
    uint64_t             cache_shared;  /* 1: not an owner's own */
    char                *policies;      /* directory; NULL: beside us */
    codr_list_t          allow_missing;
    codr_list_t          binds;         /* "FROM:AT", of all languages */
    uint64_t             peer[CODR_CONFIG_PEERS];
    size_t               peers;
    codr_location_t     *location;
    size_t               locations;
    codr_language_t     *language;
    size_t               languages;
    uint8_t             *image;         /* the bytes it was decoded from */
    size_t               length;
} codr_config_t;


/*
 * Decodes hostile bytes.  0 and a configuration with one reference, -EPROTO
 * when they are malformed or miss something, or -ENOMEM.
 */
int codr_config_decode(codr_config_t **ret, const void *image, size_t len,
    uint64_t generation);

/* The same from a sealed memfd, which stays the caller's. */
int codr_config_read(codr_config_t **ret, int memfd, uint64_t generation);

codr_config_t *codr_config_ref(codr_config_t *config);

/* Drops a reference, the last one frees; accepts NULL. */
void codr_config_unref(codr_config_t *config);

/* NULL when there is none. */
const codr_location_t *codr_config_location(const codr_config_t *config,
    uint64_t id);

/* By name or alias, in any case; NULL when unknown. */
codr_language_t *codr_config_language(const codr_config_t *config,
    const void *name, size_t len);

/* Whether both say the same of a language, byte for byte. */
bool codr_config_language_same(const codr_config_t *a,
    const codr_language_t *x, const codr_config_t *b,
    const codr_language_t *y);

#endif /* CODR_CONFIG_H */
