/*
 * Reads the configuration of a helper that nginx does not start, and encodes
 * it exactly as nginx's module encodes its own.  Runs in the supervisor; the
 * file is the operator's, so mistakes are explained, not survived.
 */

#define _GNU_SOURCE

#include "codr_conf_file.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "codr_conf_lex.h"
#include "codr_conf_rows.h"
#include "codr_config.h"
#include "codr_io.h"
#include "codr_proto.h"
#include "codr_user.h"
#include "codr_util.h"

#define FILE_MAX        (1024 * 1024)
#define INCLUDES_MAX    8               /* deep */

typedef codr_conf_parser_t  parser_t;
typedef codr_conf_row_t     row_t;


static bool parse_file(parser_t *parser, const char *path);
static bool parse_block(parser_t *parser, unsigned where,
    codr_conf_token_t last);


bool
codr_conf_fail(parser_t *parser, const char *format, ...)
{
    int     n;
    va_list args;

    if (parser->lexer) {
        n = snprintf(parser->error, CODR_CONF_ERROR_MAX, "%s:%u: ",
                     parser->name, parser->lexer->line);
    } else {
        n = snprintf(parser->error, CODR_CONF_ERROR_MAX, "%s: ",
                     parser->name);
    }

    if (n > 0 && n < CODR_CONF_ERROR_MAX) {
        va_start(args, format);
        (void) vsnprintf(parser->error + n, CODR_CONF_ERROR_MAX - (size_t) n,
                         format, args);
        va_end(args);
    }

    return false;
}


bool
codr_conf_language_block(parser_t *parser)
{
    bool ok;

    parser->in_language = true;
    ok = parse_block(parser, CODR_CONF_LANGUAGE, CODR_CONF_CLOSE);
    parser->in_language = false;
    return ok;
}


static bool
include_one(parser_t *parser, const char *path)
{
    bool               ok;
    const char        *name = parser->name;
    codr_conf_lexer_t *lexer = parser->lexer;

    if (parser->depth >= INCLUDES_MAX) {
        return codr_conf_fail(parser, "too many includes inside each other");
    }

    parser->depth++;
    ok = parse_file(parser, path);
    parser->depth--;
    parser->lexer = lexer;
    parser->name = name;
    return ok;
}


/* A pattern may match nothing; a name has to be there, as in nginx. */
bool
codr_conf_take_include(parser_t *parser, const row_t *row,
    const codr_list_t *words)
{
    int         dir_len;
    bool        ok = true;
    char        pattern[4096];
    glob_t      found;
    size_t      i;
    const char *slash = strrchr(parser->name, '/');

    (void) row;
    dir_len = words->item[1][0] == '/' || slash == NULL
              ? 0 : (int) (slash - parser->name) + 1;
    (void) snprintf(pattern, sizeof(pattern), "%.*s%s", dir_len, parser->name,
                    words->item[1]);

    if (strpbrk(pattern, "*?[") == NULL) {
        return include_one(parser, pattern);
    }

    if (glob(pattern, 0, NULL, &found) != 0) {
        return true;
    }
    for (i = 0; ok && i < found.gl_pathc; i++) {
        ok = include_one(parser, found.gl_pathv[i]);
    }
    globfree(&found);
    return ok;
}


static bool
take_directive(parser_t *parser, unsigned where, codr_conf_token_t token,
    const codr_list_t *words)
{
    bool         block = token == CODR_CONF_BLOCK;
    const row_t *row = codr_conf_row(words->item[0], where);

    if (row == NULL) {
        return codr_conf_fail(parser, "unknown directive \"%s\"",
                              words->item[0]);
    }
    if (block != ((row->where & CODR_CONF_OPENS) != 0)) {
        return codr_conf_fail(parser, block
                              ? "directive \"%s\" has no block"
                              : "directive \"%s\" has no opening \"{\"",
                              words->item[0]);
    }
    if (words->count - 1 < row->min || words->count - 1 > row->max) {
        return codr_conf_fail(parser, "invalid number of arguments in \"%s\"",
                              words->item[0]);
    }

    return ((row->where & CODR_CONF_MANY)
            || codr_conf_once(parser, words, row->name))
           && row->take(parser, row, words);
}


static bool
parse_block(parser_t *parser, unsigned where, codr_conf_token_t last)
{
    bool              ok = true;
    unsigned          line = parser->lexer->line;
    codr_list_t       words = { NULL, 0 };
    codr_conf_token_t token = CODR_CONF_SIMPLE;

    while (ok) {
        token = codr_conf_lex(parser->lexer, &words);
        if (token != CODR_CONF_SIMPLE && token != CODR_CONF_BLOCK) {
            break;
        }
        ok = take_directive(parser, where, token, &words);
    }
    codr_list_free(&words);

    if (!ok || token == last) {
        return ok;
    }
    if (token == CODR_CONF_CLOSE) {
        return codr_conf_fail(parser, "unexpected \"}\"");
    }
    if (token == CODR_CONF_END) {
        return codr_conf_fail(parser, "the block of line %u is not closed",
                              line);
    }

    return codr_conf_fail(parser, "%s", parser->lexer->what);
}


