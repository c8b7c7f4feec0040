/*
 * How many jobs each of many keys has: who may have no more of them.
 *
 * What a key stands for nobody here knows: workers make it of the directive
 * and its value by hashing.
 */

#ifndef CODR_QUOTA_H
#define CODR_QUOTA_H

#include <stddef.h>
#include <stdint.h>

#include "codr_proto.h"

#define CODR_QUOTA_LISTS    1024

typedef struct codr_quota_count_s codr_quota_count_t;

typedef struct {
    uint8_t   key[CODR_QUOTA_KEY];
    uint32_t  max;
} codr_quota_t;

/* Zeroed is empty. */
typedef struct {
    codr_quota_count_t  *list[CODR_QUOTA_LISTS];
    size_t               keys;
} codr_quotas_t;


/* Counts one more for each of the keys, or for none: 0, -EDQUOT when one of
   them has its maximum, or -ENOMEM. */
int codr_quota_take(codr_quotas_t *quotas, const codr_quota_t *quota,
    size_t count);

/* One less for each, which has been taken. */
void codr_quota_give(codr_quotas_t *quotas, const codr_quota_t *quota,
    size_t count);

/* How many a key has. */
uint64_t codr_quota_used(const codr_quotas_t *quotas,
    const uint8_t key[CODR_QUOTA_KEY]);

#endif /* CODR_QUOTA_H */
