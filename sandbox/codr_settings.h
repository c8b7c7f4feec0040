/*
 * How the helper was started: the supervisor's command line, and what a
 * configuration file adds to it.
 */

#ifndef CODR_SETTINGS_H
#define CODR_SETTINGS_H

#include <stdint.h>

/* Strings are the command line's, or of static storage; NULL = not given. */
typedef struct {
    uint32_t     uid_base;
    uint32_t     uid_count;
    const char  *user;          /* the broker's, instead of the first uid */
    const char  *cgroup;
    const char  *config;        /* service mode: the file */
    const char  *listen;        /* service mode: the socket; NULL: inherited */
} codr_settings_t;


/* "BASE" or "BASE:COUNT". 0, or -EINVAL. */
int codr_settings_uids(codr_settings_t *settings, const char *text);

#endif /* CODR_SETTINGS_H */
