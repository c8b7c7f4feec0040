
/*
 * permessage-deflate by zlib.  A worker has one stream each way for all of its
 * sockets, which is what a message without a context needs.  Whatever a peer
 * sends, no more is written than the caller allows, and memory grows with what
 * has been read so far, not with what was announced.  Runs in workers.
 */

#include "ngx_http_codr.h"
#include "ngx_http_codr_deflate.h"

#include <zlib.h>


/* Output is many small messages, and others wait: speed counts. */

#define NGX_HTTP_CODR_DEFLATE_LEVEL   Z_BEST_SPEED
#define NGX_HTTP_CODR_DEFLATE_MEMORY  8

#define NGX_HTTP_CODR_DEFLATE_FIRST   1024     /* bytes of memory, at least */


struct ngx_http_codr_deflate_s {
    z_stream                   in;
    z_stream                   out;
    ngx_uint_t                 reads;          /* unsigned  1:1, in is made */
    ngx_uint_t                 bits;           /* of out; 0: it is not made */
};


typedef struct {
    u_char                    *start;
    u_char                    *last;
    size_t                     size;
    size_t                     max;
    ngx_log_t                 *log;
} ngx_http_codr_deflate_room_t;


static void ngx_http_codr_deflate_cleanup(void *data);
static z_stream *ngx_http_codr_deflate_out(ngx_http_codr_deflate_t *d,
    ngx_uint_t bits);
static z_stream *ngx_http_codr_deflate_in(ngx_http_codr_deflate_t *d);
static ngx_int_t ngx_http_codr_deflate_inflate(z_stream *z,
    const u_char *data, size_t len, ngx_http_codr_deflate_room_t *room);
static ngx_int_t ngx_http_codr_deflate_grow(
    ngx_http_codr_deflate_room_t *room);


/* What a sync flush ends with: a sender leaves it out. */

static const u_char  ngx_http_codr_deflate_tail[] = { 0, 0, 0xff, 0xff };


ngx_http_codr_deflate_t *
ngx_http_codr_deflate_create(ngx_pool_t *pool)
{
    ngx_pool_cleanup_t       *cln;
    ngx_http_codr_deflate_t  *d;

    d = ngx_pcalloc(pool, sizeof(ngx_http_codr_deflate_t));
    cln = ngx_pool_cleanup_add(pool, 0);

    if (d == NULL || cln == NULL) {
        return NULL;
    }

    cln->handler = ngx_http_codr_deflate_cleanup;
    cln->data = d;

    return d;
}


static void
ngx_http_codr_deflate_cleanup(void *data)
{
    ngx_http_codr_deflate_t  *d = data;

    if (d->reads) {
        (void) inflateEnd(&d->in);
    }

    if (d->bits) {
        (void) deflateEnd(&d->out);            /* what is left is not wanted */
    }
}


ngx_int_t
ngx_http_codr_deflate_pack(ngx_http_codr_deflate_t *d, ngx_uint_t bits,
    const u_char *data, size_t len, u_char *out, size_t *size)
{
    z_stream  *z;

    z = ngx_http_codr_deflate_out(d, bits);
    if (z == NULL) {
        return NGX_DECLINED;
    }

    z->next_in = (Bytef *) data;
    z->avail_in = len;
    z->next_out = out;
    z->avail_out = len;

    /* all of it is out when there is room left */

    if (deflate(z, Z_SYNC_FLUSH) != Z_OK || z->avail_out == 0) {
        return NGX_DECLINED;
    }

    *size = z->next_out - out - sizeof(ngx_http_codr_deflate_tail);

    return NGX_OK;
}


/*
 * There is no window of 8 bits in zlib: it would use 9 instead.  But runs of
 * one byte look back by one, whatever the window.
 */

static z_stream *
ngx_http_codr_deflate_out(ngx_http_codr_deflate_t *d, ngx_uint_t bits)
{
    z_stream  *z;

    z = &d->out;

    if (d->bits == bits) {
        return (deflateReset(z) == Z_OK) ? z : NULL;
    }

    if (d->bits) {
        (void) deflateEnd(z);                  /* what is left is not wanted */
        d->bits = 0;
    }

    ngx_memzero(z, sizeof(z_stream));

    if (deflateInit2(z, NGX_HTTP_CODR_DEFLATE_LEVEL, Z_DEFLATED,
                     -(int) ngx_max(bits, 9), NGX_HTTP_CODR_DEFLATE_MEMORY,
                     bits < 9 ? Z_RLE : Z_DEFAULT_STRATEGY)
        != Z_OK)
    {
        return NULL;
    }

    d->bits = bits;

    return z;
}


