/*
 * Splits configuration text into directives, as nginx does.  Runs in the
 * supervisor; pure but for malloc.
 */

#include "codr_conf_lex.h"

#include <errno.h>
#include <string.h>

#include "codr_proto.h"

#define WORD_MAX    4096


void
codr_conf_lex_init(codr_conf_lexer_t *lexer, const char *text, size_t len)
{
    *lexer = (codr_conf_lexer_t) { text, text + len, 1, NULL };
}


static void
skip_space(codr_conf_lexer_t *lexer)
{
    bool comment = false;

    for ( ; lexer->pos < lexer->end; lexer->pos++) {
        if (*lexer->pos == '\n') {
            lexer->line++;
            comment = false;
        } else if (*lexer->pos == '#') {
            comment = true;
        } else if (!comment && !strchr(" \t\r", *lexer->pos)) {
            return;
        }
    }
}


static char
unescape(char c)
{
    switch (c) {
    case 't':
        return '\t';
    case 'r':
        return '\r';
    case 'n':
        return '\n';
    default:
        return c;
    }
}


/* A backslash counts before the characters that need one, as in nginx. */
static bool
escapes(const codr_conf_lexer_t *lexer)
{
    return lexer->pos[0] == '\\' && lexer->pos + 1 < lexer->end
           && lexer->pos[1] != '\0' && strchr("\"'\\trn", lexer->pos[1]);
}


static bool
ends_word(char c, char quote)
{
    if (quote) {
        return c == quote;
    }

    return c == '\0' || strchr(" \t\r\n;{", c) != NULL;
}


static bool
take_word(codr_conf_lexer_t *lexer, codr_list_t *words)
{
    char    quote = 0, word[WORD_MAX];
    size_t  len = 0;

    if (*lexer->pos == '"' || *lexer->pos == '\'') {
        quote = *lexer->pos++;
    }

    while (lexer->pos < lexer->end && !ends_word(*lexer->pos, quote)) {
        if (len == sizeof(word)) {
            lexer->what = "too long parameter";
            return false;
        }
        if (*lexer->pos == '\n') {
            lexer->line++;
        }
        if (escapes(lexer)) {
            word[len++] = unescape(lexer->pos[1]);
            lexer->pos += 2;
        } else {
            word[len++] = *lexer->pos++;
        }
    }

    if (quote) {
        if (lexer->pos == lexer->end) {
            lexer->what = "unexpected end of file, a quote is open";
            return false;
        }
        lexer->pos++;
    }

    if (memchr(word, '\0', len)) {
        lexer->what = "a NUL byte";
        return false;
    }

    if (codr_list_add(words, word, len) < 0) {
        lexer->what = "too many parameters";
        return false;
    }

    return true;
}


static codr_conf_token_t
fail(codr_conf_lexer_t *lexer, const char *what)
{
    lexer->what = what;
    return CODR_CONF_ERROR;
}


codr_conf_token_t
codr_conf_lex(codr_conf_lexer_t *lexer, codr_list_t *words)
{
    char c;

    codr_list_free(words);

    for ( ;; ) {
        skip_space(lexer);

        if (lexer->pos == lexer->end) {
            return words->count == 0 ? CODR_CONF_END
                : fail(lexer, "unexpected end of file, expecting \";\"");
        }

        c = *lexer->pos;
        if (c == ';' || c == '{') {
            lexer->pos++;
            if (words->count == 0) {
                return fail(lexer, c == ';' ? "unexpected \";\""
                                            : "unexpected \"{\"");
            }
            return c == ';' ? CODR_CONF_SIMPLE : CODR_CONF_BLOCK;
        }

        if (c == '}') {
            lexer->pos++;
            return words->count == 0 ? CODR_CONF_CLOSE
                                     : fail(lexer, "unexpected \"}\"");
        }

        if (!take_word(lexer, words)) {
            return CODR_CONF_ERROR;
        }
    }
}


static bool
digits(const char **pos, uint64_t *ret)
{
    uint64_t    value = 0;
    const char *p = *pos;

    while (*p >= '0' && *p <= '9') {
        if (value > (INT64_MAX - 9) / 10) {
            return false;
        }
        value = 10 * value + (uint64_t) (*p++ - '0');
    }

    if (p == *pos) {
        return false;
    }

    *pos = p;
    *ret = value;
    return true;
}


bool
codr_conf_number(const char *text, uint64_t *ret)
{
    uint64_t value;

    if (!digits(&text, &value) || *text != '\0') {
        return false;
    }

    *ret = value;
    return true;
}


bool
codr_conf_size(const char *text, uint64_t *ret)
{
    unsigned    shift = 0;
    uint64_t    value;
    const char *unit;

    static const char units[] = "kKmMgG";

    if (!digits(&text, &value)) {
        return false;
    }

    if (*text != '\0') {
        unit = strchr(units, *text);
        if (unit == NULL || text[1] != '\0') {
            return false;
        }
        shift = 10 * ((unsigned) (unit - units) / 2 + 1);
    }

    if (value > (uint64_t) INT64_MAX >> shift) {
        return false;
    }

    *ret = value << shift;
    return true;
}


/* The unit at text, longest first; NULL when there is none. */
static const char *
take_unit(const char *text, uint64_t *ret_ms)
{
    size_t i;

    static const struct {
        const char  *name;
        uint64_t     ms;
    } units[] = {
        { "ms", 1 }, { "s", 1000 }, { "m", 60000 }, { "h", 3600000 },
        { "d", 86400000 },
    };

    for (i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (strncmp(text, units[i].name, strlen(units[i].name)) == 0) {
            *ret_ms = units[i].ms;
            return text + strlen(units[i].name);
        }
    }

    return NULL;
}


bool
codr_conf_time(const char *text, uint64_t *ret_ms)
{
    uint64_t value, unit, total = 0, last = UINT64_MAX;

    do {
        if (!digits(&text, &value)) {
            return false;
        }

        unit = 1000;                    /* a number alone is seconds */
        if (*text != '\0') {
            text = take_unit(text, &unit);
            if (text == NULL) {
                return false;
            }
        }

        /* "1h30m", not "30m1h" or "1m1m" */
        if (unit >= last || value > (INT64_MAX - total) / unit) {
            return false;
        }
        last = unit;
        total += value * unit;

    } while (*text != '\0');

    *ret_ms = total;
    return true;
}


bool
codr_conf_is_module(const char *text)
{
    size_t len = strlen(text);

    return len > 0 && len <= CODR_NAME_MAX
           && strspn(text, "abcdefghijklmnopqrstuvwxyz"
                           "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.") == len;
}
