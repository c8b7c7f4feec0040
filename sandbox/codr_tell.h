/*
 * What the supervisor tells the broker.
 */

#ifndef CODR_TELL_H
#define CODR_TELL_H

#include <stdint.h>

#include "codr_ipc.h"
#include "codr_relative.h"

/* One message, with a descriptor unless that is -1, which stays the caller's.
   0, or negative errno: the broker is gone, whether that was noticed or not. */
int codr_tell(const codr_relative_t *broker, codr_control_kind_t kind,
    uint64_t generation, int fd);

/* A cause, which is logged, too. */
void codr_tell_cause(const codr_relative_t *broker, codr_control_kind_t kind,
    const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif /* CODR_TELL_H */
