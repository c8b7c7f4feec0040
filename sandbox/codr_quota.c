/*
 * Counts by key.  Runs in the broker; pure but for malloc.  A key exists as
 * long as somebody counts.
 */

#include "codr_quota.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>


struct codr_quota_count_s {
    codr_quota_count_t  *next;
    uint64_t             used;
    uint8_t              key[CODR_QUOTA_KEY];
};


/* Keys are digests: any of their bytes will do. */
static size_t
list_of(const uint8_t key[CODR_QUOTA_KEY])
{
    return (key[0] | (size_t) key[1] << 8) % CODR_QUOTA_LISTS;
}


/* The link that leads to a key's count, or the one at the end of its list. */
static codr_quota_count_t **
find(codr_quotas_t *quotas, const uint8_t key[CODR_QUOTA_KEY])
{
    codr_quota_count_t **place = &quotas->list[list_of(key)];

    while (*place && memcmp((*place)->key, key, CODR_QUOTA_KEY) != 0) {
        place = &(*place)->next;
    }

    return place;
}


uint64_t
codr_quota_used(const codr_quotas_t *quotas, const uint8_t key[CODR_QUOTA_KEY])
{
    const codr_quota_count_t *one = quotas->list[list_of(key)];

    while (one && memcmp(one->key, key, CODR_QUOTA_KEY) != 0) {
        one = one->next;
    }

    return one ? one->used : 0;
}


static int
take_one(codr_quotas_t *quotas, const codr_quota_t *quota)
{
    codr_quota_count_t **place = find(quotas, quota->key);

    if (*place == NULL) {
        if (quota->max == 0) {
            return -EDQUOT;
        }
        *place = calloc(1, sizeof(**place));
        if (*place == NULL) {
            return -ENOMEM;
        }
        memcpy((*place)->key, quota->key, CODR_QUOTA_KEY);
        quotas->keys++;
    }

    if ((*place)->used >= quota->max) {
        return -EDQUOT;
    }

    (*place)->used++;
    return 0;
}


int
codr_quota_take(codr_quotas_t *quotas, const codr_quota_t *quota, size_t count)
{
    int    result = 0;
    size_t i;

    for (i = 0; i < count && result == 0; i++) {
        result = take_one(quotas, &quota[i]);
    }

    if (result < 0) {
        codr_quota_give(quotas, quota, i - 1);
    }

    return result;
}


void
codr_quota_give(codr_quotas_t *quotas, const codr_quota_t *quota, size_t count)
{
    size_t               i;
    codr_quota_count_t  *one, **place;

    for (i = 0; i < count; i++) {
        place = find(quotas, quota[i].key);
        one = *place;

        if (one && --one->used == 0) {
            *place = one->next;
            quotas->keys--;
            free(one);
        }
    }
}
