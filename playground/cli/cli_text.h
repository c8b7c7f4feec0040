/* Bytes of standard input as the UTF-8 that messages are made of. */

#ifndef CLI_TEXT_H
#define CLI_TEXT_H

#include <stddef.h>

/*
 * How many bytes of the text are whole characters: what is cut off at its end
 * is left for the next time.  Bytes that can be no part of one count as whole.
 */
size_t cli_text_whole(const char *text, size_t len);

/* Replaces what is no UTF-8 by U+FFFD; out has room for 3 x len bytes. */
size_t cli_text_clean(const char *text, size_t len, char *out);

#endif