ngx_int_t
ngx_http_codr_deflate_unpack(ngx_http_codr_deflate_t *d, const u_char *data,
    size_t len, size_t max, ngx_str_t *ret, ngx_log_t *log)
{
    z_stream                      *z;
    ngx_int_t                      rc;
    ngx_http_codr_deflate_room_t   room;

    ngx_memzero(&room, sizeof(ngx_http_codr_deflate_room_t));
    room.size = ngx_max(2 * len, NGX_HTTP_CODR_DEFLATE_FIRST);
    room.max = max;
    room.log = log;

    z = ngx_http_codr_deflate_in(d);
    if (z == NULL) {
        return NGX_ABORT;
    }

    rc = ngx_http_codr_deflate_inflate(z, data, len, &room);

    if (rc == NGX_OK) {
        rc = ngx_http_codr_deflate_inflate(z, ngx_http_codr_deflate_tail,
                                       sizeof(ngx_http_codr_deflate_tail),
                                       &room);
    }

    /* between two blocks, or it was cut off */

    if (rc == NGX_OK && len > 0 && !(z->data_type & 128)) {
        rc = NGX_ERROR;
    }

    if (rc == NGX_OK || rc == NGX_DONE) {
        ret->data = room.start;
        ret->len = room.last - room.start;
        return NGX_OK;
    }

    if (room.start) {
        ngx_free(room.start);
    }

    return rc;
}


static z_stream *
ngx_http_codr_deflate_in(ngx_http_codr_deflate_t *d)
{
    z_stream  *z;

    z = &d->in;

    if (d->reads) {
        return (inflateReset(z) == Z_OK) ? z : NULL;
    }

    ngx_memzero(z, sizeof(z_stream));

    if (inflateInit2(z, -MAX_WBITS) != Z_OK) {
        return NULL;
    }

    d->reads = 1;

    return z;
}


/* NGX_OK when all of it was read, NGX_DONE when the last block ended with it;
   what follows such a block (RFC 7692, section 7.2.3.5) begins anew. */

static ngx_int_t
ngx_http_codr_deflate_inflate(z_stream *z, const u_char *data, size_t len,
    ngx_http_codr_deflate_room_t *room)
{
    int        rc;
    size_t     left;
    ngx_int_t  grown;

    z->next_in = (Bytef *) data;
    z->avail_in = len;

    do {
        grown = ngx_http_codr_deflate_grow(room);
        if (grown != NGX_OK) {
            return grown;
        }

        left = room->start + room->size - room->last;

        z->next_out = room->last;
        z->avail_out = ngx_min(left, NGX_MAX_UINT32_VALUE);

        rc = inflate(z, Z_SYNC_FLUSH);

        room->last = z->next_out;

        if ((size_t) (room->last - room->start) > room->max) {
            return NGX_DECLINED;
        }

        if (rc == Z_STREAM_END) {

            if (z->avail_in == 0) {
                return NGX_DONE;
            }

            rc = inflateReset(z);
        }

        if (rc == Z_MEM_ERROR) {
            return NGX_ABORT;
        }

        if (rc != Z_OK && rc != Z_BUF_ERROR) {
            return NGX_ERROR;
        }

    } while (z->avail_in > 0 || z->avail_out == 0);

    return NGX_OK;
}


/* Makes room where there is none: twice as much as before, and for one byte
   more than may come. */

static ngx_int_t
ngx_http_codr_deflate_grow(ngx_http_codr_deflate_room_t *room)
{
    u_char  *p;
    size_t   used, size;

    used = room->last - room->start;

    if (room->start && used < room->size) {
        return NGX_OK;
    }

    size = room->start ? 2 * room->size : room->size;
    size = ngx_min(size, room->max + 1);

    p = ngx_alloc(size, room->log);
    if (p == NULL) {
        return NGX_ABORT;
    }

    if (room->start) {
        ngx_memcpy(p, room->start, used);
        ngx_free(room->start);
    }

    room->start = p;
    room->last = p + used;
    room->size = size;

    return NGX_OK;
}
