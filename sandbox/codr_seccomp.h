/*
 * The system call filter of a job: init and everything below it.
 */

#ifndef CODR_SECCOMP_H
#define CODR_SECCOMP_H

#include <linux/filter.h>

/*
 * Three programs; the kernel obeys the strictest answer.  Two the spawner lives
 * under itself, so that every job has them for nothing: numbers, the allow
 * list with the few calls that making a sandbox takes, and arguments.  The
 * third is small, and takes those few calls away from a job.
 */
typedef struct {
    struct sock_fprog  numbers;
    struct sock_fprog  arguments;
    struct sock_fprog  late;
    int                late_fd;     /* the same as a file */
} codr_seccomp_t;


/*
 * Compiles the tables of codr_syscalls.h, once, in the spawner.  0, or negative
 * errno.
 */
int codr_seccomp_compile(codr_seccomp_t *ret);

/* A program from such a file.  0, or negative errno. */
int codr_seccomp_map(int fd, struct sock_fprog *ret);

/* Gives up what is loaded once; what is left is for init. */
void codr_seccomp_forget(codr_seccomp_t *seccomp);

void codr_seccomp_free(codr_seccomp_t *seccomp);

/*
 * Filter the calling process and what it will start: the spawner first, then
 * init, which needs the spawner's in force.  Both need no_new_privs.  0, or
 * negative errno.
 */
int codr_seccomp_load_spawner(const codr_seccomp_t *seccomp);
int codr_seccomp_load_init(const codr_seccomp_t *seccomp);

#endif /* CODR_SECCOMP_H */
