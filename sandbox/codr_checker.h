/*
 * The validator role, seen from the supervisor.
 */

#ifndef CODR_CHECKER_H
#define CODR_CHECKER_H

#include <stdbool.h>
#include <sys/types.h>

#include "codr_config.h"
#include "codr_relative.h"

/* What starting it needs. */
typedef struct {
    int                   self;     /* its executable, or -1 */
    int                   log;      /* sending end */
    uid_t                 uid;
    gid_t                 gid;
    const codr_config_t  *config;
} codr_checker_plan_t;


/* The executable beside ours, or negative errno. */
int codr_checker_open(void);

/* Whether a location may ask for a verdict. */
bool codr_checker_wanted(const codr_config_t *config);

/* Starts it and gives the broker its socket.  0, or negative errno. */
int codr_checker_start(codr_relative_t *validator,
    const codr_relative_t *broker, const codr_checker_plan_t *plan);

#endif /* CODR_CHECKER_H */
