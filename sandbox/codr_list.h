/*
 * A list of owned strings, NULL-terminated so that it can be an argv.
 */

#ifndef CODR_LIST_H
#define CODR_LIST_H

#include <stdbool.h>
#include <stddef.h>

#define CODR_LIST_MAX   1024    /* strings in one list */

typedef struct {
    char   **item;              /* NULL while count is 0 */
    size_t   count;
} codr_list_t;


/* Appends a copy of len bytes and a NUL.  0, -ENOMEM, or -E2BIG when the list
   is full. */
int codr_list_add(codr_list_t *list, const void *data, size_t len);

bool codr_list_has(const codr_list_t *list, const char *text);

/* Leaves an empty list; accepts one. */
void codr_list_free(codr_list_t *list);

#endif /* CODR_LIST_H */
