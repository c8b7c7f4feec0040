/*
 * Children of the spawner that have ended before it was told whose they are:
 * the init that a zygote has cloned may be gone when the zygote says so.
 */

#ifndef CODR_EARLY_H
#define CODR_EARLY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

#define CODR_EARLY_MAX  16

typedef struct {
    pid_t          pid;         /* 0: nobody */
    int            wait_status;
    struct rusage  rusage;
} codr_early_end_t;

typedef struct {
    unsigned          next;
    codr_early_end_t  end[CODR_EARLY_MAX];
} codr_early_t;


/* The oldest makes room. */
void codr_early_add(codr_early_t *early, pid_t pid, int wait_status,
    const struct rusage *rusage);

bool codr_early_has(const codr_early_t *early, pid_t pid);

/* How that one has ended; false when it is not among them. */
bool codr_early_take(codr_early_t *early, pid_t pid, codr_early_end_t *ret);

/* Whose they are, nobody is going to say. */
void codr_early_forget(codr_early_t *early);

#endif /* CODR_EARLY_H */
