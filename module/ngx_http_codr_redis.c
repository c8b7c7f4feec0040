
/*
 * Whether Redis can be used, and what is written to it.  It counts as up when
 * it takes a write: one that is loading, full, read-only or wants another
 * password answers, and is down all the same.  Jobs do not notice; the log
 * says it once.  Runs in workers.
 */

#include "ngx_http_codr_redis.h"
#include "ngx_http_codr_distant.h"
#include "ngx_http_codr_redis_save.h"
#include "ngx_http_codr_store.h"
#include "ngx_http_codr_redis_watch.h"


#define NGX_HTTP_CODR_REDIS_PROBE  1000        /* milliseconds */
#define NGX_HTTP_CODR_REDIS_CAUSE  128
#define NGX_HTTP_CODR_REDIS_BEAT   10000       /* milliseconds */
#define NGX_HTTP_CODR_REDIS_LIFE   "40"        /* seconds without one */


static void ngx_http_codr_redis_ready(ngx_http_codr_link_t *link);
static void ngx_http_codr_redis_lost(ngx_http_codr_link_t *link,
    const char *cause);
static void ngx_http_codr_redis_quiet(ngx_http_codr_link_t *link,
    const char *cause);
static void ngx_http_codr_redis_cause(ngx_str_t *s, u_char *text,
    const char *cause);
static void ngx_http_codr_redis_enter(ngx_http_codr_link_t *link);
static void ngx_http_codr_redis_entered(void *data, redisReply *reply);
static void ngx_http_codr_redis_probe(ngx_event_t *ev);
static void ngx_http_codr_redis_probed(void *data, redisReply *reply);
static void ngx_http_codr_redis_beat(ngx_event_t *ev);
static void ngx_http_codr_redis_said(ngx_http_codr_redis_t *redis,
    ngx_uint_t up, const char *cause);
static void ngx_http_codr_redis_cleanup(void *data);


/* Made when it is first asked for: without a master process the workers'
   init_process hook does not run again for the configuration of a reload. */

ngx_http_codr_redis_t *
ngx_http_codr_redis(ngx_http_codr_main_conf_t *mcf)
{
    ngx_pool_cleanup_t     *cln;
    ngx_http_codr_redis_t  *redis;
    ngx_http_codr_store_t  *store;

    if (mcf->redis_conf == NULL || mcf->redis) {
        return mcf->redis;
    }

    redis = ngx_pcalloc(ngx_cycle->pool, sizeof(ngx_http_codr_redis_t));
    cln = ngx_pool_cleanup_add(ngx_cycle->pool, 0);

    if (redis == NULL || cln == NULL) {
        return NULL;
    }

    cln->handler = ngx_http_codr_redis_cleanup;
    cln->data = redis;

    redis->mcf = mcf;
    redis->conf = mcf->redis_conf;

    ngx_queue_init(&redis->watchers);
    ngx_queue_init(&redis->relays);
    ngx_queue_init(&redis->distants);

    ngx_http_codr_link_init(&redis->commands, redis);
    ngx_http_codr_link_init(&redis->messages, redis);

    redis->commands.ready = ngx_http_codr_redis_ready;
    redis->commands.lost = ngx_http_codr_redis_lost;
    redis->messages.ready = ngx_http_codr_redis_ready;
    redis->messages.lost = ngx_http_codr_redis_quiet;
    redis->messages.message = ngx_http_codr_redis_message;

    redis->probe.handler = ngx_http_codr_redis_probe;
    redis->probe.data = redis;
    redis->probe.log = ngx_cycle->log;
    redis->probe.cancelable = 1;

    redis->beat.handler = ngx_http_codr_redis_beat;
    redis->beat.data = redis;
    redis->beat.log = ngx_cycle->log;
    redis->beat.cancelable = 1;

    store = ngx_http_codr_store(mcf);

    if (store) {
        (void) ngx_hex_dump(redis->node, store->name, NGX_HTTP_CODR_NODE_ID);
    }

    mcf->redis = redis;

    ngx_http_codr_link_open(&redis->commands);
    ngx_http_codr_link_open(&redis->messages);

    return redis;
}


static void
ngx_http_codr_redis_cleanup(void *data)
{
    ngx_http_codr_redis_t  *redis = data;

    ngx_http_codr_relay_move(redis);
    ngx_http_codr_distant_close_all(redis);

    ngx_http_codr_link_close(&redis->commands);
    ngx_http_codr_link_close(&redis->messages);

    if (redis->probe.timer_set) {
        ngx_del_timer(&redis->probe);
    }

    if (redis->beat.timer_set) {
        ngx_del_timer(&redis->beat);
    }
}


