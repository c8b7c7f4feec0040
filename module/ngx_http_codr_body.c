
/*
 * What a client sends as JSON: the body of a request in one piece, and a
 * parser that cannot be made to build more than a message needs.  Runs in
 * workers.
 */

#include "ngx_http_codr_body.h"
#include "ngx_http_codr_text.h"


/* What a parser may be made to build of one message. */

#define NGX_HTTP_CODR_PARSE_DEPTH   32
#define NGX_HTTP_CODR_PARSE_VALUES  16384


ngx_int_t
ngx_http_codr_read_body(ngx_http_request_t *r, ngx_str_t *body)
{
    off_t         size;
    u_char       *p;
    ssize_t       n;
    ngx_buf_t    *b;
    ngx_chain_t  *cl, *bufs;

    size = 0;
    bufs = r->request_body ? r->request_body->bufs : NULL;

    for (cl = bufs; cl; cl = cl->next) {
        size += ngx_buf_size(cl->buf);
    }

    p = ngx_palloc(r->pool, (size_t) size + 1);
    if (p == NULL) {
        return NGX_ERROR;
    }

    body->data = p;
    body->len = (size_t) size;

    for (cl = bufs; cl; cl = cl->next) {
        b = cl->buf;

        if (ngx_buf_in_memory(b)) {
            p = ngx_cpymem(p, b->pos, b->last - b->pos);

        } else if (b->in_file) {               /* else it only marks an end */
            size = b->file_last - b->file_pos;
            n = ngx_read_file(b->file, p, (size_t) size, b->file_pos);

            if (n != size) {
                return NGX_ERROR;
            }

            p += n;
        }
    }

    return NGX_OK;
}


json_t *
ngx_http_codr_parse(const u_char *data, size_t len)
{
    json_t        *message;
    json_error_t   error;

    if (ngx_http_codr_text_bounded(data, len, NGX_HTTP_CODR_PARSE_DEPTH,
                                   NGX_HTTP_CODR_PARSE_VALUES)
        != 0)
    {
        return NULL;
    }

    message = json_loadb((const char *) data, len, JSON_ALLOW_NUL, &error);

    if (message == NULL
        && json_error_code(&error) == json_error_numeric_overflow)
    {
        /* an integer beyond 64 bits is a number all the same */

        message = json_loadb((const char *) data, len,
                             JSON_ALLOW_NUL|JSON_DECODE_INT_AS_REAL, &error);
    }

    return message;
}
