/*
 * What the roles of codr-sandboxd say to each other.
 *
 * All of it goes over SOCK_SEQPACKET pairs made by the supervisor or the
 * broker; both ends run the same executable, so messages are plain structs
 * whose layout is asserted below.  A message of another size, with another
 * version, or with another number of descriptors than its row says ends the
 * receiving role (spawner, init) or the peer (broker).
 *
 * Times are microseconds of CLOCK_MONOTONIC or of CPU, sizes are bytes.
 */

#ifndef CODR_IPC_H
#define CODR_IPC_H

#include <stdint.h>

#include "codr_proto.h"

#define CODR_IPC_VERSION        1

/*
 * Descriptors of a role at exec; everything above is closed.
 *
 * The keeper has what nginx gives it: 0 to 2 as below, 3 the lifeline.
 *
 * number  supervisor        broker               spawner
 *      0  /dev/null         /dev/null            /dev/null
 *      1  stderr            stderr               stderr
 *      2  stderr            stderr               stderr
 *      3  lifeline or -     control (supervisor) control (supervisor)
 *         listening socket
 *      4  store (keeper),   log (receiving end)  log (sending end)
 *         with a lifeline
 *      5  -                 log (sending end)    the executable
 *      6  -                 -                    peer (the broker)
 *
 * The validator has what the spawner has, without the executable.
 */
#define CODR_FD_LIFELINE        3
#define CODR_FD_CONTROL         3
#define CODR_FD_STORE           4
#define CODR_FD_LOG             4
#define CODR_FD_SELF            5
#define CODR_FD_LOG_SELF        5       /* the broker's own lines */
#define CODR_FD_PEER            6

/* Most bytes of one message of init: a piece of an artefact, of a job
   description. */
#define CODR_IPC_CHUNK          (96 * 1024)

/* Names of all layers, in the order --check prints them. */
typedef enum {
    CODR_LAYER_NS_PID = 0,
    CODR_LAYER_NS_MOUNT,
    CODR_LAYER_NS_IPC,
    CODR_LAYER_NS_UTS,
    CODR_LAYER_NS_NET,
    CODR_LAYER_NS_CGROUP,
    CODR_LAYER_UIDS,
    CODR_LAYER_CAPABILITIES,
    CODR_LAYER_NO_NEW_PRIVS,
    CODR_LAYER_SECCOMP,
    CODR_LAYER_LANDLOCK,
    CODR_LAYER_LANDLOCK_NET,
    CODR_LAYER_LANDLOCK_SCOPE,
    CODR_LAYER_CGROUP,          /* memory and pids controllers together */
    CODR_LAYER_CGROUP_CPU,
    CODR_LAYER_COUNT
} codr_layer_id_t;


/*
 * supervisor -> keeper: the configuration it has taken last; a descriptor, the
 * sealed memfd, goes with it.  keeper -> supervisor: the same, at the start of
 * one that follows a dead one.
 */
typedef struct {
    uint32_t  version;
    uint32_t  zero;
    uint64_t  generation;
} codr_store_t;


/*
 * supervisor -> broker (control).  SPAWNER and CHANNEL, CONFIG carry one
 * descriptor each; LISTENER (unix: only) carries the listening socket.
 * supervisor -> spawner, validator: ALIVE, and nothing else; its end of the
 * control socket and the broker's end of CODR_FD_PEER are watched for EOF,
 * either ends the role.
 */
typedef enum {
    CODR_CONTROL_CONFIG = 1,    /* generation; sealed memfd */
    CODR_CONTROL_CHANNEL,       /* generation; a worker's channel */
    CODR_CONTROL_LISTENER,      /* descriptor: accept channels here */
    CODR_CONTROL_SPAWNER,       /* descriptor: the newest spawner; jobs of an
                                   older one finish there */
    CODR_CONTROL_NO_SPAWNER,    /* none can be had now; cause says why */
    CODR_CONTROL_TOOLCHAIN,     /* generation: a number that is another one
                                   when compilers or libraries change; perhaps
                                   a descriptor: codr-shortcut, sealed */
    CODR_CONTROL_VALIDATOR,     /* descriptor: the next validator */
    CODR_CONTROL_NO_VALIDATOR,  /* none can be had now; cause says why */
    CODR_CONTROL_ALIVE          /* asks for nothing but to be read */
} codr_control_kind_t;

