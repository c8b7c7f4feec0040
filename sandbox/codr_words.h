/*
 * A compiler's words, made fit to be shown: valid UTF-8, bounded, and without
 * paths of the host.
 */

#ifndef CODR_WORDS_H
#define CODR_WORDS_H

#include <stdbool.h>
#include <stddef.h>

#define CODR_WORDS_MAX  (48 * 1024)     /* bytes kept of what a compiler says */


/*
 * Copies words of len bytes to text, which has room for size bytes (at least
 * 1), and ends it with a NUL.  Returns the length.
 *
 * An absolute path outside quoted source lines keeps only what tells files
 * apart: below /box the rest, elsewhere the last part.  Bytes that are no
 * UTF-8, and NUL, become U+FFFD.
 */
size_t codr_words_clean(char *text, size_t size, const char *words,
    size_t len);

/*
 * Whether a compiler that failed says that the disk was too small for it.  A
 * driver cleans up after what it had started, so nothing else shows it.  What
 * is said of a place in the source does not count: it may quote the user.
 */
bool codr_words_tell_full(const char *text);

#endif /* CODR_WORDS_H */