void
ngx_http_codr_redis_exit_process(ngx_http_codr_main_conf_t *mcf)
{
    if (mcf->redis) {
        ngx_http_codr_redis_cleanup(mcf->redis);
    }
}


ngx_uint_t
ngx_http_codr_redis_state(ngx_http_codr_main_conf_t *mcf)
{
    if (mcf->redis_conf == NULL) {
        return 0;
    }

    return (mcf->redis && mcf->redis->up) ? 1
           : mcf->redis_conf->required ? 3 : 2;
}


/* A connection stands: who we are, and which database. */

static void
ngx_http_codr_redis_ready(ngx_http_codr_link_t *link)
{
    u_char                         text[NGX_INT_T_LEN + 1];
    ngx_http_codr_redis_t         *redis;
    ngx_http_codr_redis_command_t  command;

    redis = link->redis;

    if (redis->conf->password.len) {
        command.argc = 0;
        ngx_http_codr_redis_word(&command, "AUTH");
        ngx_http_codr_redis_arg(&command, redis->conf->password.data,
                                redis->conf->password.len);

        if (ngx_http_codr_link_command(link, &command,
                                       ngx_http_codr_redis_entered, link)
            != NGX_OK)
        {
            return;
        }
    }

    if (redis->conf->db) {
        command.argc = 0;
        ngx_http_codr_redis_word(&command, "SELECT");
        ngx_http_codr_redis_arg(&command, text,
                                ngx_sprintf(text, "%i", redis->conf->db)
                                - text);

        if (ngx_http_codr_link_command(link, &command,
                                       ngx_http_codr_redis_entered, link)
            != NGX_OK)
        {
            return;
        }
    }

    ngx_http_codr_redis_enter(link);
}


static void
ngx_http_codr_redis_enter(ngx_http_codr_link_t *link)
{
    if (link == &link->redis->commands) {
        ngx_http_codr_redis_probe(&link->redis->probe);

    } else {
        ngx_http_codr_redis_listen(link);
    }
}


/* "+OK", or it is of no use as it is. */

static void
ngx_http_codr_redis_entered(void *data, redisReply *reply)
{
    ngx_http_codr_link_t  *link = data;

    if (reply && reply->type == REDIS_REPLY_ERROR) {
        link->delay = ngx_max(link->delay, NGX_HTTP_CODR_REDIS_PROBE);
        link->lost(link, reply->str);
        ngx_http_codr_link_drop(link);
    }
}


static void
ngx_http_codr_redis_probe(ngx_event_t *ev)
{
    size_t                          len;
    u_char                          name[NGX_HTTP_CODR_REDIS_NAME];
    ngx_http_codr_redis_t          *redis;
    ngx_http_codr_redis_command_t   command;

    redis = ev->data;

    len = ngx_snprintf(name, sizeof(name), "%Vcodr:probe",
                       &redis->conf->prefix)
          - name;

    command.argc = 0;
    ngx_http_codr_redis_word(&command, "SETEX");
    ngx_http_codr_redis_arg(&command, name, len);
    ngx_http_codr_redis_word(&command, "60");
    ngx_http_codr_redis_word(&command, "1");

    (void) ngx_http_codr_link_command(&redis->commands, &command,
                                      ngx_http_codr_redis_probed, redis);
}


static void
ngx_http_codr_redis_probed(void *data, redisReply *reply)
{
    ngx_http_codr_redis_t  *redis = data;

    if (reply == NULL) {
        return;                                /* the link has said it */
    }

    if (reply->type != REDIS_REPLY_STATUS) {
        ngx_http_codr_redis_said(redis, 0, reply->type == REDIS_REPLY_ERROR
                                           ? reply->str
                                           : "it does not answer like Redis");

        if (!ngx_exiting && !redis->probe.timer_set) {
            ngx_add_timer(&redis->probe, NGX_HTTP_CODR_REDIS_PROBE);
        }

        return;
    }

    if (!redis->up) {
        ngx_http_codr_redis_said(redis, 1, NULL);
        ngx_http_codr_redis_beat(&redis->beat);
        ngx_http_codr_redis_catch_up(redis);
    }
}


/* Others take unfinished jobs of a node that does not say so for lost. */

