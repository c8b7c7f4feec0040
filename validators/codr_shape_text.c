/*
 * Reads the text of a pattern into items.  Runs before any source is seen; the
 * pattern has passed tree-sitter's own reader by then.  Whatever is not plain
 * here, also a mistake, is left to tree-sitter.
 */

#define _GNU_SOURCE

#include "codr_shape_text.h"

#include <ctype.h>
#include <string.h>

#define DEPTH       24

typedef struct {
    const TSLanguage    *language;
    const TSQuery       *query;
    const char          *pos;
    const char          *end;
    unsigned             depth;
    codr_shape_text_t   *text;
} reader_t;


static void
skip_blanks(reader_t *reader)
{
    while (reader->pos < reader->end) {
        if (*reader->pos == ';') {
            while (reader->pos < reader->end && *reader->pos != '\n') {
                reader->pos++;
            }
        } else if (isspace((uint8_t) *reader->pos)) {
            reader->pos++;
        } else {
            return;
        }
    }
}


static char
peek(reader_t *reader)
{
    skip_blanks(reader);
    return reader->pos < reader->end ? *reader->pos : '\0';
}


static size_t
word_length(const reader_t *reader)
{
    size_t len = 0;

    while (reader->pos + len < reader->end
           && (isalnum((uint8_t) reader->pos[len])
               || strchr("_-.", reader->pos[len])))
    {
        len++;
    }

    return len;
}


static bool
skip_string(reader_t *reader)
{
    for (reader->pos++; reader->pos < reader->end; reader->pos++) {
        if (*reader->pos == '\\') {
            reader->pos++;
        } else if (*reader->pos == '"') {
            reader->pos++;
            return true;
        }
    }

    return false;
}


/* Whether a predicate is next; then it is passed over. */
static bool
skip_predicate(reader_t *reader)
{
    unsigned    depth = 0;
    const char *start = reader->pos;

    if (peek(reader) != '(') {
        return false;
    }
    reader->pos++;
    if (peek(reader) != '#') {
        reader->pos = start;
        return false;
    }

    for (depth = 1; depth > 0 && reader->pos < reader->end; /* void */) {
        switch (peek(reader)) {
        case '"':
            (void) skip_string(reader);
            continue;
        case '(':
            depth++;
            break;
        case ')':
            depth--;
            break;
        default:
            break;
        }
        reader->pos++;
    }

    return true;
}


static bool read_item(reader_t *reader, uint8_t *ret);


static bool
new_item(reader_t *reader, uint8_t *ret)
{
    if (reader->text->items == CODR_SHAPE_ITEMS) {
        return false;
    }

    *ret = reader->text->items++;
    reader->text->item[*ret] = (codr_item_t) { .symbol = 0 };
    return true;
}


/* "@name" */
static bool
read_capture(reader_t *reader, codr_item_t *item)
{
    size_t      len;
    uint32_t    i, n, count = ts_query_capture_count(reader->query);
    const char *name;

    reader->pos++;
    len = word_length(reader);
    if (item->captures == CODR_SHAPE_CAPTURES) {
        return false;
    }

    for (i = 0; i < count; i++) {
        name = ts_query_capture_name_for_id(reader->query, i, &n);
        if (n == len && memcmp(name, reader->pos, len) == 0) {
            item->capture[item->captures++] = i;
            reader->pos += len;
            return true;
        }
    }

    return false;
}


/* What may follow an item. */
static bool
read_suffix(reader_t *reader, uint8_t n)
{
    codr_item_t *item = &reader->text->item[n];

    for ( ;; ) {
        switch (peek(reader)) {

        case '@':
            if (!read_capture(reader, item)) {
                return false;
            }
            break;

        case '*':
        case '+':
            if (item->repeat != '\0') {
                return false;
            }
            item->repeat = *reader->pos++;
            break;

        case '?':
            return false;

        default:
            return true;
        }
    }
}


/* "text": a node without a name */
static bool
read_anonymous(reader_t *reader, uint8_t n)
{
    TSSymbol    symbol;
    const char *text = reader->pos + 1;

    if (!skip_string(reader)) {
        return false;
    }

    if (memchr(text, '\\', (size_t) (reader->pos - 1 - text))) {
        return false;
    }

    symbol = ts_language_symbol_for_name(reader->language, text,
                                         (uint32_t) (reader->pos - 1 - text),
                                         false);
    reader->text->item[n].symbol = symbol;
    return symbol != 0;
}


/* "[a b]" */
static bool
read_choice(reader_t *reader, uint8_t n)
{
    uint8_t child, *link = &reader->text->item[n].child;

    reader->text->item[n].choice = true;
    reader->pos++;

    while (peek(reader) != ']') {
        if (reader->pos == reader->end || !read_item(reader, &child)
            || reader->text->item[child].repeat != '\0')
        {
            return false;
        }
        *link = child;
        link = &reader->text->item[child].next;
    }

    reader->pos++;
    return reader->text->item[n].child != CODR_NO_ITEM;
}