static bool
parse_file(parser_t *parser, const char *path)
{
    int                      fd;
    bool                     ok;
    ssize_t                  len = -ENOMEM;
    codr_conf_lexer_t        lexer;
    codr_cleanup_free char  *text = malloc(FILE_MAX);

    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd == -1) {
        len = -errno;
    } else if (text) {
        len = codr_io_read_text(fd, text, FILE_MAX);
    }
    codr_close(&fd);

    if (len < 0) {
        return codr_conf_fail(parser, "open \"%s\": %s", path,
                              strerror((int) -len));
    }

    codr_conf_lex_init(&lexer, text, (size_t) len);
    parser->lexer = &lexer;
    parser->name = path;

    ok = parse_block(parser, parser->in_language ? CODR_CONF_LANGUAGE
                                                 : CODR_CONF_TOP,
                     CODR_CONF_END);
    parser->lexer = NULL;
    return ok;
}


/* Who connects when the file does not say: Debian's nginx. */
static void
default_peer(parser_t *parser)
{
    uid_t uid;
    gid_t gid;

    if (parser->file->group == (gid_t) -1
        && codr_user_find("www-data", &uid, &gid) == 0)
    {
        parser->file->group = gid;
        codr_put_number(&parser->piece[CODR_CONF_GLOBALS], CODR_FIELD_PEER,
                        uid);
    }
}


/* Whoever has the broker's uid could be it: who connects has another one. */
static bool
apart(parser_t *parser, const codr_config_t *config)
{
    uid_t       uid;
    gid_t       gid;
    size_t      i;
    const char *user = parser->file->settings.user;

    if (user == NULL || codr_user_find(user, &uid, &gid) != 0) {
        return true;
    }

    for (i = 0; i < config->peers; i++) {
        if (config->peer[i] == uid) {
            return codr_conf_fail(parser, "\"codr_user\" is one of"
                                  " \"codr_peer\"");
        }
    }

    return true;
}


/* The pieces in their order, and what only the decoder can see. */
static bool
join(parser_t *parser)
{
    bool              ok;
    size_t            i, len;
    uint8_t          *image = malloc(CODR_CONFIG_MAX);
    codr_config_t    *config;
    codr_conf_file_t *file = parser->file;

    file->image = image;
    if (image == NULL) {
        return codr_conf_fail(parser, "out of memory");
    }

    for (i = 0; i < CODR_CONF_PIECES; i++) {
        len = (size_t) (parser->piece[i].pos - parser->piece[i].start);
        if (parser->piece[i].failed || len > CODR_CONFIG_MAX - file->length) {
            return codr_conf_fail(parser, "the configuration is too large");
        }
        memcpy(image + file->length, parser->piece[i].start, len);
        file->length += len;
    }

    if (codr_config_decode(&config, image, file->length, 0) < 0) {
        return codr_conf_fail(parser, "the helper cannot read what it says");
    }

    ok = apart(parser, config);
    codr_config_unref(config);
    return ok;
}


int
codr_conf_file_read(codr_conf_file_t *ret, const char *path,
    char error[CODR_CONF_ERROR_MAX])
{
    bool      ok;
    size_t    i;
    uint8_t  *room = malloc((size_t) CODR_CONF_PIECES * CODR_CONFIG_MAX);
    parser_t parser = {
        .file = ret, .name = path, .error = error,
    };

    *ret = (codr_conf_file_t) { .group = (gid_t) -1 };

    if (room == NULL) {
        (void) codr_conf_fail(&parser, "out of memory");
        return -EINVAL;
    }

    for (i = 0; i < CODR_CONF_PIECES; i++) {
        codr_writer_init(&parser.piece[i], room + i * CODR_CONFIG_MAX,
                         CODR_CONFIG_MAX);
    }
    codr_put_number(&parser.piece[CODR_CONF_LOCATION], CODR_FIELD_LOCATION, 0);

    ok = parse_file(&parser, path);
    if (ok) {
        default_peer(&parser);
        ok = join(&parser);
    }

    codr_list_free(&parser.names);
    codr_list_free(&parser.binds);
    codr_list_free(&parser.seen[false]);
    codr_list_free(&parser.seen[true]);
    free(room);
    return ok ? 0 : -EINVAL;
}


void
codr_conf_file_free(codr_conf_file_t *file)
{
    free(file->user);
    free(file->cgroup);
    free(file->image);
    *file = (codr_conf_file_t) { .group = (gid_t) -1 };
}
