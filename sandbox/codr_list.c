/*
 * Lists of owned strings.  Used by the supervisor and the broker for what the
 * configuration names; never logs.
 */

#include "codr_list.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>


int
codr_list_add(codr_list_t *list, const void *data, size_t len)
{
    char  *copy;
    char **item;

    if (list->count >= CODR_LIST_MAX) {
        return -E2BIG;
    }

    copy = malloc(len + 1);
    if (copy == NULL) {
        return -ENOMEM;
    }

    item = realloc(list->item, (list->count + 2) * sizeof(char *));
    if (item == NULL) {
        free(copy);
        return -ENOMEM;
    }

    if (len > 0) {
        memcpy(copy, data, len);
    }
    copy[len] = '\0';

    item[list->count++] = copy;
    item[list->count] = NULL;
    list->item = item;
    return 0;
}


bool
codr_list_has(const codr_list_t *list, const char *text)
{
    size_t i;

    for (i = 0; i < list->count; i++) {
        if (strcmp(list->item[i], text) == 0) {
            return true;
        }
    }

    return false;
}


void
codr_list_free(codr_list_t *list)
{
    while (list->count > 0) {
        free(list->item[--list->count]);
    }

    free(list->item);
    list->item = NULL;
}
