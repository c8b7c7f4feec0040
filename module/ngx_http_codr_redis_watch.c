
/*
 * Messages from Redis.  Each worker listens for what other nodes want of jobs;
 * and, for those who watch a job of another node, for what is published of
 * that.  Every byte may be a stranger's.  Runs in workers.
 */

#include "ngx_http_codr_job.h"
#include "ngx_http_codr_hold.h"
#include "ngx_http_codr_distant.h"
#include "ngx_http_codr_redis_watch.h"


#define NGX_HTTP_CODR_WATCH_MAX  1024          /* of a worker */


static void ngx_http_codr_watch_subscribe(ngx_http_codr_redis_t *redis,
    const char *verb, const u_char *id);
static void ngx_http_codr_watch_pattern(ngx_http_codr_link_t *link,
    const char *suffix);
static void ngx_http_codr_watch_take(ngx_http_codr_redis_t *redis,
    const redisReply *channel, const redisReply *text);
static void ngx_http_codr_watch_stream(ngx_http_codr_redis_t *redis,
    const u_char *name, size_t len, const redisReply *text);
static void ngx_http_codr_watch_input(ngx_http_codr_redis_t *redis,
    const u_char *id, const char *text, size_t len);


void
ngx_http_codr_redis_listen(ngx_http_codr_link_t *link)
{
    ngx_queue_t              *q;
    ngx_http_codr_redis_t    *redis;
    ngx_http_codr_watcher_t  *watcher;

    redis = link->redis;

    ngx_http_codr_watch_pattern(link, ":control");

    if (redis->conf->input) {
        ngx_http_codr_watch_pattern(link, ":input");
    }

    for (q = ngx_queue_head(&redis->watchers);
         q != ngx_queue_sentinel(&redis->watchers);
         q = ngx_queue_next(q))
    {
        watcher = ngx_queue_data(q, ngx_http_codr_watcher_t, queue);
        ngx_http_codr_watch_subscribe(redis, "SUBSCRIBE", watcher->id);
    }

    ngx_http_codr_distant_again(redis);
}


static void
ngx_http_codr_watch_pattern(ngx_http_codr_link_t *link, const char *suffix)
{
    u_char                         name[NGX_HTTP_CODR_REDIS_NAME];
    ngx_http_codr_redis_command_t  command;

    command.argc = 0;
    ngx_http_codr_redis_word(&command, "PSUBSCRIBE");
    ngx_http_codr_redis_arg(&command, name,
                            ngx_snprintf(name, sizeof(name), "%Vjob:*%s",
                                         &link->redis->conf->prefix, suffix)
                            - name);

    ngx_http_codr_link_channels(link, &command);
}


/* Before the connection stands nothing is sent: it will be, then. */

static void
ngx_http_codr_watch_subscribe(ngx_http_codr_redis_t *redis, const char *verb,
    const u_char *id)
{
    u_char                         output[NGX_HTTP_CODR_REDIS_NAME];
    u_char                         complete[NGX_HTTP_CODR_REDIS_NAME];
    ngx_http_codr_redis_command_t  command;

    command.argc = 0;
    ngx_http_codr_redis_word(&command, verb);
    ngx_http_codr_redis_arg(&command, output,
                            ngx_http_codr_redis_name(redis, output, id,
                                                     ":output"));
    ngx_http_codr_redis_arg(&command, complete,
                            ngx_http_codr_redis_name(redis, complete, id,
                                                     ":complete"));

    ngx_http_codr_link_channels(&redis->messages, &command);
}


static ngx_uint_t
ngx_http_codr_watch_others(ngx_http_codr_redis_t *redis, const u_char *id)
{
    ngx_uint_t                n;
    ngx_queue_t              *q;
    ngx_http_codr_watcher_t  *watcher;

    n = 0;

    for (q = ngx_queue_head(&redis->watchers);
         q != ngx_queue_sentinel(&redis->watchers);
         q = ngx_queue_next(q))
    {
        watcher = ngx_queue_data(q, ngx_http_codr_watcher_t, queue);
        n += (ngx_memcmp(watcher->id, id, CODR_JOB_ID_LEN) == 0);
    }

    return n;
}


ngx_int_t
ngx_http_codr_redis_watch(ngx_http_codr_redis_t *redis,
    ngx_http_codr_watcher_t *watcher)
{
    if (redis->watching == NGX_HTTP_CODR_WATCH_MAX) {
        return NGX_DECLINED;
    }

    if (ngx_http_codr_watch_others(redis, watcher->id) == 0) {
        ngx_http_codr_watch_subscribe(redis, "SUBSCRIBE", watcher->id);
    }

    ngx_queue_insert_tail(&redis->watchers, &watcher->queue);
    redis->watching++;

    return NGX_OK;
}