static void
ngx_http_codr_redis_beat(ngx_event_t *ev)
{
    u_char                          name[NGX_HTTP_CODR_REDIS_NAME];
    ngx_http_codr_redis_t          *redis;
    ngx_http_codr_redis_command_t   command;

    redis = ev->data;

    if (ngx_worker != 0 || ngx_exiting || !redis->up) {
        return;
    }

    command.argc = 0;
    ngx_http_codr_redis_word(&command, "SETEX");
    ngx_http_codr_redis_arg(&command, name,
                            ngx_http_codr_redis_node(redis, name,
                                                     redis->node));
    ngx_http_codr_redis_word(&command, NGX_HTTP_CODR_REDIS_LIFE);
    ngx_http_codr_redis_word(&command, "1");

    (void) ngx_http_codr_redis_send(redis, &command, NULL, NULL);

    ngx_add_timer(&redis->beat, NGX_HTTP_CODR_REDIS_BEAT);
}


/* Of the connection for commands, which is the one that counts. */

static void
ngx_http_codr_redis_lost(ngx_http_codr_link_t *link, const char *cause)
{
    if (link->redis->probe.timer_set) {
        ngx_del_timer(&link->redis->probe);
    }

    if (!link->closing && !ngx_exiting) {
        ngx_http_codr_redis_said(link->redis, 0, cause);
    }

    link->redis->up = 0;
}


/* Of the one for messages: what is wrong with both, the other one says. */

static void
ngx_http_codr_redis_quiet(ngx_http_codr_link_t *link, const char *cause)
{
    u_char                  text[NGX_HTTP_CODR_REDIS_CAUSE];
    ngx_str_t               s;
    ngx_http_codr_redis_t  *redis;

    redis = link->redis;

    if (redis->up && !redis->deaf && link->connected && link->pending
        && !link->closing && !ngx_exiting)
    {
        redis->deaf = 1;
        ngx_http_codr_redis_cause(&s, text, cause);

        ngx_log_error(NGX_LOG_WARN, ngx_cycle->log, 0,
                      "codr: Redis takes no subscription: %V; from elsewhere"
                      " no job of this node can be stopped or watched", &s);
    }
}


/* What it said itself may be anything. */

static void
ngx_http_codr_redis_cause(ngx_str_t *s, u_char *text, const char *cause)
{
    ngx_uint_t  i;

    s->data = text;
    s->len = ngx_cpystrn(text, (u_char *) cause, NGX_HTTP_CODR_REDIS_CAUSE)
             - text;

    for (i = 0; i < s->len; i++) {
        if (text[i] < 0x20 || text[i] > 0x7e) {
            text[i] = '?';
        }
    }
}


/* Once for all workers, until another of them finds the contrary. */

static void
ngx_http_codr_redis_said(ngx_http_codr_redis_t *redis, ngx_uint_t up,
    const char *cause)
{
    u_char                  text[NGX_HTTP_CODR_REDIS_CAUSE];
    ngx_str_t               s;
    ngx_uint_t              news;
    ngx_http_codr_store_t  *store;

    redis->up = up ? 1 : 0;
    news = up ? 1 : 2;

    if (redis->said == news) {
        return;
    }

    redis->said = news;
    store = ngx_http_codr_store(redis->mcf);

    if (store) {
        ngx_shmtx_lock(&store->pool->mutex);

        if (store->redis_said == news) {
            news = 0;

        } else {
            store->redis_said = news;
        }

        ngx_shmtx_unlock(&store->pool->mutex);
    }

    if (news == 1) {
        ngx_log_error(NGX_LOG_NOTICE, ngx_cycle->log, 0,
                      "codr: Redis is up");

    } else if (news == 2) {
        ngx_http_codr_redis_cause(&s, text, cause);

        ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                      "codr: Redis cannot be used: %V", &s);
    }
}


/* An error to a write is the news that it takes no more. */

static void
ngx_http_codr_redis_written(void *data, redisReply *reply)
{
    ngx_http_codr_redis_t  *redis = data;

    if (reply && reply->type == REDIS_REPLY_ERROR) {
        ngx_http_codr_redis_failed(redis, reply);
    }
}


void
ngx_http_codr_redis_failed(ngx_http_codr_redis_t *redis, redisReply *reply)
{
    ngx_http_codr_redis_said(redis, 0, reply->str);

    if (!ngx_exiting && !redis->probe.timer_set) {
        ngx_add_timer(&redis->probe, NGX_HTTP_CODR_REDIS_PROBE);
    }
}


ngx_int_t
ngx_http_codr_redis_send(ngx_http_codr_redis_t *redis,
    ngx_http_codr_redis_command_t *command, ngx_http_codr_redis_pt handler,
    void *data)
{
    if (!redis->up) {
        return NGX_DECLINED;
    }

    if (handler == NULL) {
        handler = ngx_http_codr_redis_written;
        data = redis;
    }

    return ngx_http_codr_link_command(&redis->commands, command, handler,
                                      data);
}