typedef struct {
    uint32_t  version;
    uint32_t  kind;             /* codr_control_kind_t */
    uint64_t  generation;
    char      cause[240];       /* NUL-terminated text for health */
} codr_control_t;


/*
 * broker -> spawner.  SPAWN carries one descriptor: init's end of its socket
 * to the broker.  Limits are those of one sandbox (stage); each must be greater
 * than zero and within the compiled maxima of codr_limits.c, or the spawner
 * ends itself.  Slot 0 is the broker's own uid and never a sandbox.  A KILL for
 * an id that is gone already is no error.
 */
typedef enum {
    CODR_SPAWN = 1,
    CODR_KILL                   /* only version, op and id count */
} codr_spawn_op_t;

#define CODR_SPAWN_TERMINAL     0x1     /* mount a devpts, open a terminal */
#define CODR_SPAWN_SPARE        0x2     /* nobody waits for it: what a job may
                                           need can be done before */
#define CODR_SPAWN_TRACE        0x4     /* its time line goes to the log */
#define CODR_SPAWN_ZYGOTE       0xf0    /* init is to be a zygote's clone: its
                                           codr_interpreter_kind_t, shifted */
#define CODR_SPAWN_KIND_SHIFT   4
#define CODR_SPAWN_PARKED       0xf00   /* init is to start an interpreter of
                                           that kind before it is described */
#define CODR_SPAWN_PARKED_SHIFT 8
#define CODR_SPAWN_HOW          (CODR_SPAWN_ZYGOTE | CODR_SPAWN_PARKED)

typedef struct {
    uint32_t  version;
    uint32_t  op;               /* codr_spawn_op_t */
    uint64_t  id;               /* of this sandbox, never used again */
    uint32_t  slot;             /* below the configured count */
    uint32_t  flags;            /* CODR_SPAWN_* */
    uint64_t  memory;
    uint64_t  stack;
    uint64_t  disk;
    uint64_t  inodes;
    uint64_t  file_size;        /* RLIMIT_FSIZE */
    uint64_t  cpu_seconds;      /* RLIMIT_CPU, the fallback without cgroups */
    uint32_t  processes;
    uint32_t  open_files;
} codr_spawn_request_t;

static inline codr_interpreter_kind_t
codr_spawn_kind(uint32_t flags)
{
    return (codr_interpreter_kind_t) ((flags & CODR_SPAWN_ZYGOTE)
                                      >> CODR_SPAWN_KIND_SHIFT);
}

static inline codr_interpreter_kind_t
codr_spawn_parked(uint32_t flags)
{
    return (codr_interpreter_kind_t) ((flags & CODR_SPAWN_PARKED)
                                      >> CODR_SPAWN_PARKED_SHIFT);
}

/*
 * spawner -> broker.
 *
 * READY    first message: layers and, without cgroups, what is missing; may
 *          carry the file that says how many bytes all sandboxes use.
 * SPAWNED  up to three descriptors, in this order, as flags say: the file that
 *          holds the CPU time used (CODR_SPAWNED_CPU), the one of the most
 *          memory used (CODR_SPAWNED_PEAK), and one that becomes readable
 *          (EPOLLIN for v1's eventfd, EPOLLPRI for v2's file) at an
 *          out-of-memory event (CODR_SPAWNED_OOM).
 * REFUSED  no sandbox: step and error say why.  EADDRINUSE: another instance
 *          holds this slot's uid, try another slot.
 * EXITED   init and with it every process of the sandbox is gone, its cgroup
 *          empty: the slot is free again.  Follows every SPAWNED, once.
 * ZYGOTE   what there is of a kind of zygote from now on: slot is the
 *          codr_interpreter_kind_t, flags are CODR_ZYGOTE_*.  Until the first
 *          of them there is nothing.
 */
typedef enum {
    CODR_SPAWNER_READY = 1,
    CODR_SPAWNER_SPAWNED,
    CODR_SPAWNER_REFUSED,
    CODR_SPAWNER_EXITED,
    CODR_SPAWNER_ZYGOTE
} codr_spawn_answer_t;

