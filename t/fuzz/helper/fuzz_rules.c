/*
 * The table of rules, from a validator that may have been taken over: every
 * text in it ends, and every language in it is found.
 */

#define _GNU_SOURCE

#include <sys/mman.h>
#include <unistd.h>

#include "../../../sandbox/codr_io.h"
#include "../../../sandbox/codr_rules.h"

#include "../fuzz.h"


static void
check(const codr_rules_t *rules)
{
    int     n;
    size_t  i;

    for (i = 0; i < rules->languages; i++) {
        n = codr_rules_language(rules, rules->language[i]);
        must(n >= 0 && (size_t) n <= i);
        must(strcmp(rules->language[n], rules->language[i]) == 0);
    }

    for (i = 0; i < rules->rules; i++) {
        must(strlen(rules->rule[i].id) + strlen(rules->rule[i].message)
             + strlen(rules->rule[i].severity) > 0);
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int            fd = memfd_create("fuzz", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    codr_rules_t  *rules = NULL;

    must(fd >= 0 && codr_io_write_all(fd, data, size) == 0
         && codr_io_seal(fd) == 0);

    if (codr_rules_read(&rules, fd) == 0) {
        check(rules);
        codr_rules_unref(rules);
    } else {
        must(rules == NULL);
    }

    (void) close(fd);

    return 0;
}
