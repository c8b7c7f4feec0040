/*
 * What of the host a configuration file shows to sandboxes.  Only the form of
 * a path is judged, as by nginx's module: whether it exists is found when a
 * sandbox is made.  Runs in the supervisor.
 */

#define _GNU_SOURCE

#include "codr_conf_bind.h"

#include <stdio.h>
#include <string.h>

#include "codr_proto.h"
#include "codr_util.h"

#define PATH_LENGTH     1000


bool
codr_conf_is_path(const char *text)
{
    const char *dots = text;

    if (text[0] != '/' || strlen(text) > PATH_LENGTH || strchr(text, ':')) {
        return false;
    }

    while ((dots = strstr(dots, "/..")) != NULL) {
        dots += 3;
        if (*dots == '/' || *dots == '\0') {
            return false;
        }
    }

    return true;
}


/* Places that belong to the sandbox itself: a bind there would be hidden by
   it, or replace it. */
static bool
reserved(const char *at)
{
    size_t i, n, len = strlen(at);

    static const struct {
        const char  *path;
        bool         below;
    } places[] = {
        { "/box", true }, { "/dev", true }, { "/proc", true },
        { "/sys", true }, { "/tmp", true }, { "/etc", false },
        { "/usr", false },
    };

    while (len > 0 && at[len - 1] == '/') {
        len--;
    }

    for (i = 0; i < CODR_ARRAY_LEN(places); i++) {
        n = strlen(places[i].path);
        if (len >= n && strncmp(at, places[i].path, n) == 0
            && (len == n || (places[i].below && at[n] == '/')))
        {
            return true;
        }
    }

    return len == 0;
}


/* Every job gets the binds of all languages, so that no two of them may want
   the same place.  Each is kept as "PATH:AT". */
static bool
place_is_free(codr_conf_parser_t *parser, const char *path, const char *at)
{
    size_t      i;
    char        pair[2 * PATH_LENGTH + 2];
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
    char           key[PATH_LENGTH + 8], pair[2 * PATH_LENGTH + 2];
    const char    *path = words->item[1];
    const char    *at = words->item[words->count - 1];
    codr_writer_t *piece = &parser->piece[parser->in_language
                                          ? CODR_CONF_LANGUAGES
                                          : CODR_CONF_LOCATION];

    for (i = 1; i < words->count; i++) {
        if (!codr_conf_is_path(words->item[i])) {
            return codr_conf_invalid(parser, words, i);
        }
    }
    if (reserved(at)) {
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
