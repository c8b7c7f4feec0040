/*
 * Compiles the predicates and properties of a pattern.  Runs before any
 * source is seen.
 */

#include "codr_pattern.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codr_query.h"
#include "codr_util.h"

#define INSIDE_MAX  64          /* symbols of one #inside? */

typedef struct {
    codr_pattern_t              *pattern;
    const codr_query_t          *query;
    const TSQueryPredicateStep  *step;      /* after the name */
    uint32_t                     steps;
    const char                  *name;
    char                        *what;
    size_t                       size;
} reader_t;

typedef struct {
    const char             *name;
    codr_predicate_kind_t   kind;
    bool                    negate;
    bool                    any;
} row_t;

/* Of a quantified capture all nodes must fulfil a predicate; of those with
   "any" one of them. */
static const row_t rows[] = {
    { "eq?",              CODR_PREDICATE_EQUAL,       false, false },
    { "not-eq?",          CODR_PREDICATE_EQUAL,       true,  false },
    { "any-eq?",          CODR_PREDICATE_EQUAL,       false, true },
    { "any-not-eq?",      CODR_PREDICATE_EQUAL,       true,  true },
    { "any-of?",          CODR_PREDICATE_EQUAL,       false, false },
    { "not-any-of?",      CODR_PREDICATE_EQUAL,       true,  false },
    { "match?",           CODR_PREDICATE_MATCH,       false, false },
    { "not-match?",       CODR_PREDICATE_MATCH,       true,  false },
    { "any-match?",       CODR_PREDICATE_MATCH,       false, true },
    { "any-not-match?",   CODR_PREDICATE_MATCH,       true,  true },
    { "path?",            CODR_PREDICATE_PATH,        false, true },
    { "not-path?",        CODR_PREDICATE_PATH,        true,  false },
    { "const?",           CODR_PREDICATE_CONST,       false, true },
    { "not-const?",       CODR_PREDICATE_CONST,       true,  false },
    { "const-match?",     CODR_PREDICATE_CONST_MATCH, false, true },
    { "not-const-match?", CODR_PREDICATE_CONST_MATCH, true,  false },
    { "find?",            CODR_PREDICATE_FIND,        false, true },
    { "line-below?",      CODR_PREDICATE_LINE_BELOW,  false, false },
    { "inside?",          CODR_PREDICATE_INSIDE,      false, false },
    { "not-inside?",      CODR_PREDICATE_INSIDE,      true,  false },
};


static int
wrong(reader_t *reader, const char *what)
{
    (void) snprintf(reader->what, reader->size, "#%s %s", reader->name, what);
    return -EINVAL;
}


static const char *
string_of(const reader_t *reader, const TSQueryPredicateStep *step,
    uint32_t *ret_len)
{
    return ts_query_string_value_for_id(reader->query->query, step->value_id,
                                        ret_len);
}


static int
add_word(codr_predicate_t *predicate, const char *text, uint32_t len)
{
    char     *copy, **word;
    uint32_t *length;

    word = realloc(predicate->word, (predicate->words + 1) * sizeof(*word));
    if (word == NULL) {
        return -ENOMEM;
    }
    predicate->word = word;

    length = realloc(predicate->length,
                     (predicate->words + 1) * sizeof(*length));
    if (length == NULL) {
        return -ENOMEM;
    }
    predicate->length = length;

    copy = malloc(len + 1);
    if (copy == NULL) {
        return -ENOMEM;
    }

    memcpy(copy, text, len);
    copy[len] = '\0';
    word[predicate->words] = copy;
    length[predicate->words++] = len;
    predicate->lengths |= 1ULL << len % 64;
    predicate->initials |= 1ULL << (uint8_t) *copy % 64;
    return 0;
}


/* In paths "::" and "->" are dots. */
static uint32_t
dot(char *text)
{
    char *from, *to = text;

    for (from = text; *from != '\0'; from++) {
        if ((from[0] == ':' && from[1] == ':')
            || (from[0] == '-' && from[1] == '>'))
        {
            *to++ = '.';
            from++;
        } else {
            *to++ = *from;
        }
    }

    *to = '\0';
    return (uint32_t) (to - text);
}