/* "!field" */
static bool
read_absent(reader_t *reader, codr_item_t *item)
{
    size_t   len, i;
    uint16_t field;

    reader->pos++;
    skip_blanks(reader);
    len = word_length(reader);
    field = ts_language_field_id_for_name(reader->language, reader->pos,
                                          (uint32_t) len);
    reader->pos += len;

    for (i = 0; field != 0 && i < CODR_SHAPE_ABSENT; i++) {
        if (item->absent[i] == 0) {
            item->absent[i] = field;
            return true;
        }
    }

    return false;
}


/* "field:", when there is one. */
static bool
read_field(reader_t *reader, uint16_t *ret)
{
    size_t len;

    *ret = 0;
    if (!isalpha((uint8_t) peek(reader)) && *reader->pos != '_') {
        return true;
    }

    len = word_length(reader);
    if (len == 1 && *reader->pos == '_') {
        return true;                    /* the node itself */
    }

    *ret = ts_language_field_id_for_name(reader->language, reader->pos,
                                         (uint32_t) len);
    reader->pos += len;
    if (*ret == 0 || peek(reader) != ':') {
        return false;
    }

    reader->pos++;
    return true;
}


/* What is inside of a node, up to its bracket. */
static bool
read_children(reader_t *reader, uint8_t n)
{
    bool     immediate = false;
    uint8_t  child = CODR_NO_ITEM, *link = &reader->text->item[n].child;
    uint16_t field;

    for ( ;; ) {
        if (skip_predicate(reader)) {
            continue;
        }

        switch (peek(reader)) {

        case '\0':
            return false;

        case ')':
            reader->pos++;
            if (immediate) {
                reader->text->item[child].last = true;
            }
            return !immediate || child != CODR_NO_ITEM;

        case '!':
            if (!read_absent(reader, &reader->text->item[n])) {
                return false;
            }
            continue;

        case '.':
            reader->pos++;
            immediate = true;
            continue;

        default:
            break;
        }

        if (!read_field(reader, &field) || !read_item(reader, &child)) {
            return false;
        }
        reader->text->item[child].field = field;
        reader->text->item[child].immediate = immediate;
        immediate = false;
        *link = child;
        link = &reader->text->item[child].next;
    }
}


/* "(type ...)", behind its bracket */
static bool
read_node(reader_t *reader, uint8_t n)
{
    size_t   len = word_length(reader);
    TSSymbol symbol;

    if (len == 1 && *reader->pos == '_') {
        reader->pos++;
        return read_children(reader, n);
    }
    if (len == 7 && memcmp(reader->pos, "MISSING", len) == 0) {
        reader->pos += len;
        reader->text->item[n].missing = true;
        return peek(reader) == ')' && read_children(reader, n);
    }
    if (len == 0 || (len < 7 && strncmp(reader->pos, "MISSING", len) == 0)) {
        return false;
    }

    symbol = ts_language_symbol_for_name(reader->language, reader->pos,
                                         (uint32_t) len, true);
    if (symbol == 0
        || (symbol != CODR_SYMBOL_ERROR
            && (symbol >= ts_language_symbol_count(reader->language)
                || ts_language_symbol_type(reader->language, symbol)
                   != TSSymbolTypeRegular)))
    {
        return false;
    }

    reader->text->item[n].symbol = symbol;
    reader->pos += len;
    return peek(reader) != '/' && read_children(reader, n);
}


/* "((node) predicates)", behind its first bracket: one node, no captures of
   its own. */
static bool
read_group(reader_t *reader, uint8_t *ret)
{
    if (reader->depth > 2 || !read_item(reader, ret)) {
        return false;
    }

    while (skip_predicate(reader)) {
        /* void */
    }
    if (peek(reader) != ')') {
        return false;
    }

    reader->pos++;
    return peek(reader) == '\0';
}


static bool
read_plain(reader_t *reader, uint8_t *ret)
{
    switch (peek(reader)) {

    case '"':
        return new_item(reader, ret) && read_anonymous(reader, *ret)
               && read_suffix(reader, *ret);

    case '[':
        return new_item(reader, ret) && read_choice(reader, *ret)
               && read_suffix(reader, *ret);

    case '_':
        if (word_length(reader) != 1 || !new_item(reader, ret)) {
            return false;
        }
        reader->pos++;
        reader->text->item[*ret].any = true;
        return read_suffix(reader, *ret);

    case '(':
        break;

    default:
        return false;
    }

    reader->pos++;
    if (strchr("([\"", peek(reader)) && *reader->pos != '\0') {
        return read_group(reader, ret);
    }

    return new_item(reader, ret) && read_node(reader, *ret)
           && read_suffix(reader, *ret);
}


static bool
read_item(reader_t *reader, uint8_t *ret)
{
    bool done;

    if (reader->depth == DEPTH) {
        return false;
    }

    reader->depth++;
    done = read_plain(reader, ret);
    reader->depth--;
    return done;
}


bool
codr_shape_read(codr_shape_text_t *ret, const TSLanguage *language,
    const TSQuery *query, const char *text, uint32_t pattern)
{
    uint8_t  root;
    reader_t reader = {
        .language = language, .query = query, .text = ret,
        .pos = text + ts_query_start_byte_for_pattern(query, pattern),
        .end = text + ts_query_end_byte_for_pattern(query, pattern),
    };

    ret->items = 0;
    return read_item(&reader, &root) && peek(&reader) == '\0'
           && root == 0 && ret->item[0].repeat == '\0';
}
