
/*
 * Bytes of programs as JSON text, and a first look at JSON from outside.
 *
 * Pure: libc only, no allocation, no nginx; every byte may be hostile.
 */

#ifndef _NGX_HTTP_CODR_TEXT_H_INCLUDED_
#define _NGX_HTTP_CODR_TEXT_H_INCLUDED_


#include <stddef.h>


/* Most bytes that ngx_http_codr_text_escape() makes of len bytes. */

#define NGX_HTTP_CODR_TEXT_ESCAPED(len)  ((len) * 6)


/*
 * Writes the bytes as the inside of a JSON string, always valid UTF-8: each
 * maximal part of an ill-formed sequence becomes one U+FFFD.  Unless last is
 * set, a sequence that is cut off by the end of the bytes is left alone:
 * ret_used, how many bytes were taken, is then up to three less than len.
 * Returns the number of bytes written.
 */

size_t ngx_http_codr_text_escape(unsigned char *dst, const unsigned char *src,
    size_t len, int last, size_t *ret_used);


/* 0 for UTF-8 and nothing else, else -1. */

int ngx_http_codr_text_valid(const unsigned char *p, size_t len);


/*
 * 0 when the JSON text opens at most depth brackets inside each other and has
 * at most values values, keys included; else -1.  Only bounds what a parser
 * will build: the text may still be no JSON at all.
 */

int ngx_http_codr_text_bounded(const unsigned char *p, size_t len,
    size_t depth, size_t values);


/*
 * 0 when the text has the outer shape of one JSON object with a string named
 * "type" in it: ret is what stands between that string's quotes, escapes and
 * all, of the last one.  Else -1, and also behind the same key spelled with
 * escapes.  For texts that a parser refuses, or whose other bytes are to stay
 * as they are.
 */

int ngx_http_codr_text_type(const unsigned char *p, size_t len,
    const unsigned char **ret, size_t *ret_len);


/* JSON text without the white space between its tokens: at most len bytes, of
   which it returns the number. */

size_t ngx_http_codr_text_compact(unsigned char *dst, const unsigned char *p,
    size_t len);


#endif /* _NGX_HTTP_CODR_TEXT_H_INCLUDED_ */