static int
add_list(reader_t *reader, codr_predicate_t *predicate, const char *name)
{
    int                result = 0;
    size_t             i;
    const codr_list_t *list = codr_query_words(reader->query, name);

    if (list == NULL) {
        return wrong(reader, "names a list that is not there");
    }

    for (i = 0; result == 0 && i < list->count; i++) {
        result = add_word(predicate, list->item[i],
                          (uint32_t) strlen(list->item[i]));
    }

    return result;
}


/* "[rR]": that one of them is there shows without the machinery of regular
   expressions. */
static bool
is_letters(const char *regex)
{
    size_t len = strspn(regex + (*regex == '['),
                        "abcdefghijklmnopqrstuvwxyz"
                        "ABCDEFGHIJKLMNOPQRSTUVWXYZ");

    return *regex == '[' && len > 0 && strcmp(regex + 1 + len, "]") == 0;
}


static int
take_regex(reader_t *reader, codr_predicate_t *predicate)
{
    int        number;
    size_t     at;
    char       message[100];
    uint32_t   options = PCRE2_UTF | PCRE2_MATCH_INVALID_UTF
                         | PCRE2_NEVER_BACKSLASH_C | PCRE2_MULTILINE;

    if (predicate->words == 0
        || (predicate->words > 1 && predicate->kind != CODR_PREDICATE_FIND))
    {
        return wrong(reader, "wants one regular expression");
    }

    predicate->regex = pcre2_compile((PCRE2_SPTR) predicate->word[0],
                                     predicate->length[0], options, &number,
                                     &at, NULL);
    if (predicate->regex) {
        predicate->letters = predicate->kind == CODR_PREDICATE_MATCH
                             && predicate->length[0]
                                == strlen(predicate->word[0])
                             && is_letters(predicate->word[0]);
        return 0;
    }

    (void) pcre2_get_error_message(number, (PCRE2_UCHAR *) message,
                                   sizeof(message));
    (void) snprintf(reader->what, reader->size, "#%s: character %zu of the"
                    " regular expression: %s", reader->name, at + 1, message);
    return -EINVAL;
}


static int
take_number(reader_t *reader, codr_predicate_t *predicate)
{
    char *end;

    if (predicate->words != 1) {
        return wrong(reader, "wants a number");
    }

    predicate->number = (uint32_t) strtoul(predicate->word[0], &end, 10);
    return *end == '\0' ? 0 : wrong(reader, "wants a number");
}


/* Most words of the long lists are plain ones, which compare fast. */
static int
take_paths(codr_predicate_t *predicate)
{
    uint32_t i;

    predicate->wild = calloc(predicate->words + 1, sizeof(bool));
    if (predicate->wild == NULL) {
        return -ENOMEM;
    }

    for (i = 0; i < predicate->words; i++) {
        predicate->length[i] = dot(predicate->word[i]);
        predicate->wild[i] = strchr(predicate->word[i], '*') != NULL;
        codr_sieve_add(&predicate->sieve, predicate->word[i],
                       predicate->wild[i]);
    }

    return 0;
}


/* A name may stand for several symbols of a grammar (aliases). */
static int
take_symbols(reader_t *reader, codr_predicate_t *predicate)
{
    bool              found;
    uint32_t          i, s, n = 0, count;
    const TSLanguage *language = reader->query->grammar->language();

    count = ts_language_symbol_count(language);
    predicate->symbol = calloc(INSIDE_MAX + 1, sizeof(uint32_t));
    if (predicate->symbol == NULL) {
        return -ENOMEM;
    }

    for (i = 0; i < predicate->words; i++) {
        found = false;
        for (s = 1; s < count && n < INSIDE_MAX; s++) {
            if (strcmp(ts_language_symbol_name(language, (TSSymbol) s),
                       predicate->word[i]) == 0)
            {
                predicate->symbol[n++] = s;
                found = true;
            }
        }
        if (!found) {
            return wrong(reader, "names a node the grammar does not have");
        }
    }

    return 0;
}


static int
finish(reader_t *reader, codr_predicate_t *predicate)
{
    switch (predicate->kind) {

    case CODR_PREDICATE_MATCH:
    case CODR_PREDICATE_CONST_MATCH:
    case CODR_PREDICATE_FIND:
        return take_regex(reader, predicate);

    case CODR_PREDICATE_LINE_BELOW:
        return take_number(reader, predicate);

    case CODR_PREDICATE_INSIDE:
        return take_symbols(reader, predicate);

    case CODR_PREDICATE_PATH:
        return take_paths(predicate);

    case CODR_PREDICATE_EQUAL:
        return predicate->words || predicate->other != CODR_NO_CAPTURE
               ? 0 : wrong(reader, "wants something to compare with");

    case CODR_PREDICATE_CONST:
        return 0;
    }

    return -EINVAL;
}


