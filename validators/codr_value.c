/*
 * Paths of values, in one spelling.  Runs in the validator's children.
 */

#include "codr_value.h"

#include <string.h>

#include "codr_listing.h"
#include "codr_name.h"

#define REWRITES    8           /* of one path */


/* FROM => TO where the path begins with the parts of FROM. */
static bool
rewrite(char path[CODR_NAME_SIZE], const codr_query_rewrite_t *row)
{
    char        copy[CODR_NAME_SIZE];
    size_t      len = strlen(row->from);
    const char *rest = path + len;

    if (strncmp(path, row->from, len) != 0
        || (*rest != '\0' && *rest != '.'))
    {
        return false;
    }
    if (*rest == '\0' && row->to[0] == '\0') {
        return false;                   /* alone it stays what it is */
    }

    rest += row->to[0] == '\0';
    memcpy(copy, rest, strlen(rest) + 1);
    return codr_name_join(path, CODR_NAME_SIZE, row->to, "", copy);
}


static void
rewrite_all(const codr_check_t *check, char path[CODR_NAME_SIZE])
{
    size_t              i;
    unsigned            n;
    const codr_query_t *bindings = check->policy->bindings;

    for (n = 0; n < REWRITES; n++) {
        for (i = 0; i < bindings->rewrites; i++) {
            if (rewrite(path, &bindings->rewrite[i])) {
                break;
            }
        }
        if (i == bindings->rewrites) {
            return;
        }
    }
}


static bool
has(const codr_value_t *value, const char *path)
{
    uint32_t i;

    for (i = 0; i < value->paths; i++) {
        if (strcmp(value->path[i], path) == 0) {
            return true;
        }
    }

    return false;
}


/* Takes a path in one spelling. */
static void
add(codr_check_t *check, codr_value_t *value, char path[CODR_NAME_SIZE])
{
    size_t       len;
    codr_listed_t *copy;

    rewrite_all(check, path);
    if (value->paths == CODR_VALUE_PATHS || has(value, path)) {
        return;
    }

    len = strlen(path);
    copy = codr_arena_room(&check->arena, sizeof(*copy) + len + 1);
    if (copy == NULL) {
        check->budget->over = true;
        return;
    }

    codr_listed_read(copy, path, len);
    memcpy(copy->text, path, len + 1);
    value->path[value->paths++] = copy->text;
}


void
codr_value_add(codr_check_t *check, codr_value_t *value, const char *path,
    size_t len)
{
    char folded[CODR_NAME_SIZE];

    if (codr_name_fold(folded, path, len, check->budget) > 0) {
        add(check, value, folded);
    }
}


void
codr_value_add_module(codr_check_t *check, codr_value_t *value,
    const char *name, size_t len)
{
    size_t            i, n;
    char              path[CODR_NAME_SIZE];
    const codr_list_t *strip = &check->policy->bindings->strip;

    for (i = 0; i < strip->count; i++) {
        n = strlen(strip->item[i]);
        if (n < len && memcmp(name, strip->item[i], n) == 0) {
            name += n;
            len -= n;
        }
    }

    if (len > 0 && len < sizeof(path) && memchr(name, '\0', len) == NULL) {
        memcpy(path, name, len);
        path[len] = '\0';
        add(check, value, path);
    }
}


void
codr_value_join(codr_check_t *check, codr_value_t *value, const char *object,
    const char *name)
{
    char path[CODR_NAME_SIZE];

    if (codr_name_join(path, sizeof(path), object, ".", name)) {
        add(check, value, path);
    }
}


void
codr_value_call(codr_check_t *check, codr_value_t *value,
    const char *function)
{
    char path[CODR_NAME_SIZE];

    if (codr_name_join(path, sizeof(path), function, "", "()")) {
        add(check, value, path);
    }
}


void
codr_value_add_all(codr_value_t *value, const codr_value_t *other)
{
    uint32_t i;

    for (i = 0; i < other->paths && value->paths < CODR_VALUE_PATHS; i++) {
        if (!has(value, other->path[i])) {
            value->path[value->paths++] = other->path[i];
        }
    }
}


/* A constant as one part of a path: dots in it separate nothing. */
static void
part_of(char ret[CODR_NAME_SIZE], const codr_value_t *key)
{
    size_t i;

    if (key->text == NULL || key->length == 0
        || key->length >= CODR_NAME_SIZE)
    {
        memcpy(ret, "?", 2);
        return;
    }

    for (i = 0; i < key->length; i++) {
        ret[i] = key->text[i] == '.' || key->text[i] == '\0' ? '_'
                                                             : key->text[i];
    }
    ret[i] = '\0';
}


bool
codr_value_member(codr_check_t *check, const codr_match_t *match,
    codr_role_t name, codr_role_t key, char ret[])
{
    uint32_t           node = codr_match_node(match, name, 0);
    const codr_node_t *row;

    if (node != CODR_NO_NODE) {
        row = &check->tree.node[node];
        return codr_name_fold(ret, check->tree.text.text + row->start,
                              row->end - row->start, check->budget) > 0;
    }

    node = codr_match_node(match, key, 0);
    if (node == CODR_NO_NODE) {
        return false;
    }

    part_of(ret, codr_resolve(check, node));
    return true;
}
