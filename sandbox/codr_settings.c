/*
 * The ranges of the supervisor's settings.  Pure.
 */

#include "codr_settings.h"

#include <errno.h>
#include <stdlib.h>

#include "codr_slot.h"
#include "codr_uid.h"

#define UID_MAX 0xfffffffeU     /* -1 means "unchanged" to the kernel */


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

    /* the first is the broker's, so a job needs a second; and none is root */
    if (*end != '\0' || base == 0 || base > UID_MAX || count < 2
        || count > CODR_SLOTS_MAX || count > UID_MAX - base)
    {
        return -EINVAL;
    }

    settings->uid_base = (uint32_t) base;
    settings->uid_count = (uint32_t) count;
    return 0;
}
