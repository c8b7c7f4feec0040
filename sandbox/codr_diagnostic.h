/*
 * A finding of the validator as people see it: lines, columns, the line of
 * the source, the message.  Pure; takes hostile bytes.
 */

#ifndef CODR_DIAGNOSTIC_H
#define CODR_DIAGNOSTIC_H

#include <stddef.h>
#include <stdint.h>

#include "codr_proto.h"

#define CODR_DIAGNOSTIC_FINDINGS    20      /* of one verdict */
#define CODR_DIAGNOSTIC_SNIPPET     240     /* bytes with the NUL */
#define CODR_DIAGNOSTIC_MESSAGE     600     /* bytes with the NUL */

/* A source and a range of its bytes, start <= end <= length. */
typedef struct {
    const char  *source;
    size_t       length;
    size_t       start;
    size_t       end;
} codr_range_t;


codr_position_t codr_diagnostic_position(const codr_range_t *range);

/* The line the range begins in, without its indentation; of a long one what
   is around the range. */
void codr_diagnostic_snippet(char ret[CODR_DIAGNOSTIC_SNIPPET],
    const codr_range_t *range);

/* The message; "%s" in it is the text of the range, cut. */
void codr_diagnostic_message(char ret[CODR_DIAGNOSTIC_MESSAGE],
    const char *message, const codr_range_t *range);

#endif /* CODR_DIAGNOSTIC_H */