#define CODR_ZYGOTE_SERVES      0x1     /* clones can be asked for */
#define CODR_ZYGOTE_DIFFERS     0x2     /* none: they are not what a new
                                           interpreter is */
#define CODR_ZYGOTE_FAILS       0x4     /* none: it ends again and again */
#define CODR_ZYGOTE_IMPOSSIBLE  0x8     /* none: this host has not what it
                                           takes */

#define CODR_ZYGOTE_PARKS       0x10    /* one that is executed can be parked
                                           before it knows its job */

#define CODR_SPAWNED_CPU        0x1     /* v1 cpuacct.usage (nanoseconds) */
#define CODR_SPAWNED_CPU_V2     0x2     /* cpu.stat (usage_usec line) */
#define CODR_SPAWNED_OOM        0x4     /* v1 eventfd */
#define CODR_SPAWNED_OOM_V2     0x8     /* memory.events */
#define CODR_SPAWNED_PEAK       0x10    /* memory.max_usage_in_bytes, or
                                           memory.peak */

typedef struct {
    uint32_t  version;
    uint32_t  kind;             /* codr_spawn_answer_t */
    uint64_t  id;
    uint32_t  slot;
    uint32_t  flags;            /* SPAWNED: CODR_SPAWNED_* */
    uint32_t  step;             /* REFUSED: codr_step_t */
    int32_t   error;            /* REFUSED: errno */
    int32_t   wait_status;      /* EXITED: of init, as waitpid() gives it */
    uint32_t  oom_events;       /* EXITED */
    uint64_t  cpu_us;           /* EXITED: the counter that SPAWNED's CPU
                                   descriptor reads, after the end; without a
                                   cgroup, init's and its children's rusage */
    uint64_t  memory_peak;      /* EXITED: bytes, 0 = not known */
    uint32_t  slots;            /* READY: how many uids there are */
    uint8_t   layer[CODR_LAYER_COUNT + 1];  /* READY: codr_layer_state_t */
    uint8_t   zero[3];
} codr_spawn_reply_t;


/*
 * broker -> init.  DESCRIBE is followed, in the same message, by fields:
 *
 *     FILE_NAME     the artefact's name below /box, with KEEP and PLACE
 *     ARG*          argv, at least one; or none of them in a probe
 *     REASON*       probe: programs that must be there (looked up in PATH)
 *     ENV*          the whole environment
 *     TERMINAL COLS ROWS ECHO
 *     FILE_DATA     with FILES: the source image
 *
 * and carries descriptors as the flags say, in this order: the source image
 * (without FILES: a sealed memfd, fields FILE_NAME FILE_DATA, alternating), the
 * artefact to execute instead of argv[0] (with PLACE, to be written below /box
 * for the program that argv[0] names), precompiled headers, which the
 * program has as descriptor 3, then stdin, stdout, stderr (absent with a
 * terminal).
 */
typedef enum {
    CODR_INIT_DESCRIBE = 1,
    CODR_INIT_RUN,
    CODR_INIT_SIGNAL            /* value: to the foreground process group */
} codr_init_op_t;

#define CODR_DESCRIBE_ARTEFACT  0x1     /* an artefact's descriptor is there */
#define CODR_DESCRIBE_STDIO     0x2     /* three descriptors are there */
#define CODR_DESCRIBE_KEEP      0x4     /* compile: send FILE_NAME afterwards */
#define CODR_DESCRIBE_HEADERS   0x8     /* precompiled headers are there */
#define CODR_DESCRIBE_PLACE     0x10    /* the artefact becomes FILE_NAME */
#define CODR_DESCRIBE_RUN       0x20    /* it runs at once: no RUN follows */
#define CODR_DESCRIBE_FILES     0x40    /* the source image is a field */

typedef struct {
    uint32_t  version;
    uint32_t  op;               /* codr_init_op_t */
    uint32_t  flags;            /* CODR_DESCRIBE_* */
    uint32_t  value;
    uint64_t  artefact_max;     /* DESCRIBE with KEEP: bytes */
} codr_init_request_t;

