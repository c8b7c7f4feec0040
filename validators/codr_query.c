/*
 * Reads query files: the head that this engine understands, then the patterns
 * that tree-sitter compiles.  Runs before any source is seen; what it reads is
 * the operator's, and every mistake in it has a line and a column.
 */

#define _GNU_SOURCE

#include "codr_query.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "codr_io.h"
#include "codr_roles.h"
#include "codr_util.h"

#define BLANKS      " \t\r"


int
codr_query_mistake(const codr_query_t *query, size_t offset,
    codr_query_error_t *error, const char *format, ...)
{
    int      len;
    size_t   i;
    va_list  args;
    unsigned line = 1, column = 1;

    for (i = 0; i < offset && i < query->length; i++) {
        if (query->text[i] == '\n') {
            line++;
            column = 1;
        } else if (((uint8_t) query->text[i] & 0xc0) != 0x80) {
            column++;
        }
    }

    len = snprintf(error->text, sizeof(error->text), "%s:%u:%u: ",
                   query->path, line, column);
    if (len > 0 && (size_t) len < sizeof(error->text)) {
        va_start(args, format);
        (void) vsnprintf(error->text + len, sizeof(error->text) - (size_t) len,
                         format, args);
        va_end(args);
    }

    return -EINVAL;
}


/* The head */


typedef struct {
    codr_query_t        *query;
    const char         **inherits;
    codr_query_error_t  *error;
    size_t               offset;        /* of the line */
} head_t;


static char *
next_word(char **rest)
{
    char *word;

    do {
        word = strsep(rest, BLANKS);
    } while (word && *word == '\0');

    return word;
}


static int
add_words(codr_list_t *list, char *rest)
{
    int   result = 0;
    char *word;

    while (result == 0 && (word = next_word(&rest)) != NULL) {
        result = codr_list_add(list, word, strlen(word));
    }

    return result;
}


static int
take_inherits(head_t *head, char *value)
{
    char *word = next_word(&value);

    if (word == NULL || next_word(&value) || *head->inherits) {
        return codr_query_mistake(head->query, head->offset, head->error,
                                  "\"inherits\" names one file, once");
    }

    /* the text is the query's own copy and stays */
    *head->inherits = word;
    return 0;
}


static int
take_except(head_t *head, char *value)
{
    return add_words(&head->query->except, value);
}


static int
take_strip(head_t *head, char *value)
{
    return add_words(&head->query->strip, value);
}


static int
take_splice(head_t *head, char *value)
{
    (void) value;
    head->query->splice = true;
    return 0;
}


static int
take_comments(head_t *head, char *value)
{
    char *mark = next_word(&value);

    if (mark == NULL || mark[1] != '\0' || next_word(&value)) {
        return codr_query_mistake(head->query, head->offset, head->error,
                                  "\"comments\" is one character");
    }

    head->query->comments = *mark;
    return 0;
}


static int
take_rewrite(head_t *head, char *value)
{
    char                 *from = next_word(&value);
    char                 *arrow = next_word(&value);
    char                 *to = next_word(&value);
    codr_query_t         *query = head->query;
    codr_query_rewrite_t *grown;

    if (arrow == NULL || strcmp(arrow, "=>") != 0) {
        return codr_query_mistake(query, head->offset, head->error,
                                  "a rewrite is FROM => TO");
    }

    grown = realloc(query->rewrite, (query->rewrites + 1) * sizeof(*grown));
    if (grown == NULL) {
        return -ENOMEM;
    }

    query->rewrite = grown;
    grown[query->rewrites++] = (codr_query_rewrite_t) { from, to ? to : "" };
    return 0;
}


/* A list or message of this name, made when it is not there: it may go on
   over many lines. */
