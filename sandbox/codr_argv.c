/*
 * Command lines of roles.  Runs in the supervisor.
 */

#include "codr_argv.h"

#include <stdio.h>
#include <string.h>


int
codr_argv_add(codr_list_t *list, const char *first, const char *second)
{
    int result = codr_list_add(list, first, strlen(first));

    if (result == 0 && second) {
        result = codr_list_add(list, second, strlen(second));
    }

    return result;
}


int
codr_argv_number(codr_list_t *list, const char *option, uint64_t number)
{
    char text[32];

    (void) snprintf(text, sizeof(text), "%llu", (unsigned long long) number);
    return codr_argv_add(list, option, text);
}


int
codr_argv_uids(codr_list_t *list, const codr_settings_t *settings)
{
    char text[32];

    (void) snprintf(text, sizeof(text), "%u:%u", settings->uid_base,
                    settings->uid_count);
    return codr_argv_add(list, "--uids", text);
}


bool
codr_argv_same(const codr_list_t *a, const codr_list_t *b)
{
    size_t i;

    for (i = 0; i < a->count && i < b->count; i++) {
        if (strcmp(a->item[i], b->item[i]) != 0) {
            return false;
        }
    }

    return a->count == b->count;
}
