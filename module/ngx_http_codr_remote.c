
/*
 * A job of another node, as Redis has it: its record, and to stop it.  What
 * comes from there is looked at as if a client had sent it.  Runs in workers.
 */

#include "ngx_http_codr_jobs.h"
#include "ngx_http_codr_distant.h"
#include "ngx_http_codr_redis_watch.h"

#include <jansson.h>


#define NGX_HTTP_CODR_REMOTE_AGAIN  300        /* milliseconds, see below */


/* Outlives the request when an answer comes too late. */

typedef struct {
    ngx_http_codr_look_t      *look;           /* NULL: nobody waits */
    ngx_http_codr_redis_t     *redis;
    ngx_http_codr_watcher_t    watcher;
    ngx_event_t                timer;
    ngx_msec_t                 wait;           /* that is left */

    unsigned                   asked:1;
    unsigned                   watching:1;
    unsigned                   lives:1;        /* the node that has it */
    unsigned                   lost:1;         /* does not any more */
} ngx_http_codr_remote_t;


static void ngx_http_codr_remote_cleanup(void *data);
static ngx_int_t ngx_http_codr_remote_ask(ngx_http_codr_remote_t *remote);
static void ngx_http_codr_remote_reply(void *data, redisReply *reply);
static ngx_int_t ngx_http_codr_remote_answer(ngx_http_codr_remote_t *remote,
    redisReply *reply);
static ngx_int_t ngx_http_codr_remote_node(ngx_http_codr_remote_t *remote,
    redisReply *reply);
static void ngx_http_codr_remote_lives(void *data, redisReply *reply);
static void ngx_http_codr_remote_wait(ngx_http_codr_remote_t *remote);
static void ngx_http_codr_remote_timer(ngx_event_t *ev);
static void ngx_http_codr_remote_message(void *data, const char *suffix,
    const u_char *text, size_t len);
static void ngx_http_codr_remote_finish(ngx_http_codr_remote_t *remote,
    ngx_int_t rc);
static ngx_int_t ngx_http_codr_remote_record(ngx_http_codr_remote_t *remote,
    redisReply *reply);


