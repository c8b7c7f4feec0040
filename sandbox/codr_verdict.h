/*
 * Why a program ended, from what spawner, init and broker know; nothing the
 * program could write takes part in it.
 */

#ifndef CODR_VERDICT_H
#define CODR_VERDICT_H

#include <stdbool.h>

#include "codr_proto.h"
#include "codr_sandbox.h"

typedef struct {
    codr_status_t  status;
    int64_t        exit_code;   /* the program's, or minus the signal */
    int            signo;       /* 0 = not ended by a signal */
} codr_verdict_t;


codr_verdict_t codr_verdict(const codr_sandbox_end_t *end);

/* Whether the kernel refused to execute it because of what it is; whatever
   else stops an exec is not its fault. */
bool codr_verdict_no_program(const codr_sandbox_end_t *end);

#endif /* CODR_VERDICT_H */
