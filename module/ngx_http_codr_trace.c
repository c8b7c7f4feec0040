
/*
 * The W3C's traceparent: what a client's request says of the trace it belongs
 * to, when it is well-formed; carried to the log and the record.  Runs in
 * workers.
 */

#include "ngx_http_codr.h"


#define NGX_HTTP_CODR_TRACE_LEN  (sizeof("00-") - 1 + 32 + 1 + 16 + 1 + 2)


static ngx_uint_t
ngx_http_codr_trace_digits(const u_char *p, size_t n, ngx_uint_t zeroes)
{
    size_t      i;
    ngx_uint_t  all;

    all = 1;

    for (i = 0; i < n; i++) {
        if (!((p[i] >= '0' && p[i] <= '9') || (p[i] >= 'a' && p[i] <= 'f'))) {
            return 0;
        }

        all = all && p[i] == '0';
    }

    return zeroes || !all;
}


/* version-trace-parent-flags; a version to come may say more after that. */

static ngx_uint_t
ngx_http_codr_trace_valid(ngx_str_t *value)
{
    const u_char  *p;

    p = value->data;

    if (value->len < NGX_HTTP_CODR_TRACE_LEN
        || value->len > NGX_HTTP_CODR_TRACE_MAX
        || !ngx_http_codr_trace_digits(p, 2, 1)
        || (p[0] == 'f' && p[1] == 'f')
        || p[2] != '-' || !ngx_http_codr_trace_digits(p + 3, 32, 0)
        || p[35] != '-' || !ngx_http_codr_trace_digits(p + 36, 16, 0)
        || p[52] != '-' || !ngx_http_codr_trace_digits(p + 53, 2, 1))
    {
        return 0;
    }

    return value->len == NGX_HTTP_CODR_TRACE_LEN
           || (p[55] == '-' && !(p[0] == '0' && p[1] == '0'));
}


void
ngx_http_codr_traceparent(ngx_http_request_t *r, ngx_str_t *trace)
{
    ngx_uint_t        i, n;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *header;

    static ngx_str_t  name = ngx_string("traceparent");

    n = 0;
    ngx_str_null(trace);

    for (part = &r->headers_in.headers.part; part; part = part->next) {
        header = part->elts;

        for (i = 0; i < part->nelts; i++) {

            if (header[i].key.len != name.len
                || ngx_strncmp(header[i].lowcase_key, name.data, name.len)
                   != 0)
            {
                continue;
            }

            *trace = header[i].value;
            n++;
        }
    }

    if (n != 1 || !ngx_http_codr_trace_valid(trace)) {
        ngx_str_null(trace);
    }
}
