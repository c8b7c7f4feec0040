/*
 * The text of a pattern as items: nodes and alternations, by the number of
 * their place.
 */

#ifndef CODR_SHAPE_TEXT_H
#define CODR_SHAPE_TEXT_H

#include <stdbool.h>
#include <stdint.h>

#include <tree_sitter/api.h>

#include "codr_shape.h"

#define CODR_SHAPE_ITEMS    96      /* of one pattern, branches too */
#define CODR_NO_ITEM        0       /* number 0 is the root */

typedef struct {
    uint16_t  symbol;               /* 0: any named node */
    uint16_t  field;
    uint16_t  absent[CODR_SHAPE_ABSENT];
    uint32_t  capture[CODR_SHAPE_CAPTURES];
    uint8_t   captures;
    uint8_t   child;                /* the first, of an alternation too */
    uint8_t   next;                 /* sibling */
    bool      choice;               /* an alternation */
    bool      any;                  /* symbol 0: nodes without a name, too */
    bool      missing;
    bool      immediate;
    bool      last;
    char      repeat;               /* '*', '+' or NUL */
} codr_item_t;

typedef struct {
    codr_item_t  item[CODR_SHAPE_ITEMS];
    uint8_t      items;
} codr_shape_text_t;


/* False: it has something that is not plain. */
bool codr_shape_read(codr_shape_text_t *ret, const TSLanguage *language,
    const TSQuery *query, const char *text, uint32_t pattern);

#endif /* CODR_SHAPE_TEXT_H */
