/*
 * Names of the levels of a policy, which are names of its files, too.
 */

#include "codr_level.h"

#include <stddef.h>
#include <string.h>

static const char *const levels[CODR_POLICY_LEVELS] = {
    [CODR_POLICY_LIGHT] = "light",
    [CODR_POLICY_STANDARD] = "standard",
    [CODR_POLICY_STRICT] = "strict",
};


const char *
codr_policy_level_name(unsigned level)
{
    return level < CODR_POLICY_LEVELS ? levels[level] : NULL;
}


codr_policy_level_t
codr_policy_level_find(const char *name)
{
    unsigned level;

    for (level = 0; level < CODR_POLICY_LEVELS; level++) {
        if (strcmp(levels[level], name) == 0) {
            break;
        }
    }

    return (codr_policy_level_t) level;
}
