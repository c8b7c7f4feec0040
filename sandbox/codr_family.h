/*
 * The processes a supervisor looks after.
 */

#ifndef CODR_FAMILY_H
#define CODR_FAMILY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "codr_capacity.h"
#include "codr_config.h"
#include "codr_event.h"
#include "codr_ipc.h"
#include "codr_list.h"
#include "codr_relative.h"
#include "codr_settings.h"
#include "codr_watchdog.h"

#define CODR_FAMILY_RETIRED 16      /* spawners and validators of before */

typedef struct codr_family_s codr_family_t;

struct codr_family_s {
    /* filled in by the caller of codr_family_open() */
    codr_loop_t            *loop;           /* stopped when all have left */
    const codr_settings_t  *settings;
    int                     listener;       /* service mode, or -1 */
    void                  (*broker_up)(codr_family_t *family, bool up);
    void                   *data;

    codr_host_t             host;
    uid_t                   uid;            /* the broker's */
    gid_t                   gid;
    int                     self;           /* our executable */
    int                     checker;        /* codr-validator, or negative
                                               errno */
    int                     log[2];         /* receiving, sending */
    codr_timer_t            leave_timer;
    bool                    leaving;
    codr_relative_t         broker;
    codr_relative_t         spawner;
    codr_relative_t         validator;
    codr_watchdog_t         watchdog[3];    /* of each of them */
    codr_relative_t         retired[CODR_FAMILY_RETIRED];
    codr_list_t             spawner_argv;   /* of the running one */
    bool                    lacking;        /* the one before missed a layer,
                                               and has said so */
    codr_config_t          *config;         /* the newest, or NULL */
    int                     memfd;          /* its image */
};


/* What the children will need.  0, or negative errno: -ECANCELED when the
   reason has been logged. */
int codr_family_open(codr_family_t *family);

/* Starts the broker; the spawner follows with the first configuration. */
void codr_family_start(codr_family_t *family);

/* The newest configuration; takes the memfd over.  0, or negative errno and
   the old one stays. */
int codr_family_configure(codr_family_t *family, int memfd,
    uint64_t generation);

/* A message for the broker, with a descriptor, which stays the caller's, or
   -1.  Negative errno: the broker is gone, whether that was noticed or not. */
int codr_family_tell(codr_family_t *family, codr_control_kind_t kind,
    uint64_t generation, int fd);

/* After SIGCHLD. */
void codr_family_reap(codr_family_t *family);

/* Ends all of them. */
void codr_family_leave(codr_family_t *family);

#endif /* CODR_FAMILY_H */
