/*
 * Paths of a configuration.  Pure.
 */

#include "codr_place.h"

#include <string.h>

static const struct {
    const char  *path;
    bool         below;         /* so is all below it */
} places[] = {
    { "/box", true }, { "/dev", true }, { "/proc", true }, { "/sys", true },
    { "/tmp", true }, { "/etc", false }, { "/usr", false },
};


bool
codr_place_valid(const char *path, size_t len)
{
    size_t i;

    if (len == 0 || len > CODR_PLACE_MAX || path[0] != '/'
        || memchr(path, ':', len) || memchr(path, '\0', len))
    {
        return false;
    }

    for (i = 0; i + 3 <= len; i++) {
        if (memcmp(path + i, "/..", 3) == 0
            && (i + 3 == len || path[i + 3] == '/'))
        {
            return false;
        }
    }

    return true;
}


bool
codr_place_reserved(const char *path, size_t len)
{
    size_t i, n;

    while (len > 0 && path[len - 1] == '/') {
        len--;
    }

    for (i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        n = strlen(places[i].path);
        if (len >= n && memcmp(path, places[i].path, n) == 0
            && (len == n || (places[i].below && path[n] == '/')))
        {
            return true;
        }
    }

    return len == 0;
}
