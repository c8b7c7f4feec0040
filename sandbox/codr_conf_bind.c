/*
 * What of the host a configuration file shows to sandboxes.  Runs in the
 * supervisor.
 */

#define _GNU_SOURCE

#include "codr_conf_bind.h"

#include <stdio.h>
#include <string.h>

#include "codr_place.h"
#include "codr_proto.h"


/* Every job gets the binds of all languages, so that no two of them may want
   the same place.  Each is kept as "PATH:AT". */
static bool
place_is_free(codr_conf_parser_t *parser, const char *path, const char *at)
{
    size_t      i;
    char        pair[2 * CODR_PLACE_MAX + 2];
    const char *other, *colon;

    (void) snprintf(pair, sizeof(pair), "%s:%s", path, at);

    for (i = 0; i < parser->binds.count; i++) {
        other = parser->binds.item[i];
        colon = strchr(other, ':');
        if (strcmp(colon + 1, at) == 0 && strcmp(other, pair) != 0) {
            return codr_conf_fail(parser, "\"%s\" and \"%.*s\" are both bound"
                                  " to \"%s\"", path, (int) (colon - other),
                                  other, at);
        }
    }

    return codr_list_add(&parser->binds, pair, strlen(pair)) == 0
           || codr_conf_fail(parser, "too many binds");
}


bool
codr_conf_take_bind(codr_conf_parser_t *parser, const codr_conf_row_t *row,
    const codr_list_t *words)
{
    int            n;
    size_t         i;
    char           key[CODR_PLACE_MAX + 8], pair[2 * CODR_PLACE_MAX + 2];
    const char    *path = words->item[1];
    const char    *at = words->item[words->count - 1];
    codr_writer_t *piece = &parser->piece[parser->in_language
                                          ? CODR_CONF_LANGUAGES
                                          : CODR_CONF_LOCATION];

    for (i = 1; i < words->count; i++) {
        if (!codr_place_valid(words->item[i], strlen(words->item[i]))) {
            return codr_conf_invalid(parser, words, i);
        }
    }
    if (codr_place_reserved(at, strlen(at))) {
        return codr_conf_fail(parser, "\"%s\" in \"%s\" belongs to the"
                              " sandbox", at, words->item[0]);
    }

    (void) snprintf(key, sizeof(key), "bind %s", at);
    if (!codr_conf_once(parser, words, key)
        || !place_is_free(parser, path, at))
    {
        return false;
    }

    n = snprintf(pair, sizeof(pair), "%s%c%s", path, '\0', at);
    codr_put_bytes(piece, row->id, pair, (size_t) n);
    return true;
}
