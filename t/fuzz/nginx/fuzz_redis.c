/*
 * What Redis may say, in the bytes of its protocol, read by hiredis: as a
 * message on a channel, and as the record of a job, which must come out as
 * well-formed JSON.  The first byte says where the bytes are cut in two.
 */

#include "host.h"

#include "../../../module/ngx_http_codr_link.c"
#include "../../../module/ngx_http_codr_redis_watch.c"
#include "../../../module/ngx_http_codr_remote.c"

static unsigned  stops;


ngx_int_t
ngx_http_codr_send_json(ngx_http_request_t *r, ngx_uint_t status,
    u_char *data, size_t len)
{
    json_t  *value = json_loadb((const char *) data, len, JSON_ALLOW_NUL,
                                NULL);

    (void) r;
    must(status == NGX_HTTP_OK && json_is_object(value));
    json_decref(value);

    return NGX_OK;
}


/* No job is here: what is signed would be looked for in the records. */
ngx_http_codr_job_t *
ngx_http_codr_job_find(ngx_http_codr_main_conf_t *mcf, const u_char *id)
{
    (void) mcf;
    (void) id;
    stops++;

    return NULL;
}


static void
message(void *data, const char *suffix, const u_char *text, size_t len)
{
    (void) data;
    must(suffix != NULL && (text != NULL || len == 0));
}


static void
take(host_t *host, ngx_http_codr_link_t *link, redisReply *reply)
{
    ngx_http_codr_look_t     look;
    ngx_http_codr_remote_t   remote;

    if (ngx_http_codr_link_pushed(reply)) {
        ngx_http_codr_redis_message(link, reply);
    }

    if (reply->type == REDIS_REPLY_ARRAY) {
        memset(&look, 0, sizeof(look));
        memset(&remote, 0, sizeof(remote));
        look.request = &host->request;
        remote.look = &look;
        remote.redis = link->redis;

        (void) ngx_http_codr_remote_ended(reply);
        must(ngx_http_codr_remote_record(&remote, reply) == NGX_OK);
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    host_t                       host;
    size_t                       cut;
    redisReader                 *reader;
    redisReply                  *reply = NULL;
    ngx_http_codr_link_t         link;
    ngx_http_codr_redis_t        redis;
    ngx_http_codr_redis_conf_t   conf;
    ngx_http_codr_watcher_t      watcher;

    memset(&link, 0, sizeof(link));
    link.redis = &redis;
    must(ngx_http_codr_link_reader(&link) == NGX_OK);
    reader = link.reader;
    cut = fuzz_byte(&data, &size);
    cut = ngx_min(cut, size);

    host_begin(&host);
    memset(&conf, 0, sizeof(conf));
    memset(&redis, 0, sizeof(redis));
    memset(&watcher, 0, sizeof(watcher));
    conf.input = 1;
    redis.conf = &conf;
    redis.mcf = &host.mcf;
    ngx_str_set(&host.mcf.ticket_key, "a key");
    ngx_queue_init(&redis.watchers);
    ngx_queue_init(&redis.relays);
    ngx_queue_init(&redis.distants);
    memset(watcher.id, '0', sizeof(watcher.id));
    watcher.message = message;
    ngx_queue_insert_tail(&redis.watchers, &watcher.queue);

    if (redisReaderFeed(reader, (const char *) data, cut) == REDIS_OK
        && redisReaderFeed(reader, (const char *) data + cut, size - cut)
           == REDIS_OK)
    {
        while (redisReaderGetReply(reader, (void **) &reply) == REDIS_OK
               && reply != NULL)
        {
            take(&host, &link, reply);
            freeReplyObject(reply);
            reply = NULL;
        }
    }

    redisReaderFree(reader);
    host_end(&host);

    return 0;
}
