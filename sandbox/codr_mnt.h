/*
 * The template root: the file system every sandbox starts from, built once.
 */

#ifndef CODR_MNT_H
#define CODR_MNT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

typedef struct {
    int          source;        /* codr_mnt_open() of the path outside */
    const char  *at;            /* absolute path inside */
} codr_mnt_bind_t;

typedef struct {
    uid_t             first_uid;    /* the passwd file names these users */
    uint32_t          uids;
    codr_mnt_bind_t  *binds;        /* at becomes NULL where it failed */
    size_t            nbinds;
} codr_mnt_template_t;


/* True where an operator may bind something: absolute, without "..", and not
   under what a job's own mounts cover. */
bool codr_mnt_valid_place(const char *at);

/* A mount namespace of one's own, without propagation.  0, or negative
   errno. */
int codr_mnt_unshare(void);

/*
 * A detached copy of what is mounted at path: a descriptor to bind from, or
 * negative errno.  After codr_mnt_unshare().
 */
int codr_mnt_open(const char *path);

/*
 * After codr_mnt_unshare(): builds the root, moves into it and lets go of the
 * host's.  0, or negative errno with what was tried.
 */
int codr_mnt_build(codr_mnt_template_t *plan, const char **ret_tried);

/* Directories of the host's root that are no links into /usr there and so
   were bound; NULL after the last. */
const char *codr_mnt_extra_dir(size_t i);

#endif /* CODR_MNT_H */
