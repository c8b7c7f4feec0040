/*
 * The file of "codr-sandboxd --config": nginx's syntax, codr's directives.
 */

#ifndef CODR_CONF_FILE_H
#define CODR_CONF_FILE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "codr_settings.h"

typedef struct {
    codr_settings_t  settings;      /* what the file says; 0, NULL = nothing */
    char            *user;          /* settings point here */
    char            *cgroup;
    gid_t            group;         /* of the first peer; -1 = none */
    uint8_t         *image;         /* the configuration, encoded */
    size_t           length;
} codr_conf_file_t;

#define CODR_CONF_ERROR_MAX     512


/*
 * Reads path and what it includes.  0, or -EINVAL and a message
 * "FILE:LINE: ..." in error.  codr_conf_file_free() in any case.
 */
int codr_conf_file_read(codr_conf_file_t *ret, const char *path,
    char error[CODR_CONF_ERROR_MAX]);

/* Accepts a zeroed one. */
void codr_conf_file_free(codr_conf_file_t *file);

#endif /* CODR_CONF_FILE_H */