static int
take_argument(reader_t *reader, codr_predicate_t *predicate,
    const TSQueryPredicateStep *step)
{
    uint32_t    len;
    const char *text;

    if (step->type == TSQueryPredicateStepTypeCapture) {
        if (predicate->kind != CODR_PREDICATE_EQUAL || predicate->words
            || predicate->other != CODR_NO_CAPTURE)
        {
            return wrong(reader, "takes one capture");
        }
        predicate->other = step->value_id;
        return 0;
    }

    text = string_of(reader, step, &len);
    if (len > 1 && text[0] == '$' && predicate->regex == NULL
        && predicate->kind != CODR_PREDICATE_MATCH
        && predicate->kind != CODR_PREDICATE_CONST_MATCH
        && predicate->kind != CODR_PREDICATE_FIND)
    {
        return add_list(reader, predicate, text + 1);
    }

    return add_word(predicate, text, len);
}


static int
take_predicate(reader_t *reader, const row_t *row)
{
    int               result = 0;
    uint32_t          i;
    codr_pattern_t   *pattern = reader->pattern;
    codr_predicate_t *predicate;

    predicate = realloc(pattern->predicate,
                        (pattern->predicates + 1) * sizeof(*predicate));
    if (predicate == NULL) {
        return -ENOMEM;
    }

    pattern->predicate = predicate;
    predicate += pattern->predicates++;
    *predicate = (codr_predicate_t) {
        .kind = row->kind, .negate = row->negate, .any = row->any,
        .other = CODR_NO_CAPTURE,
    };

    if (reader->steps == 0
        || reader->step[0].type != TSQueryPredicateStepTypeCapture)
    {
        return wrong(reader, "wants a capture first");
    }
    predicate->capture = reader->step[0].value_id;

    for (i = 1; result == 0 && i < reader->steps; i++) {
        result = take_argument(reader, predicate, &reader->step[i]);
    }

    return result < 0 ? result : finish(reader, predicate);
}


/* Properties */


static int
choose(reader_t *reader, const char *value, const char *const *names,
    int *ret)
{
    int i;

    for (i = 0; names[i]; i++) {
        if (strcmp(names[i], value) == 0) {
            *ret = i;
            return 0;
        }
    }

    (void) snprintf(reader->what, reader->size, "#set! with the value \"%s\""
                    " that means nothing", value);
    return -EINVAL;
}


static const char *const severities[] = { "error", "warning", NULL };
static const char *const places[] = { "nearest", "outer", "function", "root",
                                      NULL };
static const char *const scopes[] = { "", "block", "function", "class", NULL };
static const char *const answers[] = { "no", "yes", NULL };


/* "$NAME ..." begins with a message of the head. */
static int
set_message(reader_t *reader, const char *text)
{
    size_t             i, len = 0, room = strlen(text) + 1;
    char              *message;
    const codr_list_t *lines = NULL;

    if (text[0] == '$') {
        len = strcspn(text, " ");
        lines = codr_query_message(reader->query, text + 1, len - 1);
        if (lines == NULL) {
            return wrong(reader, "names a message that is not there");
        }
    }

    for (i = 0; lines && i < lines->count; i++) {
        room += strlen(lines->item[i]) + 1;
    }

    message = malloc(room);
    if (message == NULL) {
        return -ENOMEM;
    }

    message[0] = '\0';
    for (i = 0; lines && i < lines->count; i++) {
        (void) strcat(message, i ? " " : "");
        (void) strcat(message, lines->item[i]);
    }
    (void) strcat(message, text + len);

    free(reader->pattern->message);
    reader->pattern->message = message;
    return 0;
}