/*
 * init -> broker.
 *
 * READY     the sandbox stands, nothing of the user's is in it, and DESCRIBE
 *           has not come yet.
 * PREPARED  files are written, the program can start, and RUN has not come.
 * STARTED   the program was executed (its exec succeeded), or, with flags
 *           CODR_STARTED_FORKED, an interpreter that was there runs it; value:
 *           the CPU time in microseconds that was used before, and at_us when
 *           it was let begin.
 *           The first of these three carries the terminal's master side.
 * FAILED    step and error; init ends.  Never an exit code of the program.
 *           With CODR_STEP_PROGRAM value is the number of the REASON, from 0.
 * EXITED    wait_status of the program and CODR_EXITED_* flags; value: CPU
 *           time in microseconds of all processes that were, init's included;
 *           at_us: when init saw the program's end.
 *           Every other one is gone, and init ends.  With KEEP and a clean
 *           exit it has sent ARTEFACT before: size in value, then that many
 *           bytes in messages of raw bytes.
 */
typedef enum {
    CODR_INIT_READY = 1,
    CODR_INIT_PREPARED,
    CODR_INIT_STARTED,
    CODR_INIT_FAILED,
    CODR_INIT_EXITED,
    CODR_INIT_ARTEFACT
} codr_init_answer_t;

#define CODR_STARTED_FORKED     0x1

#define CODR_EXITED_DISK_FULL   0x1     /* no bytes or no inodes were left */
#define CODR_EXITED_NO_ARTEFACT 0x2     /* KEEP, but no such regular file, too
                                           large, or more than one link */

typedef struct {
    uint32_t  version;
    uint32_t  kind;             /* codr_init_answer_t */
    uint32_t  step;             /* codr_step_t */
    int32_t   error;            /* errno */
    int32_t   wait_status;
    uint32_t  flags;
    uint64_t  value;
    uint64_t  at_us;            /* STARTED, EXITED: CLOCK_MONOTONIC */
} codr_init_reply_t;

_Static_assert(sizeof(codr_store_t) == 16, "store layout");
_Static_assert(sizeof(codr_control_t) == 256, "control layout");
_Static_assert(sizeof(codr_spawn_request_t) == 80, "spawn request layout");
_Static_assert(sizeof(codr_spawn_reply_t) == 80, "spawn reply layout");
_Static_assert(sizeof(codr_init_request_t) == 24, "init request layout");
_Static_assert(sizeof(codr_init_reply_t) == 40, "init reply layout");


/* Exit status of a spawner that misses a required layer: the next one looks
   again. */
#define CODR_EXIT_LACKING   3

/* Steps of making a sandbox, for logs; never shown to a client. */
typedef enum {
    CODR_STEP_NONE = 0,
    CODR_STEP_UID_LEASE,
    CODR_STEP_NETNS,
    CODR_STEP_CGROUP_CREATE,
    CODR_STEP_CGROUP_LIMIT,
    CODR_STEP_CGROUP_ENTER,
    CODR_STEP_CLONE,
    CODR_STEP_MOUNT_BOX,
    CODR_STEP_MOUNT_PROC,
    CODR_STEP_MOUNT_PTS,
    CODR_STEP_TERMINAL,
    CODR_STEP_RLIMIT,
    CODR_STEP_CREDENTIALS,
    CODR_STEP_DUMPABLE,
    CODR_STEP_PDEATHSIG,
    CODR_STEP_DESCRIPTION,
    CODR_STEP_FILES,
    CODR_STEP_PROGRAM,          /* a program of a probe is not there */
    CODR_STEP_FORK,
    CODR_STEP_SESSION,
    CODR_STEP_STDIO,
    CODR_STEP_LANDLOCK,
    CODR_STEP_SECCOMP,
    CODR_STEP_EXEC,
    CODR_STEP_ARTEFACT,
    CODR_STEP_COUNT
} codr_step_t;

/* Words for a log line ("mount /box"); never NULL.  In codr_ipc.c. */
const char *codr_step_name(uint32_t step);
const char *codr_layer_name(codr_layer_id_t layer);

#endif /* CODR_IPC_H */
