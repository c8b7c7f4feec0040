/*
 * A zygote: a warm interpreter whose clones become inits of sandboxes.  The
 * spawner's side, and what the two say to each other.
 *
 * It is the language's own interpreter with a library of ours in it, executed
 * by the spawner with a uid of its own and no capability; what it preloads it
 * preloads like that.  Then it enters a user namespace of its own, into which
 * the spawner maps the uids of jobs, and has its capabilities there only.  It
 * learns a slot and limits, numbers, and never anything of a job.
 */

#ifndef CODR_ZYGOTE_H
#define CODR_ZYGOTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "codr_ipc.h"

/* Descriptors of a zygote at exec; stdio is /dev/null. */
#define CODR_ZYGOTE_CONTROL     3       /* the spawner */
#define CODR_ZYGOTE_FILTER      4       /* what init loads last */
#define CODR_ZYGOTE_LIBRARY     5       /* ours, for LD_PRELOAD */
#define CODR_ZYGOTE_LOG         6
#define CODR_ZYGOTE_FDS         7

/* Its variables; the library takes them out of the environment. */
#define CODR_ZYGOTE_PRELOAD     "CODR_PRELOAD"  /* modules, by ':' */
#define CODR_ZYGOTE_READ        "CODR_READ"     /* Landlock paths, by ':' */

#define CODR_ZYGOTE_TEST        "CODR_TEST"     /* not to be cloned: says
                                                   whether it can be parked */

/*
 * An interpreter that is parked has the library in it, too, and two more
 * descriptors at exec, out of the way of those that it opens.  It has no
 * zygote, and is nobody's clone.
 */
#define CODR_PARKED             "CODR_PARKED"   /* variable: "1", or "test" */
#define CODR_PARKED_SOCKET      1000            /* init */
#define CODR_PARKED_LIBRARY     1001

/* Slots kept for zygotes: their uids are no job's. */
#define CODR_ZYGOTE_SLOTS       4
#define CODR_ZYGOTE_SLOTS_MIN   32      /* fewer, and there is no zygote */

/*
 * spawner -> zygote.  SETUP once, after HELLO; then CLONE, with descriptors:
 * init's end of its socket to the broker, then on v1 the "tasks" files of its
 * cgroup, open for writing, on v2 the directory it is cloned into.
 */
typedef enum {
    CODR_ZYGOTE_SETUP = 1,
    CODR_ZYGOTE_CLONE
} codr_zygote_op_t;

typedef struct {
    uint32_t              version;
    uint32_t              op;           /* codr_zygote_op_t */
    uint32_t              uid;          /* CLONE */
    uint32_t              slots;        /* SETUP: slot numbers are below */
    uint32_t              into;         /* CLONE: v2 */
    uint32_t              limit_data;   /* SETUP: there are no cgroups */
    uint64_t              namespaces;   /* SETUP: CLONE_NEW* of an init */
    uint8_t               layer[CODR_LAYER_COUNT + 1];  /* SETUP */
    codr_spawn_request_t  spawn;        /* CLONE */
} codr_zygote_request_t;

/*
 * zygote -> spawner.  HELLO: it is warm, and in its user namespace, into which
 * nothing is mapped yet.  READY answers SETUP.  CLONED answers CLONE: a pid,
 * with a descriptor of its mount namespace, or a negative errno.  UNFIT, in
 * place of HELLO: clones of this interpreter would not be what it is itself.
 * With CODR_ZYGOTE_TEST it is PARKABLE or UNFIT, and the end.
 */
typedef enum {
    CODR_ZYGOTE_HELLO = 1,
    CODR_ZYGOTE_READY,
    CODR_ZYGOTE_CLONED,
    CODR_ZYGOTE_UNFIT,
    CODR_ZYGOTE_PARKABLE
} codr_zygote_answer_t;

typedef struct {
    uint32_t  version;
    uint32_t  kind;             /* codr_zygote_answer_t */
    int32_t   pid;
    uint32_t  zero;
} codr_zygote_reply_t;

_Static_assert(sizeof(codr_zygote_request_t) == 128, "zygote request");
_Static_assert(sizeof(codr_zygote_reply_t) == 16, "zygote reply");

#endif /* CODR_ZYGOTE_H */