static codr_list_t *
named(codr_query_list_t **array, size_t *count, char *name)
{
    size_t             i;
    codr_query_list_t *grown;

    for (i = 0; i < *count; i++) {
        if (strcmp((*array)[i].name, name) == 0) {
            return &(*array)[i].words;
        }
    }

    grown = realloc(*array, (*count + 1) * sizeof(*grown));
    if (grown == NULL) {
        return NULL;
    }

    *array = grown;
    grown[(*count)++] = (codr_query_list_t) { .name = name };
    return &grown[i].words;
}


static int
take_list(head_t *head, char *name, char *value)
{
    codr_query_t *query = head->query;
    codr_list_t  *list = named(&query->list, &query->lists, name);

    return list ? add_words(list, value) : -ENOMEM;
}


static int
take_message(head_t *head, char *name, char *value)
{
    codr_query_t *query = head->query;
    codr_list_t  *list = named(&query->message, &query->messages, name);

    value += strspn(value, BLANKS);
    return list ? codr_list_add(list, value, strlen(value)) : -ENOMEM;
}


static const struct {
    const char  *name;
    bool         bindings;      /* for these, or for policies */
    int        (*take)(head_t *head, char *value);
} words[] = {
    { "inherits", false, take_inherits },
    { "except", false, take_except },
    { "rewrite", true, take_rewrite },
    { "strip", true, take_strip },
    { "splice", true, take_splice },
    { "comments", true, take_comments },
};


/* Letters only, as a word of the head has; else it is prose with a colon. */
static bool
looks_like_word(const char *text)
{
    return text[0] != '\0'
           && text[strspn(text, "abcdefghijklmnopqrstuvwxyz")] == '\0';
}


static int
take_word(head_t *head, char *key, char *value)
{
    size_t i;

    if (strncmp(key, "list ", 5) == 0 && strchr(key + 5, ' ') == NULL) {
        return take_list(head, key + 5, value);
    }
    if (strncmp(key, "message ", 8) == 0 && strchr(key + 8, ' ') == NULL) {
        return take_message(head, key + 8, value);
    }

    for (i = 0; i < CODR_ARRAY_LEN(words); i++) {
        if (strcmp(key, words[i].name) == 0
            && words[i].bindings == head->query->bindings)
        {
            return words[i].take(head, value);
        }
    }

    /* a word that is mistaken must not become a comment */
    if (looks_like_word(key)) {
        return codr_query_mistake(head->query, head->offset, head->error,
                                  "\"%s:\" means nothing here; a comment"
                                  " begins with \";;\"", key);
    }

    return 0;
}


/* A line of the head: "; key: value", or a comment. */
static int
take_line(head_t *head, char *line)
{
    char *colon, *key = line + 1;

    if (*key == ';') {
        return 0;
    }

    key += strspn(key, BLANKS);
    colon = strchr(key, ':');
    if (colon == NULL) {
        return 0;
    }

    *colon = '\0';
    return take_word(head, key, colon + 1);
}


/* Lines are cut up in a copy that stays: words point into it. */
static int
read_head(head_t *head, char *copy)
{
    int   result = 0;
    char *line, *rest = copy;

    while (result == 0 && (line = strsep(&rest, "\n")) != NULL) {
        head->offset = (size_t) (line - copy);
        if (line[strspn(line, BLANKS)] == '\0') {
            continue;
        }
        if (line[0] != ';') {
            break;
        }
        result = take_line(head, line);
    }

    return result;
}


