
/*
 * Names of jobs, as clients write them and as we keep them.
 */

#include "ngx_http_codr_id.h"


ngx_int_t
ngx_http_codr_id_digits(u_char *digits, const u_char *name, size_t len)
{
    u_char  c;
    size_t  i, n;

    for (i = 0, n = 0; i < len; i++) {
        c = ngx_tolower(name[i]);

        if (c == '-' && len == NGX_HTTP_CODR_UUID_LEN
            && (i == 8 || i == 13 || i == 18 || i == 23))
        {
            continue;
        }

        if (n == CODR_JOB_ID_LEN
            || !((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
        {
            return NGX_DECLINED;
        }

        digits[n++] = c;
    }

    return n == CODR_JOB_ID_LEN ? NGX_OK : NGX_DECLINED;
}


ngx_int_t
ngx_http_codr_id_bytes(u_char *bytes, const u_char *id, size_t len)
{
    ngx_uint_t  i;

    if (len != CODR_JOB_ID_LEN) {
        return NGX_ERROR;
    }

    for (i = 0; i < CODR_JOB_ID_LEN; i++) {
        if (!((id[i] >= '0' && id[i] <= '9')
              || (id[i] >= 'a' && id[i] <= 'f')))
        {
            return NGX_ERROR;
        }
    }

    for (i = 0; i < CODR_JOB_ID_LEN / 2; i++) {
        bytes[i] = (u_char) ngx_hextoi((u_char *) id + 2 * i, 2);
    }

    return NGX_OK;
}
