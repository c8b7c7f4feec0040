/*
 * Long comments, which some parsers take very long for.
 */

#ifndef CODR_COMMENT_LINES_H
#define CODR_COMMENT_LINES_H

#include <stdbool.h>

#include "codr_arena.h"
#include "codr_source_text.h"

/* Of the lines of a comment only the first ones stay, and those that may be
   something else.  Of a text that has no joined lines.  False without
   memory. */
bool codr_comment_lines_drop(codr_text_t *text, codr_arena_t *arena,
    char mark);

#endif /* CODR_COMMENT_LINES_H */