ngx_int_t
ngx_http_codr_remote(ngx_http_codr_look_t *look)
{
    ngx_int_t                rc;
    ngx_http_cleanup_t      *cln;
    ngx_http_request_t      *r;
    ngx_http_codr_redis_t   *redis;
    ngx_http_codr_remote_t  *remote;

    r = look->request;

    rc = ngx_http_discard_request_body(r);
    if (rc != NGX_OK) {
        return rc;
    }

    redis = ngx_http_codr_redis(look->mcf);
    cln = ngx_http_cleanup_add(r, 0);
    remote = cln ? ngx_calloc(sizeof(ngx_http_codr_remote_t),
                              r->connection->log)
                 : NULL;

    if (remote == NULL || redis == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    cln->handler = ngx_http_codr_remote_cleanup;
    cln->data = remote;

    remote->look = look;
    remote->redis = redis;
    remote->wait = look->question.wait;

    ngx_memcpy(remote->watcher.id, look->id, CODR_JOB_ID_LEN);
    remote->watcher.message = ngx_http_codr_remote_message;
    remote->watcher.data = remote;

    remote->timer.handler = ngx_http_codr_remote_timer;
    remote->timer.data = remote;
    remote->timer.log = ngx_cycle->log;

    rc = ngx_http_codr_remote_ask(remote);
    if (rc != NGX_OK) {
        return rc;
    }

    r->main->count++;
    r->read_event_handler = ngx_http_test_reading;
    r->write_event_handler = ngx_http_request_empty_handler;
    r->connection->log->action = "waiting for Redis";

    return NGX_DONE;
}


static void
ngx_http_codr_remote_calm(ngx_http_codr_remote_t *remote)
{
    if (remote->watching) {
        ngx_http_codr_redis_unwatch(remote->redis, &remote->watcher);
        remote->watching = 0;
    }

    if (remote->timer.timer_set) {
        ngx_del_timer(&remote->timer);
    }
}


static void
ngx_http_codr_remote_cleanup(void *data)
{
    ngx_http_codr_remote_t  *remote = data;

    ngx_http_codr_remote_calm(remote);

    remote->look = NULL;

    if (!remote->asked) {
        ngx_free(remote);
    }
}


static ngx_int_t
ngx_http_codr_remote_ask(ngx_http_codr_remote_t *remote)
{
    u_char                         name[NGX_HTTP_CODR_REDIS_NAME];
    ngx_http_codr_redis_command_t  command;

    if (remote->asked) {
        return NGX_OK;
    }

    command.argc = 0;
    ngx_http_codr_redis_word(&command, "HGETALL");
    ngx_http_codr_redis_arg(&command, name,
                            ngx_http_codr_redis_name(remote->redis, name,
                                                     remote->look->id, ""));

    if (ngx_http_codr_redis_send(remote->redis, &command,
                                 ngx_http_codr_remote_reply, remote)
        != NGX_OK)
    {
        return ngx_http_codr_send_error(remote->look->request,
                                        NGX_HTTP_SERVICE_UNAVAILABLE,
                                        "unavailable",
                                        "Redis cannot be asked");
    }

    remote->asked = 1;

    return NGX_OK;
}


static void
ngx_http_codr_remote_reply(void *data, redisReply *reply)
{
    ngx_http_codr_remote_t  *remote = data;

    ngx_int_t  rc;

    remote->asked = 0;

    if (remote->look == NULL) {
        ngx_free(remote);
        return;
    }

    rc = ngx_http_codr_remote_answer(remote, reply);

    if (rc != NGX_BUSY) {
        ngx_http_codr_remote_finish(remote, rc);
    }
}


static void
ngx_http_codr_remote_finish(ngx_http_codr_remote_t *remote, ngx_int_t rc)
{
    ngx_connection_t    *c;
    ngx_http_request_t  *r;

    r = remote->look->request;
    c = r->connection;

    ngx_http_codr_remote_calm(remote);

    ngx_http_finalize_request(r, rc);
    ngx_http_run_posted_requests(c);
}


/* The value of a field, as text; empty when there is none. */

static void
ngx_http_codr_remote_field(redisReply *reply, const char *name, ngx_str_t *ret)
{
    size_t       i;
    redisReply  *field, *value;

    ngx_str_null(ret);

    for (i = 0; i + 1 < reply->elements; i += 2) {
        field = reply->element[i];
        value = reply->element[i + 1];

        if (field->type == REDIS_REPLY_STRING
            && value->type == REDIS_REPLY_STRING
            && ngx_strcmp(field->str, name) == 0)
        {
            ret->data = (u_char *) value->str;
            ret->len = value->len;
            return;
        }
    }
}


static ngx_uint_t
ngx_http_codr_remote_ended(redisReply *reply)
{
    ngx_str_t  status;

    ngx_http_codr_remote_field(reply, "status", &status);

    return status.len == 9 && ngx_strncmp(status.data, "completed", 9) == 0
           ? 1
           : status.len == 6 && ngx_strncmp(status.data, "failed", 6) == 0;
}


/* NGX_BUSY: more is to come. */

static ngx_int_t
ngx_http_codr_remote_answer(ngx_http_codr_remote_t *remote, redisReply *reply)
{
    ngx_str_t              owner, key_id;
    ngx_http_request_t    *r;
    ngx_http_codr_look_t  *look;

    look = remote->look;
    r = look->request;

    if (reply == NULL || reply->type != REDIS_REPLY_ARRAY) {
        return ngx_http_codr_send_error(r, NGX_HTTP_SERVICE_UNAVAILABLE,
                                        "unavailable",
                                        "Redis does not answer");
    }

    ngx_http_codr_remote_field(reply, "owner", &owner);
    ngx_http_codr_remote_field(reply, "key", &key_id);

    if (owner.len == 0 || !ngx_http_codr_look_owned(r, &owner, &key_id)) {
        return ngx_http_codr_look_none(r);
    }

    if (look->merged) {
        look->question.remote = 1;
        return ngx_http_codr_look(look);
    }

    if (look->deleting) {

        if (!ngx_http_codr_remote_ended(reply)
            && ngx_http_codr_redis_stop(remote->redis, look->id) != NGX_OK)
        {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        look->known = 1;

        return look->answer(look);
    }

    if (!ngx_http_codr_remote_ended(reply) && !remote->lost) {

        if (!remote->lives
            && ngx_http_codr_remote_node(remote, reply) == NGX_OK)
        {
            return NGX_BUSY;
        }

        if (remote->wait) {
            ngx_http_codr_remote_wait(remote);
            return NGX_BUSY;
        }
    }

    return ngx_http_codr_remote_record(remote, reply);
}


/* Whether the node is there that has an unfinished job; NGX_DECLINED: nobody
   can tell. */

static ngx_int_t
ngx_http_codr_remote_node(ngx_http_codr_remote_t *remote, redisReply *reply)
{
    u_char                         name[NGX_HTTP_CODR_REDIS_NAME];
    ngx_str_t                      node;
    ngx_http_codr_redis_command_t  command;

    ngx_http_codr_remote_field(reply, "node", &node);

    if (node.len != CODR_JOB_ID_LEN) {
        return NGX_DECLINED;
    }

    command.argc = 0;
    ngx_http_codr_redis_word(&command, "EXISTS");
    ngx_http_codr_redis_arg(&command, name,
                            ngx_http_codr_redis_node(remote->redis, name,
                                                     node.data));

    if (ngx_http_codr_redis_send(remote->redis, &command,
                                 ngx_http_codr_remote_lives, remote)
        != NGX_OK)
    {
        return NGX_DECLINED;
    }

    remote->asked = 1;

    return NGX_OK;
}


/* Then the record is asked for once more: it may have ended meanwhile. */

static void
ngx_http_codr_remote_lives(void *data, redisReply *reply)
{
    ngx_http_codr_remote_t  *remote = data;

    ngx_int_t  rc;

    remote->asked = 0;

    if (remote->look == NULL) {
        ngx_free(remote);
        return;
    }

    remote->lives = 1;
    remote->lost = (reply && reply->type == REDIS_REPLY_INTEGER
                    && reply->integer == 0);

    rc = ngx_http_codr_remote_ask(remote);

    if (rc != NGX_OK) {
        ngx_http_codr_remote_finish(remote, rc);
    }
}


/* Its end may have come before we listened: so it is asked for once more a
   little later, and then when it is said, or at the end of the time. */

static void
ngx_http_codr_remote_wait(ngx_http_codr_remote_t *remote)
{
    ngx_msec_t  delay;

    delay = remote->wait;

    if (!remote->watching
        && ngx_http_codr_redis_watch(remote->redis, &remote->watcher)
           == NGX_OK)
    {
        remote->watching = 1;
        delay = ngx_min(delay, NGX_HTTP_CODR_REMOTE_AGAIN);
    }

    remote->wait -= delay;
    ngx_add_timer(&remote->timer, delay);
}


static void
ngx_http_codr_remote_timer(ngx_event_t *ev)
{
    ngx_http_codr_remote_t  *remote = ev->data;

    ngx_int_t  rc;

    rc = ngx_http_codr_remote_ask(remote);

    if (rc != NGX_OK) {
        ngx_http_codr_remote_finish(remote, rc);
    }
}


static void
ngx_http_codr_remote_message(void *data, const char *suffix,
    const u_char *text, size_t len)
{
    ngx_http_codr_remote_t  *remote = data;

    if (remote->timer.timer_set && ngx_strcmp(suffix, ":complete") == 0) {
        remote->wait = 0;
        ngx_add_timer(&remote->timer, 1);
    }
}


static void
ngx_http_codr_remote_json(ngx_http_codr_json_t *j, redisReply *reply,
    const char *name)
{
    ngx_str_t  value;

    ngx_http_codr_remote_field(reply, name, &value);

    if (value.len) {
        ngx_http_codr_json_text(j, name, &value);

    } else {
        ngx_http_codr_json_null(j, name);
    }
}


/* Only what is an object may stand where one is expected. */

static void
ngx_http_codr_remote_object(ngx_http_codr_json_t *j, redisReply *reply,
    const char *name)
{
    json_t     *object;
    ngx_str_t   value;

    ngx_http_codr_remote_field(reply, name, &value);

    object = value.len ? json_loadb((char *) value.data, value.len,
                                    JSON_ALLOW_NUL, NULL)
                       : NULL;

    if (json_is_object(object)) {
        ngx_http_codr_json_raw(j, name, value.data, value.len);
    }

    json_decref(object);
}


static ngx_int_t
ngx_http_codr_remote_record(ngx_http_codr_remote_t *remote, redisReply *reply)
{
    ngx_uint_t             i, lost;
    ngx_http_request_t    *r;
    ngx_http_codr_json_t   j;

    static const char  *fields[] = {
        "job_id", "owner", "language", "tag", "status", "created_at",
        "started_at", "completed_at", NULL
    };

    r = remote->look->request;

    ngx_http_codr_json_init(&j, r->pool, 4096);
    ngx_http_codr_json_open(&j, NULL);

    lost = remote->lost && !ngx_http_codr_remote_ended(reply);

    for (i = 0; fields[i]; i++) {
        if (lost && ngx_strcmp(fields[i], "status") == 0) {
            ngx_http_codr_json_name(&j, "status", "failed");

        } else {
            ngx_http_codr_remote_json(&j, reply, fields[i]);
        }
    }

    if (lost) {
        ngx_http_codr_json_open(&j, "error");
        ngx_http_codr_json_name(&j, "code", "internal");
        ngx_http_codr_json_name(&j, "message",
                                "the node that ran it was lost");
        ngx_http_codr_json_close(&j);
    }

    ngx_http_codr_remote_object(&j, reply, "result");
    ngx_http_codr_remote_object(&j, reply, "error");
    ngx_http_codr_json_close(&j);

    return j.failed ? NGX_HTTP_INTERNAL_SERVER_ERROR
                    : ngx_http_codr_send_json(r, NGX_HTTP_OK, j.start,
                                              j.pos - j.start);
}
