/*
 * Drives the escaper of program output: the first byte says where the rest is
 * cut in two.  Both parts together must give what the whole gives, and that
 * must be well-formed UTF-8 that can stand inside a JSON string.
 */

#include "../../../module/ngx_http_codr_text.c"

#include "../fuzz.h"


static void *
allocate(size_t size)
{
    void  *p = malloc(size ? size : 1);

    if (p == NULL) {
        abort();
    }

    return p;
}


/* A decoder of its own, slow and by the definition. */
static size_t
decode(const uint8_t *p, size_t left)
{
    uint32_t  c;
    size_t    i, n;

    n = *p < 0x80 ? 1 : *p >= 0xf0 ? 4 : *p >= 0xe0 ? 3 : 2;
    if (n == 1) {
        return *p >= 0x20 && *p != '"' ? 1 : 0;
    }
    if (n > left) {
        return 0;
    }

    c = *p & (0xffu >> (n + 1));
    for (i = 1; i < n; i++) {
        if ((p[i] & 0xc0) != 0x80) {
            return 0;
        }
        c = c << 6 | (p[i] & 0x3fu);
    }

    return c < (n == 2 ? 0x80u : n == 3 ? 0x800u : 0x10000u) || c > 0x10ffff
           || (c >= 0xd800 && c <= 0xdfff) ? 0 : n;
}


static void
check(const uint8_t *p, size_t len)
{
    size_t  n, at;

    for (at = 0; at < len; at += n) {
        if (p[at] == '\\') {
            n = 2;
            if (len - at < 2 || strchr("nrt\"\\u", p[at + 1]) == NULL) {
                abort();
            }
            continue;
        }

        n = decode(p + at, len - at);
        if (n == 0) {
            abort();
        }
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t    cut, used, more, whole, first, second;
    uint8_t  *one, *two;

    if (size == 0) {
        return 0;
    }

    cut = (size_t) data[0] % size;
    data++;
    size--;

    (void) ngx_http_codr_text_bounded(data, size, 8, 64);

    one = allocate(NGX_HTTP_CODR_TEXT_ESCAPED(size));
    two = allocate(NGX_HTTP_CODR_TEXT_ESCAPED(size) + 18);

    whole = ngx_http_codr_text_escape(one, data, size, 1, &used);
    check(one, whole);

    first = ngx_http_codr_text_escape(two, data, cut, 0, &used);
    second = ngx_http_codr_text_escape(two + first, data + used, size - used,
                                       1, &more);

    if (cut - used > 3 || used + more != size || first + second != whole
        || memcmp(one, two, whole) != 0)
    {
        abort();
    }

    free(one);
    free(two);
    return 0;
}