static int
set(reader_t *reader, const char *key, const char *value)
{
    int             number = 0, result = 0;
    codr_pattern_t *pattern = reader->pattern;

    if (strcmp(key, "rule") == 0) {
        pattern->id = value;
    } else if (strcmp(key, "message") == 0) {
        result = set_message(reader, value);
    } else if (strcmp(key, "prefix") == 0) {
        pattern->prefix = value;
    } else if (strcmp(key, "severity") == 0) {
        result = choose(reader, value, severities, &number);
        pattern->severity = (codr_severity_t) number;
    } else if (strcmp(key, "in") == 0) {
        result = choose(reader, value, places, &number);
        pattern->place = (codr_place_t) number;
    } else if (strcmp(key, "kind") == 0) {
        result = choose(reader, value, scopes, &number);
        pattern->scope = (codr_scope_t) number;
    } else if (strcmp(key, "after") == 0) {
        result = choose(reader, value, answers, &number);
        pattern->after = number == 1;
    } else if (strcmp(key, "raw") == 0) {
        result = choose(reader, value, answers, &number);
        pattern->raw = number == 1;
    } else {
        (void) snprintf(reader->what, reader->size, "#set! %s means nothing",
                        key);
        return -EINVAL;
    }

    return result;
}


static int
take_property(reader_t *reader)
{
    uint32_t    len;
    const char *key, *value;

    if (reader->steps != 2
        || reader->step[0].type != TSQueryPredicateStepTypeString
        || reader->step[1].type != TSQueryPredicateStepTypeString)
    {
        return wrong(reader, "wants a name and a value");
    }

    key = string_of(reader, &reader->step[0], &len);
    value = string_of(reader, &reader->step[1], &len);
    return set(reader, key, value);
}


static bool
is_lasting(const codr_pattern_t *pattern)
{
    size_t i;

    for (i = 0; i < pattern->predicates; i++) {
        switch (pattern->predicate[i].kind) {

        case CODR_PREDICATE_PATH:
        case CODR_PREDICATE_CONST:
        case CODR_PREDICATE_CONST_MATCH:
            return false;

        case CODR_PREDICATE_EQUAL:
        case CODR_PREDICATE_MATCH:
        case CODR_PREDICATE_FIND:
        case CODR_PREDICATE_LINE_BELOW:
        case CODR_PREDICATE_INSIDE:
            break;
        }
    }

    return true;
}


static int
take_one(reader_t *reader)
{
    size_t i;

    if (strcmp(reader->name, "set!") == 0) {
        return take_property(reader);
    }

    for (i = 0; i < CODR_ARRAY_LEN(rows); i++) {
        if (strcmp(rows[i].name, reader->name) == 0) {
            return take_predicate(reader, &rows[i]);
        }
    }

    return wrong(reader, "is not known");
}


int
codr_pattern_read(codr_pattern_t *pattern, const codr_query_t *query,
    uint32_t index, char *ret_what, size_t size)
{
    int                         result = 0;
    uint32_t                    i, n, count, len;
    reader_t                    reader = { .pattern = pattern, .query = query,
                                           .what = ret_what, .size = size };
    const TSQueryPredicateStep *step;

    pattern->rule = CODR_NO_RULE;
    step = ts_query_predicates_for_pattern(query->query, index, &count);

    for (i = 0; result == 0 && i < count; i += n + 1) {
        for (n = 0; step[i + n].type != TSQueryPredicateStepTypeDone; n++) {
            /* void */
        }
        if (n == 0 || step[i].type != TSQueryPredicateStepTypeString) {
            (void) snprintf(ret_what, size, "a predicate without a name");
            return -EINVAL;
        }
        reader.name = string_of(&reader, &step[i], &len);
        reader.step = &step[i + 1];
        reader.steps = n - 1;
        result = take_one(&reader);
    }

    pattern->lasting = is_lasting(pattern);
    return result;
}


void
codr_pattern_free(codr_pattern_t *pattern)
{
    size_t            i;
    uint32_t          w;
    codr_predicate_t *predicate;

    for (i = 0; i < pattern->predicates; i++) {
        predicate = &pattern->predicate[i];
        for (w = 0; w < predicate->words; w++) {
            free(predicate->word[w]);
        }
        free(predicate->word);
        free(predicate->length);
        free(predicate->wild);
        free(predicate->symbol);
        pcre2_code_free(predicate->regex);
    }

    free(pattern->message);
    free(pattern->predicate);
    *pattern = (codr_pattern_t) { .rule = CODR_NO_RULE };
}
