
/*
 * JSON for clients.  A writer that cannot make ill-formed JSON of hostile
 * bytes: every string goes through the escaper.  Runs in workers.
 */

#include "ngx_http_codr_json.h"
#include "ngx_http_codr_text.h"


#define NGX_HTTP_CODR_JSON_PIECE  4096


static u_char *ngx_http_codr_json_room(ngx_http_codr_json_t *j, size_t n);
static void ngx_http_codr_json_key(ngx_http_codr_json_t *j, const char *key);


void
ngx_http_codr_json_init(ngx_http_codr_json_t *j, ngx_pool_t *pool, size_t size)
{
    j->pool = pool;
    j->start = ngx_pnalloc(pool, size);
    j->pos = j->start;
    j->end = j->start ? j->start + size : NULL;
    j->comma = 0;
    j->failed = (j->start == NULL);
}


/* Room for n more bytes, or NULL. */

static u_char *
ngx_http_codr_json_room(ngx_http_codr_json_t *j, size_t n)
{
    size_t   used, size;
    u_char  *p;

    if (j->failed) {
        return NULL;
    }

    if ((size_t) (j->end - j->pos) >= n) {
        return j->pos;
    }

    used = j->pos - j->start;
    size = 2 * (used + n);

    p = ngx_pnalloc(j->pool, size);
    if (p == NULL) {
        j->failed = 1;
        return NULL;
    }

    ngx_memcpy(p, j->start, used);
    (void) ngx_pfree(j->pool, j->start);       /* declines small ones */

    j->start = p;
    j->pos = p + used;
    j->end = p + size;

    return j->pos;
}


void
ngx_http_codr_json_put(ngx_http_codr_json_t *j, const void *data, size_t len)
{
    if (ngx_http_codr_json_room(j, len)) {
        j->pos = ngx_cpymem(j->pos, data, len);
    }
}


static void
ngx_http_codr_json_key(ngx_http_codr_json_t *j, const char *key)
{
    size_t  len;

    if (j->comma) {
        ngx_http_codr_json_put(j, ",", 1);
    }

    j->comma = 1;

    if (key == NULL) {
        return;
    }

    len = ngx_strlen(key);

    if (ngx_http_codr_json_room(j, len + 3)) {
        *j->pos++ = '"';
        j->pos = ngx_cpymem(j->pos, key, len);
        *j->pos++ = '"';
        *j->pos++ = ':';
    }
}


void
ngx_http_codr_json_open(ngx_http_codr_json_t *j, const char *key)
{
    ngx_http_codr_json_key(j, key);
    ngx_http_codr_json_put(j, "{", 1);
    j->comma = 0;
}


void
ngx_http_codr_json_close(ngx_http_codr_json_t *j)
{
    ngx_http_codr_json_put(j, "}", 1);
    j->comma = 1;
}


void
ngx_http_codr_json_array(ngx_http_codr_json_t *j, const char *key)
{
    ngx_http_codr_json_key(j, key);
    ngx_http_codr_json_put(j, "[", 1);
    j->comma = 0;
}


void
ngx_http_codr_json_array_end(ngx_http_codr_json_t *j)
{
    ngx_http_codr_json_put(j, "]", 1);
    j->comma = 1;
}


/* Piece by piece, so that no more than that is set aside for the worst. */

void
ngx_http_codr_json_text(ngx_http_codr_json_t *j, const char *key,
    const ngx_str_t *value)
{
    size_t   n, left, used;
    u_char  *p;

    ngx_http_codr_json_key(j, key);
    ngx_http_codr_json_put(j, "\"", 1);

    p = value->data;

    for (left = value->len; left > 0; left -= used) {
        n = ngx_min(left, NGX_HTTP_CODR_JSON_PIECE);

        if (ngx_http_codr_json_room(j, NGX_HTTP_CODR_TEXT_ESCAPED(n)) == NULL)
        {
            return;
        }

        j->pos += ngx_http_codr_text_escape(j->pos, p, n, n == left, &used);
        p += used;
    }

    ngx_http_codr_json_put(j, "\"", 1);
}


void
ngx_http_codr_json_name(ngx_http_codr_json_t *j, const char *key,
    const char *value)
{
    ngx_str_t  s;

    s.data = (u_char *) value;
    s.len = ngx_strlen(value);

    ngx_http_codr_json_text(j, key, &s);
}


void
ngx_http_codr_json_number(ngx_http_codr_json_t *j, const char *key,
    int64_t value)
{
    ngx_http_codr_json_key(j, key);

    if (ngx_http_codr_json_room(j, NGX_INT64_LEN + 1)) {
        j->pos = ngx_sprintf(j->pos, "%L", value);
    }
}


void
ngx_http_codr_json_seconds(ngx_http_codr_json_t *j, const char *key,
    uint64_t us)
{
    ngx_http_codr_json_key(j, key);

    if (ngx_http_codr_json_room(j, NGX_INT64_LEN + sizeof(".000000"))) {
        j->pos = ngx_sprintf(j->pos, "%uL.%06uL", us / 1000000, us % 1000000);
    }
}


/* Milliseconds since 1970, as RFC 3339 has it. */

void
ngx_http_codr_json_time(ngx_http_codr_json_t *j, const char *key, uint64_t ms)
{
    ngx_tm_t  tm;

    ngx_http_codr_json_key(j, key);

    if (ngx_http_codr_json_room(j, sizeof("\"1970-01-01T00:00:00.000Z\"") + 16))
    {
        ngx_gmtime((time_t) (ms / 1000), &tm);

        j->pos = ngx_sprintf(j->pos, "\"%4d-%02d-%02dT%02d:%02d:%02d.%03uLZ\"",
                             tm.ngx_tm_year, tm.ngx_tm_mon, tm.ngx_tm_mday,
                             tm.ngx_tm_hour, tm.ngx_tm_min, tm.ngx_tm_sec,
                             ms % 1000);
    }
}


void
ngx_http_codr_json_bool(ngx_http_codr_json_t *j, const char *key,
    uint64_t value)
{
    ngx_http_codr_json_key(j, key);

    if (value) {
        ngx_http_codr_json_put(j, "true", 4);

    } else {
        ngx_http_codr_json_put(j, "false", 5);
    }
}


void
ngx_http_codr_json_raw(ngx_http_codr_json_t *j, const char *key,
    const void *data, size_t len)
{
    ngx_http_codr_json_key(j, key);
    ngx_http_codr_json_put(j, data, len);
}


void
ngx_http_codr_json_null(ngx_http_codr_json_t *j, const char *key)
{
    ngx_http_codr_json_key(j, key);
    ngx_http_codr_json_put(j, "null", 4);
}
