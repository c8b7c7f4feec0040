/*
 * The system calls of a processor, and what a job may do with them.  One table
 * file per processor; this header is what they have in common.
 */

#ifndef CODR_SYSCALLS_H
#define CODR_SYSCALLS_H

#include <stddef.h>
#include <stdint.h>

typedef enum {
    CODR_SYSCALL_ALLOW = 0,
    CODR_SYSCALL_REFUSE,        /* EPERM: known, and not for a job */
    CODR_SYSCALL_ABSENT,        /* ENOSYS: as if the kernel had none, where
                                   programs fall back only then */
    CODR_SYSCALL_PRETEND,       /* 0, and nothing is done: what it asks for
                                   means nothing on a tmpfs and much to the
                                   host's disk or cache */

    /* the same, but from init on: the spawner makes sandboxes with it */
    CODR_SYSCALL_REFUSE_LATE,
    CODR_SYSCALL_ABSENT_LATE
} codr_syscall_action_t;

typedef struct {
    const char             *name;
    codr_syscall_action_t   action;
    const char             *reason;
} codr_syscall_t;

/*
 * Arguments that make an allowed call a refused one.  All conditions must
 * hold; a mask of zero ends the list early.  Kernel and filter see different
 * halves of an int passed in a 64-bit register, so EQUAL compares under a
 * mask of the bits the kernel looks at, and ABOVE takes all 64, which refuses
 * more than the kernel would.
 */
typedef enum {
    CODR_ARGUMENT_EQUAL = 0,    /* (argument & mask) == value */
    CODR_ARGUMENT_ABOVE         /* argument > value; mask is ~0 */
} codr_argument_op_t;

typedef struct {
    unsigned            number;
    codr_argument_op_t  op;
    uint64_t            mask;
    uint64_t            value;
} codr_argument_t;

#define CODR_ARGUMENTS_MAX      3

typedef struct {
    const char      *name;
    codr_argument_t  argument[CODR_ARGUMENTS_MAX];
    int              error;
    const char      *reason;
} codr_syscall_rule_t;


/* Calls in neither table row answer ENOSYS: they are newer than this list. */
extern const codr_syscall_t codr_syscalls[];
extern const size_t codr_syscalls_count;

extern const codr_syscall_rule_t codr_syscall_rules[];
extern const size_t codr_syscall_rules_count;

#endif /* CODR_SYSCALLS_H */
