/*
 * Paths and places of a configuration, as nginx's module and the helper's file
 * judge them.
 */

#include "tap.h"

#include <string.h>

#include "../../sandbox/codr_place.h"

static const struct {
    const char  *path;
    bool         valid;
    bool         reserved;
} cases[] = {
    { "/srv/data", true, false },
    { "/srv/..data", true, false },
    { "/srv/data..", true, false },
    { "/a/../b", false, false },
    { "/..", false, false },
    { "srv", false, false },
    { "", false, true },
    { "/srv:/data", false, false },
    { "/", true, true },
    { "//", true, true },
    { "/box", true, true },
    { "/box/", true, true },
    { "/box/x", true, true },
    { "/boxes", true, false },
    { "/proc/self", true, true },
    { "/etc", true, true },
    { "/etc//", true, true },
    { "/etc/hosts", true, false },
    { "/usr/share/data", true, false },
};


int
main(void)
{
    char   longest[CODR_PLACE_MAX + 1];
    size_t i;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        tap_ok(codr_place_valid(cases[i].path, strlen(cases[i].path))
               == cases[i].valid, "the form of a path");
        tap_ok(codr_place_reserved(cases[i].path, strlen(cases[i].path))
               == cases[i].reserved, cases[i].path);
    }

    tap_ok(!codr_place_valid("/srv\0/x", 7), "no NUL");
    memset(longest, '/', sizeof(longest));
    tap_ok(codr_place_valid(longest, CODR_PLACE_MAX), "as long as may be");
    tap_ok(!codr_place_valid(longest, sizeof(longest)), "no longer");

    return tap_done();
}
