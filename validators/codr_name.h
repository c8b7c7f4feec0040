/*
 * Names and paths as the languages mean them, not as they are written.
 */

#ifndef CODR_NAME_H
#define CODR_NAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "codr_budget.h"

#define CODR_NAME_SIZE  256     /* a path with its NUL; longer ones have no
                                   meaning here */

/*
 * An identifier, or a path of them: escapes (\u0065val) decoded, letters that
 * Unicode counts as compatible folded to ASCII, r# dropped, "::" and "->"
 * turned into dots, blanks dropped, generic arguments skipped.  The length,
 * or 0 when it does not fit or is empty.  What is not plain counts as work, as
 * there may be any number of blanks.
 */
size_t codr_name_fold(char ret[CODR_NAME_SIZE], const char *text, size_t len,
    codr_budget_t *budget);

/* The text of a string literal between its quotes, escapes decoded; at most
   size bytes, the length, or -1. */
long codr_name_unescape(char *ret, size_t size, const char *text, size_t len);

/* Three texts in a row, none of which is there; false when that does not fit:
   then it is cut. */
bool codr_name_join(char *ret, size_t size, const char *first,
    const char *between, const char *last);

/* Appends a character as UTF-8; the new length, or the old one when there is
   no room. */
size_t codr_name_put(char *text, size_t len, size_t size, uint32_t character);

/* Whether a path is one a pattern means: "os.exec*", "subprocess.*". */
bool codr_name_matches(const char *path, const char *pattern);

#endif /* CODR_NAME_H */
