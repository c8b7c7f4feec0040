/*
 * What a job has to do with its policy.
 */

#ifndef CODR_INSPECTION_H
#define CODR_INSPECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "codr_review.h"

typedef struct {
    uint64_t        mode;           /* codr_policy_mode_t */
    uint64_t        level;          /* codr_policy_level_t */
    codr_review_t   review;
    bool            refused;
    uint8_t        *findings;       /* as fields, or NULL */
    size_t          findings_len;
} codr_inspection_t;

#endif /* CODR_INSPECTION_H */
