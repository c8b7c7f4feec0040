/*
 * The spawner before its first request: options, layers, template root.
 */

#ifndef CODR_SPAWNER_SETUP_H
#define CODR_SPAWNER_SETUP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "codr_blank.h"
#include "codr_cgroup.h"
#include "codr_early.h"
#include "codr_landlock.h"
#include "codr_layer.h"
#include "codr_ns.h"
#include "codr_seccomp.h"

/* One slot: what stays with it from sandbox to sandbox, and the one in it. */
typedef struct {
    uint64_t            id;         /* of the sandbox; 0: free */
    pid_t               pid;        /* its init; 0: a zygote is asked for it */
    codr_ns_net_t       net;
    codr_blank_t        blank;      /* of the sandbox, or the next one's */
    int                 mounts;     /* mount namespace of a zygote's, or -1 */
    bool                leased;     /* its uid */
    bool                entered;    /* the blank is the sandbox's */
    bool                networked;  /* so is the network */
    bool                untidy;     /* the last one has not been cleaned up */
    bool                traced;     /* the sandbox */
    bool                doomed;     /* as soon as it is there */
    bool                given_up;   /* a zygote may have left an init in it */
    codr_cgroup_slot_t  cgroup;
    codr_cgroup_watch_t watch;      /* until the broker has it */
} codr_spawner_slot_t;

typedef struct codr_nursery_s codr_nursery_t;

typedef struct {
    uid_t                 first_uid;
    uint32_t              count;        /* of uids and slots; 0 is nobody's */
    uint32_t              used;         /* slots below this are initialised */
    uint32_t              untidy;       /* how many of them are */
    bool                  user_ns;      /* not root */
    bool                  usable;       /* no required layer is missing */
    int                   uids;         /* lock file; -1: waived */
    int                   children;     /* signalfd */
    unsigned long         namespaces;   /* CLONE_NEW* of an init */
    codr_layers_t         layers;
    codr_cgroup_t         cgroup;
    codr_seccomp_t        seccomp;
    codr_landlock_t       landlock;
    codr_blank_maker_t    blanks;
    codr_spawner_slot_t  *slots;
    codr_early_t          early;
    codr_nursery_t       *nursery;
} codr_spawner_t;


/*
 * Reads the options and makes everything ready for requests, zygotes in the
 * given nursery; may execute itself anew inside a scope of systemd's.  0, or
 * negative errno after having logged why.
 */
int codr_spawner_set_up(codr_spawner_t *ret, codr_nursery_t *nursery,
    int argc, char **argv);

#endif /* CODR_SPAWNER_SETUP_H */
