/*
 * permessage-deflate: the first byte is the window.  What is packed comes out
 * as it was; what anybody else may have packed comes out within its bounds, or
 * not at all, and the streams are as good as new for the next.
 */

#include "host.h"

#include "../../../module/ngx_http_codr_deflate.h"

#define MOST  5000


static void
there_and_back(host_t *host, ngx_http_codr_deflate_t *d, ngx_uint_t bits,
    const uint8_t *data, size_t size)
{
    size_t     n;
    u_char    *packed = malloc(size ? size : 1);
    ngx_str_t  back;

    must(packed != NULL);

    if (ngx_http_codr_deflate_pack(d, bits, data, size, packed, &n) == NGX_OK)
    {
        must(n <= size);
        must(ngx_http_codr_deflate_unpack(d, packed, n, size, &back,
                                          &host->log) == NGX_OK);
        must(back.len == size && memcmp(back.data, data, size) == 0);
        ngx_free(back.data);

        must(size == 0
             || ngx_http_codr_deflate_unpack(d, packed, n, size - 1, &back,
                                             &host->log) == NGX_DECLINED);
    }

    free(packed);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    host_t                    host;
    ngx_str_t                 text;
    ngx_uint_t                bits = 9 + fuzz_byte(&data, &size) % 7;
    ngx_http_codr_deflate_t  *d;

    host_begin(&host);
    d = ngx_http_codr_deflate_create(host.pool);
    must(d != NULL);

    if (ngx_http_codr_deflate_unpack(d, data, size, MOST, &text, &host.log)
        == NGX_OK)
    {
        must(text.len <= MOST);
        ngx_free(text.data);
    }

    there_and_back(&host, d, bits, data, size);
    host_end(&host);

    return 0;
}
