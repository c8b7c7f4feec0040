/*
 * The ranges of the supervisor's settings.  Pure.
 */

#include "codr_settings.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "codr_slot.h"
#include "codr_uid.h"

#define UID_MIN         1000    /* below are the system's own users */
#define UID_OVERFLOW    65534   /* who has no other uid in a namespace */
#define UID_MAX         0xfffffffeU     /* -1 means "unchanged" */


static bool
contains(uint64_t base, uint64_t count, uint64_t uid)
{
    return base <= uid && uid - base < count;
}


int
codr_settings_uids(codr_settings_t *settings, const char *text)
{
    char              *end;
    unsigned long long base, count = CODR_UID_COUNT;

    if (*text < '0' || *text > '9') {
        return -EINVAL;
    }
    base = strtoull(text, &end, 10);

    if (*end == ':') {
        if (end[1] < '0' || end[1] > '9') {
            return -EINVAL;
        }
        count = strtoull(end + 1, &end, 10);
    }

    /* the first is the broker's, so a job needs a second */
    if (*end != '\0' || base < UID_MIN || base > UID_MAX || count < 2
        || count > CODR_SLOTS_MAX || count > UID_MAX - base
        || contains(base, count, UID_OVERFLOW))
    {
        return -EINVAL;
    }

    settings->uid_base = (uint32_t) base;
    settings->uid_count = (uint32_t) count;
    return 0;
}
