/*
 * Counts by key: all keys of a job or none, no more than the maximum, nothing
 * left when all have ended.
 */

#include "tap.h"

#include <errno.h>

#include "../../sandbox/codr_quota.h"

static codr_quotas_t  quotas;


static codr_quota_t
quota(uint8_t first, uint8_t last, uint32_t max)
{
    codr_quota_t one = { .max = max };

    one.key[0] = first;
    one.key[CODR_QUOTA_KEY - 1] = last;
    return one;
}


static void
maximum_holds(void)
{
    codr_quota_t two = quota(1, 0, 2), three = quota(1, 0, 3);

    tap_number(codr_quota_take(&quotas, &two, 1), 0, "one");
    tap_number(codr_quota_take(&quotas, &two, 1), 0, "another");
    tap_number(codr_quota_take(&quotas, &two, 1), -EDQUOT, "but no third");
    tap_number(codr_quota_take(&quotas, &three, 1), 0,
               "who may have more gets more");
    tap_number((long) codr_quota_used(&quotas, two.key), 3, "all are counted");

    codr_quota_give(&quotas, &two, 1);
    codr_quota_give(&quotas, &two, 1);
    tap_number(codr_quota_take(&quotas, &two, 1), 0, "who ends makes room");
    codr_quota_give(&quotas, &two, 1);
    codr_quota_give(&quotas, &two, 1);
    tap_number((long) quotas.keys, 0, "nothing is left");
    codr_quota_give(&quotas, &two, 1);
    tap_number((long) quotas.keys, 0, "nor less than that");
}


static void
all_or_none(void)
{
    codr_quota_t some[3];

    some[0] = quota(1, 1, 5);
    some[1] = quota(1, 2, 1);           /* in the same list */
    some[2] = quota(9, 9, 0);

    tap_number(codr_quota_take(&quotas, some, 2), 0, "two keys");
    tap_number(codr_quota_take(&quotas, some, 2), -EDQUOT, "one is full");
    tap_number((long) codr_quota_used(&quotas, some[0].key), 1,
               "the other was not taken");
    tap_number(codr_quota_take(&quotas, some, 1), 0, "alone it can be");
    tap_number(codr_quota_take(&quotas, &some[2], 1), -EDQUOT,
               "none at all are allowed");
    tap_number((long) quotas.keys, 2, "which leaves no trace");

    codr_quota_give(&quotas, some, 2);
    codr_quota_give(&quotas, some, 1);
    tap_number((long) quotas.keys, 0, "nothing is left");
}


static void
many_keys(void)
{
    int          i, taken = 0;
    codr_quota_t one;

    for (i = 0; i < 5000; i++) {
        one = quota((uint8_t) i, (uint8_t) (i >> 8), 1);
        taken += codr_quota_take(&quotas, &one, 1) == 0;
    }
    tap_number(taken, 5000, "many keys");

    for (i = 0; i < 5000; i++) {
        one = quota((uint8_t) i, (uint8_t) (i >> 8), 1);
        codr_quota_give(&quotas, &one, 1);
    }
    tap_number((long) quotas.keys, 0, "all of them leave");
}


int
main(void)
{
    maximum_holds();
    all_or_none();
    many_keys();

    return tap_done();
}
