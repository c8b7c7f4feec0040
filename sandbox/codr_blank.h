/*
 * A blank: what of a sandbox is the same for whichever job comes, made before
 * there is one.  Each serves one sandbox.
 */

#ifndef CODR_BLANK_H
#define CODR_BLANK_H

#include <stdint.h>
#include <sys/types.h>

#include "codr_box.h"
#include "codr_landlock.h"

typedef struct {
    int       mounts;   /* a mount namespace with a box; -1: nothing is made */
    int       ipc;      /* an ipc namespace; -1: waived */
    int       rules;    /* codr_landlock_begin(); -1: waived */
    uint64_t  disk;     /* as the box has them */
    uint64_t  inodes;
} codr_blank_t;

#define CODR_BLANK_NONE     { .mounts = -1, .ipc = -1, .rules = -1 }

/* Who makes them, and always returns to where it lives. */
typedef struct {
    unsigned long           namespaces;     /* those of a blank; 0: none */
    int                     mounts;         /* its own */
    int                     ipc;
    const codr_landlock_t  *landlock;       /* NULL: waived */
} codr_blank_maker_t;


/*
 * Remembers where the caller lives, and which of the CLONE_NEW* flags of a
 * sandbox its blanks will have.  0 or negative errno.
 */
int codr_blank_open(codr_blank_maker_t *ret, unsigned long namespaces,
    const codr_landlock_t *landlock);

/*
 * Makes one.  0, or negative errno; the caller, which must have one thread, is
 * where it was, or has ended.
 */
int codr_blank_make(const codr_blank_maker_t *maker, const codr_box_t *box,
    codr_blank_t *ret);

/* Gives it up; with the end of the sandbox it is nobody's. */
void codr_blank_close(codr_blank_t *blank);

#endif /* CODR_BLANK_H */
