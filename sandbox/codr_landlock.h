/*
 * The Landlock domain of a program: which files it may reach and how, even if
 * a mistake of the mount table showed it more.
 */

#ifndef CODR_LANDLOCK_H
#define CODR_LANDLOCK_H

#include <stdbool.h>
#include <stddef.h>

#define CODR_LANDLOCK_READ_MAX  80      /* paths that may be read */

typedef struct {
    int          abi;           /* 0: the kernel has none */
    bool         net;           /* no TCP: ABI 4 */
    bool         scope;         /* no signals, no abstract sockets out: 6 */
    size_t       nread;
    const char  *read[CODR_LANDLOCK_READ_MAX];
} codr_landlock_t;


/* The ABI of the running kernel; 0 without Landlock. */
int codr_landlock_abi(void);

/* What this kernel has, with the paths every sandbox has. */
void codr_landlock_init(codr_landlock_t *ret);

/* One more path to read and execute from; it is kept.  False: too many. */
bool codr_landlock_add(codr_landlock_t *landlock, const char *path);

/*
 * A ruleset for one program, in the mount namespace with its box: all rules but
 * that of its /proc.  A descriptor, or negative errno.
 */
int codr_landlock_begin(const codr_landlock_t *landlock);

/*
 * Puts the calling process into a domain of its own, with the rules that were
 * begun for it, or none, -1; needs no_new_privs, and the job's mounts to be
 * there.  0, or negative errno.
 */
int codr_landlock_restrict(const codr_landlock_t *landlock, int begun);

/*
 * Puts the calling process into a domain that allows nothing, and looks
 * whether it does: 0 when an open was refused, else negative errno.
 */
int codr_landlock_probe(void);

#endif /* CODR_LANDLOCK_H */