static int
read_file(codr_query_t *query, codr_query_error_t *error)
{
    int     fd = open(query->path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd == -1 ? -errno : 0;

    if (fd != -1) {
        n = codr_io_read_text(fd, query->text, CODR_QUERY_SIZE);
        codr_close(&fd);
    }
    if (n < 0) {
        (void) snprintf(error->text, sizeof(error->text),
                        "%s:1:1: read the file: %s", query->path,
                        strerror((int) -n));
        return (int) n;
    }

    query->length = (size_t) n;
    return 0;
}


static codr_query_t *
create(const char *path, bool bindings)
{
    codr_query_t *query = calloc(1, sizeof(*query));

    if (query == NULL) {
        return NULL;
    }

    query->bindings = bindings;
    query->refuse = CODR_NO_CAPTURE;
    query->path = strdup(path);
    query->text = malloc(2 * CODR_QUERY_SIZE);
    if (query->path == NULL || query->text == NULL) {
        codr_query_free(query);
        return NULL;
    }

    return query;
}


/* The file's text and, behind it, the copy whose head is cut into words. */
static int
keep_text(codr_query_t *query)
{
    char *text = realloc(query->text, 2 * (query->length + 1));

    if (text == NULL) {
        return -ENOMEM;
    }

    query->text = text;
    memcpy(text + query->length + 1, text, query->length + 1);
    return 0;
}


int
codr_query_open(codr_query_t **ret, const char *path, bool bindings,
    const char **ret_inherits, codr_query_error_t *error)
{
    int           result;
    const char   *inherits = NULL;
    codr_query_t *query = create(path, bindings);
    head_t        head = { query, &inherits, error, 0 };

    if (query == NULL) {
        return -ENOMEM;
    }

    result = read_file(query, error);
    if (result == 0) {
        result = keep_text(query);
    }
    if (result == 0 && memchr(query->text, '\0', query->length)) {
        result = codr_query_mistake(query, strlen(query->text), error,
                                    "a NUL in the file");
    }
    if (result == 0) {
        result = read_head(&head, query->text + query->length + 1);
    }
    if (result < 0) {
        codr_query_free(query);
        return result;
    }

    *ret = query;
    *ret_inherits = inherits;
    return 0;
}


/* The patterns */


/* What is wrong at this byte, in tree-sitter's categories. */
static int
tell_mistake(const codr_query_t *query, uint32_t offset, TSQueryError kind,
    codr_query_error_t *error)
{
    size_t      len;
    const char *name = query->text + offset;

    len = strcspn(name, " \t\r\n()[]\":@.!*+?");

    switch (kind) {

    case TSQueryErrorNodeType:
        return codr_query_mistake(query, offset, error, "the grammar has no"
                                  " node \"%.*s\"", (int) len, name);
    case TSQueryErrorField:
        return codr_query_mistake(query, offset, error, "the grammar has no"
                                  " field \"%.*s\"", (int) len, name);
    case TSQueryErrorCapture:
        return codr_query_mistake(query, offset, error, "the pattern has no"
                                  " capture \"%.*s\"", (int) len, name);
    case TSQueryErrorStructure:
        return codr_query_mistake(query, offset, error,
                                  "this can never match");
    case TSQueryErrorLanguage:
        return codr_query_mistake(query, offset, error, "the grammar is of"
                                  " another version");
    case TSQueryErrorNone:
    case TSQueryErrorSyntax:
        break;
    }

    return codr_query_mistake(query, offset, error, "invalid syntax");
}


static uint64_t
roles_of(const codr_query_t *query, uint32_t pattern)
{
    uint32_t i;
    uint64_t roles = 0;

    for (i = 0; i < query->captures; i++) {
        if (ts_query_capture_quantifier_for_id(query->query, pattern, i)
            != TSQuantifierZero)
        {
            roles |= CODR_ROLE_BIT(query->role[i]);
        }
    }

    return roles;
}


static int
read_pattern(codr_query_t *query, uint32_t i, codr_query_error_t *error)
{
    int             result;
    char            what[160];
    uint32_t        at = ts_query_start_byte_for_pattern(query->query, i);
    codr_pattern_t *pattern = &query->pattern[i];

    result = codr_pattern_read(pattern, query, i, what, sizeof(what));
    if (result == -EINVAL) {
        return codr_query_mistake(query, at, error, "%s", what);
    }
    if (result < 0) {
        return result;
    }
    if (query->bindings) {
        pattern->roles = roles_of(query, i);
        return 0;
    }

    if (pattern->id == NULL || pattern->message == NULL) {
        return codr_query_mistake(query, at, error, "a pattern without"
                                  " #set! rule and #set! message");
    }
    if (query->refuse == CODR_NO_CAPTURE
        || ts_query_capture_quantifier_for_id(query->query, i, query->refuse)
           == TSQuantifierZero)
    {
        return codr_query_mistake(query, at, error, "a pattern without"
                                  " @refuse");
    }

    return 0;
}


static int
read_captures(codr_query_t *query, codr_query_error_t *error)
{
    uint32_t    i, len;
    const char *name;
    codr_role_t role;

    query->captures = ts_query_capture_count(query->query);
    query->role = calloc(query->captures + 1, 1);
    if (query->role == NULL) {
        return -ENOMEM;
    }

    for (i = 0; i < query->captures; i++) {
        name = ts_query_capture_name_for_id(query->query, i, &len);
        if (!query->bindings) {
            if (strcmp(name, "refuse") == 0) {
                query->refuse = i;
            }
            continue;
        }
        role = codr_role_find(name);
        if (role == CODR_ROLE_COUNT) {
            return codr_query_mistake(query, 0, error, "capture \"@%s\""
                                      " means nothing", name);
        }
        query->role[i] = (uint8_t) role;
    }

    return 0;
}


int
codr_query_compile(codr_query_t *query, const codr_grammar_t *grammar,
    codr_query_error_t *error)
{
    int          result;
    uint32_t     i, offset = 0;
    TSQueryError kind = TSQueryErrorNone;

    query->grammar = grammar;
    query->query = ts_query_new(grammar->language(), query->text,
                                (uint32_t) query->length, &offset, &kind);
    if (query->query == NULL) {
        return tell_mistake(query, offset, kind, error);
    }

    query->patterns = ts_query_pattern_count(query->query);
    query->pattern = calloc(query->patterns + 1, sizeof(codr_pattern_t));
    result = query->pattern ? read_captures(query, error) : -ENOMEM;

    for (i = 0; result == 0 && i < query->patterns; i++) {
        result = read_pattern(query, i, error);
    }
    if (result == 0) {
        result = codr_shapes_take(&query->shapes, grammar->language(),
                                  query->query,
                                  query->plain ? NULL : query->text);
    }
    if (result == 0) {
        result = codr_gates_make(&query->gates, query);
    }

    return result;
}


const codr_list_t *
codr_query_words(const codr_query_t *query, const char *name)
{
    size_t i;

    for ( /* void */ ; query; query = query->inherits) {
        for (i = 0; i < query->lists; i++) {
            if (strcmp(query->list[i].name, name) == 0) {
                return &query->list[i].words;
            }
        }
    }

    return NULL;
}


const codr_list_t *
codr_query_message(const codr_query_t *query, const char *name, size_t len)
{
    size_t i;

    for ( /* void */ ; query; query = query->inherits) {
        for (i = 0; i < query->messages; i++) {
            if (strncmp(query->message[i].name, name, len) == 0
                && query->message[i].name[len] == '\0')
            {
                return &query->message[i].words;
            }
        }
    }

    return NULL;
}


void
codr_query_free(codr_query_t *query)
{
    uint32_t i;

    if (query == NULL) {
        return;
    }

    for (i = 0; query->pattern && i < query->patterns; i++) {
        codr_pattern_free(&query->pattern[i]);
    }
    for (i = 0; i < query->lists; i++) {
        codr_list_free(&query->list[i].words);
    }
    for (i = 0; i < query->messages; i++) {
        codr_list_free(&query->message[i].words);
    }
    if (query->query) {
        ts_query_delete(query->query);
    }

    codr_gates_free(&query->gates);
    codr_shapes_free(&query->shapes);
    codr_list_free(&query->except);
    codr_list_free(&query->strip);
    free(query->list);
    free(query->message);
    free(query->rewrite);
    free(query->pattern);
    free(query->role);
    free(query->path);
    free(query->text);
    free(query);
}
