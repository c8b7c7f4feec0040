/*
 * What a build with sanitizers cannot keep to: its memory is shadowed, its
 * code is many times slower, and its runtime makes calls of its own.  Only
 * tests ever run such a build, and only here is anything waived for it.
 */

#ifndef CODR_SANITIZED_H
#define CODR_SANITIZED_H

#if defined(__SANITIZE_ADDRESS__)
#define CODR_SANITIZED  1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define CODR_SANITIZED  1
#endif
#endif

#ifndef CODR_SANITIZED
#define CODR_SANITIZED  0
#endif

/* How many times as much CPU time a check may take. */
#define CODR_SANITIZED_TIMES    (CODR_SANITIZED ? 20U : 1U)

#endif /* CODR_SANITIZED_H */