void
ngx_http_codr_redis_unwatch(ngx_http_codr_redis_t *redis,
    ngx_http_codr_watcher_t *watcher)
{
    ngx_queue_remove(&watcher->queue);
    redis->watching--;

    if (ngx_http_codr_watch_others(redis, watcher->id) == 0) {
        ngx_http_codr_watch_subscribe(redis, "UNSUBSCRIBE", watcher->id);
    }
}


/* [p]message, pattern?, channel, text; everything else is of no interest. */

void
ngx_http_codr_redis_message(ngx_http_codr_link_t *link, redisReply *reply)
{
    size_t  n;

    n = reply->elements;

    if (link->redis->deaf && link->pending == 0) {
        link->redis->deaf = 0;
        ngx_log_error(NGX_LOG_NOTICE, ngx_cycle->log, 0,
                      "codr: Redis takes subscriptions again");
    }

    if ((n == 3 && ngx_strcmp(reply->element[0]->str, "message") == 0)
        || (n == 4 && ngx_strcmp(reply->element[0]->str, "pmessage") == 0))
    {
        ngx_http_codr_watch_take(link->redis, reply->element[n - 2],
                                 reply->element[n - 1]);

    } else if (n == 3
               && ngx_strcmp(reply->element[0]->str, "subscribe") == 0)
    {
        ngx_http_codr_watch_take(link->redis, reply->element[1], NULL);
    }
}


/* What another node says of a job that is watched here, or, with text NULL,
   that it would be heard now. */

static void
ngx_http_codr_watch_stream(ngx_http_codr_redis_t *redis, const u_char *name,
    size_t len, const redisReply *text)
{
    if (len != NGX_HTTP_CODR_STREAM_NAME) {
        return;
    }

    if (text) {
        ngx_http_codr_distant_message(redis, name, (u_char *) text->str,
                                      text->len);

    } else {
        ngx_http_codr_distant_subscribed(redis, name);
    }
}


static void
ngx_http_codr_watch_take(ngx_http_codr_redis_t *redis,
    const redisReply *channel, const redisReply *text)
{
    size_t                    skip;
    u_char                   *id;
    const char               *suffix;
    ngx_queue_t              *q, *next;
    ngx_http_codr_watcher_t  *watcher;

    skip = redis->conf->prefix.len + sizeof("job:") - 1;

    if (channel->type != REDIS_REPLY_STRING
        || (text && text->type != REDIS_REPLY_STRING)
        || channel->len <= skip + CODR_JOB_ID_LEN)
    {
        return;
    }

    id = (u_char *) channel->str + skip;
    suffix = channel->str + skip + CODR_JOB_ID_LEN;
    skip += CODR_JOB_ID_LEN + sizeof(":stream:") - 1;

    if (channel->len > skip
        && ngx_strncmp(suffix, ":stream:", sizeof(":stream:") - 1) == 0)
    {
        ngx_http_codr_watch_stream(redis, (u_char *) channel->str + skip,
                                   channel->len - skip, text);
        return;
    }

    if (text == NULL) {
        return;
    }

    if (ngx_strcmp(suffix, ":control") == 0) {
        ngx_http_codr_redis_control(redis, id, (u_char *) text->str,
                                    text->len);
        return;
    }

    if (ngx_strcmp(suffix, ":input") == 0) {
        ngx_http_codr_watch_input(redis, id, text->str, text->len);
        return;
    }

    for (q = ngx_queue_head(&redis->watchers);
         q != ngx_queue_sentinel(&redis->watchers);
         q = next)
    {
        next = ngx_queue_next(q);
        watcher = ngx_queue_data(q, ngx_http_codr_watcher_t, queue);

        if (ngx_memcmp(watcher->id, id, CODR_JOB_ID_LEN) == 0) {
            watcher->message(watcher->data, suffix, (u_char *) text->str,
                             text->len);
        }
    }
}


static void
ngx_http_codr_watch_input(ngx_http_codr_redis_t *redis, const u_char *id,
    const char *text, size_t len)
{
    ngx_http_codr_job_t  *job;

    job = ngx_http_codr_job_find(redis->mcf, id);

    if (job && redis->conf->input && !job->closed
        && len <= job->input_max - job->input_size)
    {
        ngx_http_codr_job_input(job, text, len);
    }
}
