
/*
 * What a program writes, published as it comes.  A character that is cut off
 * waits for its other bytes, stream by stream; nothing else is kept.  Runs in
 * workers.
 */

#include "ngx_http_codr_redis_save.h"
#include "ngx_http_codr_text.h"


#define NGX_HTTP_CODR_PUBLISH_CUT   3          /* bytes of a cut character */
#define NGX_HTTP_CODR_PUBLISH_TEXT                                            \
    sizeof("{\"type\":\"output\",\"stream\":\"stdout\",\"data\":\"\","        \
           "\"offset\":,\"end\":}")


typedef struct {
    u_char                     data[NGX_HTTP_CODR_PUBLISH_CUT];
    size_t                     len;
} ngx_http_codr_publish_held_t;


struct ngx_http_codr_publish_s {
    ngx_http_codr_redis_t         *redis;
    uint64_t                       offset;     /* end of the last message */
    ngx_http_codr_publish_held_t   held[2];
};


static void ngx_http_codr_publish_text(ngx_http_codr_job_t *job,
    ngx_uint_t stream, const u_char *data, size_t len, uint64_t end,
    ngx_uint_t last);


ngx_int_t
ngx_http_codr_publish_create(ngx_http_codr_redis_t *redis,
    ngx_http_codr_job_t *job)
{
    job->published = ngx_pcalloc(job->pool,
                                 sizeof(ngx_http_codr_publish_t));
    if (job->published == NULL) {
        return NGX_ERROR;
    }

    job->published->redis = redis;

    return NGX_OK;
}


void
ngx_http_codr_publish(ngx_http_codr_job_t *job, codr_output_t *output)
{
    size_t                         len;
    u_char                        *p;
    ngx_http_codr_publish_held_t  *held;

    if (job->published == NULL || !job->published->redis->up) {
        return;
    }

    held = &job->published->held[output->stream - 1];
    len = held->len + output->length;

    p = ngx_alloc(len, ngx_cycle->log);
    if (p == NULL) {
        return;
    }

    ngx_memcpy(p, held->data, held->len);
    ngx_memcpy(p + held->len, output->data, output->length);

    ngx_http_codr_publish_text(job, output->stream, p, len,
                               output->offset + output->length, 0);
    ngx_free(p);
}


void
ngx_http_codr_publish_end(ngx_http_codr_job_t *job)
{
    ngx_uint_t                     i;
    ngx_http_codr_publish_held_t  *held;

    for (i = 0; job->published && i < 2; i++) {
        held = &job->published->held[i];

        if (held->len) {
            ngx_http_codr_publish_text(job, i + 1, held->data, held->len,
                                       job->published->offset + held->len, 1);
        }
    }
}


/* One message; what is cut off is held. */

static void
ngx_http_codr_publish_text(ngx_http_codr_job_t *job, ngx_uint_t stream,
    const u_char *data, size_t len, uint64_t end, ngx_uint_t last)
{
    size_t                         used;
    u_char                        *text, *p;
    ngx_http_codr_publish_t       *publish;
    ngx_http_codr_publish_held_t  *held;

    publish = job->published;
    held = &publish->held[stream - 1];

    text = ngx_alloc(NGX_HTTP_CODR_PUBLISH_TEXT + 2 * NGX_INT64_LEN
                     + NGX_HTTP_CODR_TEXT_ESCAPED(len), ngx_cycle->log);
    if (text == NULL) {
        held->len = 0;
        return;
    }

    p = ngx_sprintf(text, "{\"type\":\"output\",\"stream\":\"%s\",\"data\":\"",
                    stream == 1 ? "stdout" : "stderr");
    p += ngx_http_codr_text_escape(p, data, len, last, &used);

    if (used) {
        end -= len - used;
        p = ngx_sprintf(p, "\",\"offset\":%uL,\"end\":%uL}", publish->offset,
                        end);

        ngx_http_codr_redis_publish(publish->redis, job->id, ":output", text,
                                    p - text);
        publish->offset = end;
    }

    held->len = ngx_min(len - used, NGX_HTTP_CODR_PUBLISH_CUT);
    ngx_memmove(held->data, data + used, held->len);

    ngx_free(text);
}
