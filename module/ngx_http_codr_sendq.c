
/*
 * A queue of bytes for a socket.  Whoever fills it keeps it bounded.  What a
 * TLS connection could not take must be offered again from the same address,
 * so bytes never move once they are here.
 */

#include "ngx_http_codr_sendq.h"

#include <ngx_event.h>


#define NGX_HTTP_CODR_SENDBUF  (64 * 1024)
#define NGX_HTTP_CODR_SPARES   8
#define NGX_HTTP_CODR_IOVS     8               /* buffers of one writev() */


struct ngx_http_codr_sendbuf_s {
    ngx_http_codr_sendbuf_t   *next;
    u_char                    *pos;
    u_char                    *last;
    u_char                     data[NGX_HTTP_CODR_SENDBUF];
};


static ngx_http_codr_sendbuf_t *ngx_http_codr_sendq_grow(
    ngx_http_codr_sendq_t *q, ngx_log_t *log);
static ssize_t ngx_http_codr_sendq_write(ngx_http_codr_sendq_t *q,
    ngx_connection_t *c);
static void ngx_http_codr_sendq_sent(ngx_http_codr_sendq_t *q, size_t n);
static void ngx_http_codr_sendq_release(ngx_http_codr_sendq_t *q,
    ngx_http_codr_sendbuf_t *b);


ngx_int_t
ngx_http_codr_sendq_put(ngx_http_codr_sendq_t *q, const void *data, size_t len,
    ngx_log_t *log)
{
    size_t                    n;
    const u_char             *p;
    ngx_http_codr_sendbuf_t  *b;

    p = data;

    while (len > 0) {
        b = q->last;

        if (b == NULL || b->last == b->data + NGX_HTTP_CODR_SENDBUF) {
            b = ngx_http_codr_sendq_grow(q, log);
            if (b == NULL) {
                return NGX_ERROR;
            }
        }

        n = ngx_min(len, (size_t) (b->data + NGX_HTTP_CODR_SENDBUF - b->last));

        b->last = ngx_cpymem(b->last, p, n);
        q->size += n;
        p += n;
        len -= n;
    }

    return NGX_OK;
}


static ngx_http_codr_sendbuf_t *
ngx_http_codr_sendq_grow(ngx_http_codr_sendq_t *q, ngx_log_t *log)
{
    ngx_http_codr_sendbuf_t  *b;

    if (q->spares && q->spares->first) {
        b = q->spares->first;
        q->spares->first = b->next;
        q->spares->count--;

    } else {
        b = ngx_alloc(sizeof(ngx_http_codr_sendbuf_t), log);
        if (b == NULL) {
            return NULL;
        }
    }

    b->next = NULL;
    b->pos = b->data;
    b->last = b->data;

    if (q->last) {
        q->last->next = b;
    } else {
        q->first = b;
    }

    q->last = b;

    return b;
}


ngx_int_t
ngx_http_codr_sendq_send(ngx_http_codr_sendq_t *q, ngx_connection_t *c)
{
    ssize_t  n;

    while (q->first) {
        n = ngx_http_codr_sendq_write(q, c);

        if (n == NGX_AGAIN || n == 0) {
            return NGX_AGAIN;
        }

        if (n < 0) {
            return NGX_ERROR;
        }

        ngx_http_codr_sendq_sent(q, n);

        if (q->first && !c->write->ready) {
            return NGX_AGAIN;
        }
    }

    return NGX_OK;
}


/* As much as one call takes, over the bounds of buffers; TLS has its own way of
   making records. */

static ssize_t
ngx_http_codr_sendq_write(ngx_http_codr_sendq_t *q, ngx_connection_t *c)
{
    ssize_t                   n;
    ngx_iovec_t               vec;
    struct iovec              iovs[NGX_HTTP_CODR_IOVS];
    ngx_http_codr_sendbuf_t  *b;

    b = q->first;

    if (b->next == NULL
#if (NGX_SSL)
        || c->ssl
#endif
       )
    {
        return c->send(c, b->pos, b->last - b->pos);
    }

    vec.iovs = iovs;
    vec.nalloc = NGX_HTTP_CODR_IOVS;
    vec.count = 0;
    vec.size = 0;

    for ( /* void */ ; b && vec.count < vec.nalloc; b = b->next) {
        iovs[vec.count].iov_base = b->pos;
        iovs[vec.count].iov_len = b->last - b->pos;
        vec.size += b->last - b->pos;
        vec.count++;
    }

    n = ngx_writev(c, &vec);

    if (n > 0) {
        c->sent += n;
    }

    if (n == NGX_AGAIN || (n >= 0 && (size_t) n < vec.size)) {
        c->write->ready = 0;
    }

    return n;
}


static void
ngx_http_codr_sendq_sent(ngx_http_codr_sendq_t *q, size_t n)
{
    size_t                    len;
    ngx_http_codr_sendbuf_t  *b;

    q->size -= n;

    while (n > 0) {
        b = q->first;
        len = ngx_min(n, (size_t) (b->last - b->pos));

        b->pos += len;
        n -= len;

        if (b->pos < b->last) {
            return;
        }

        q->first = b->next;
        if (q->first == NULL) {
            q->last = NULL;
        }

        if (q->keep) {
            b->next = q->sent;
            q->sent = b;

        } else {
            ngx_http_codr_sendq_release(q, b);
        }
    }
}


static void
ngx_http_codr_sendq_release(ngx_http_codr_sendq_t *q,
    ngx_http_codr_sendbuf_t *b)
{
    if (q->spares == NULL || q->spares->count == NGX_HTTP_CODR_SPARES) {
        ngx_free(b);
        return;
    }

    b->next = q->spares->first;
    q->spares->first = b;
    q->spares->count++;
}


void
ngx_http_codr_sendq_again(ngx_http_codr_sendq_t *q)
{
    ngx_http_codr_sendbuf_t  *b;

    while (q->sent) {
        b = q->sent;
        q->sent = b->next;

        b->next = q->first;
        q->first = b;

        if (q->last == NULL) {
            q->last = b;
        }
    }

    q->size = 0;

    for (b = q->first; b; b = b->next) {
        b->pos = b->data;
        q->size += b->last - b->pos;
    }

    q->keep = 0;
}


void
ngx_http_codr_sendq_forget(ngx_http_codr_sendq_t *q)
{
    ngx_http_codr_sendbuf_t  *b;

    while (q->sent) {
        b = q->sent;
        q->sent = b->next;
        ngx_http_codr_sendq_release(q, b);
    }

    q->keep = 0;
}


void
ngx_http_codr_sendq_free(ngx_http_codr_sendq_t *q)
{
    ngx_http_codr_sendbuf_t  *b;

    while (q->first) {
        b = q->first;
        q->first = b->next;
        ngx_http_codr_sendq_release(q, b);
    }

    q->last = NULL;
    q->size = 0;

    ngx_http_codr_sendq_forget(q);
}
