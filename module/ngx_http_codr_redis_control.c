
/*
 * What nodes ask of each other through Redis, and of Redis for tickets.  A
 * request to stop a job, or to be told what it says, is signed with the key of
 * tickets: to be able to write to Redis is not enough.  Runs in workers.
 */

#include "ngx_http_codr_redis_save.h"
#include "ngx_http_codr_distant.h"
#include "ngx_http_codr_fetch.h"
#include "ngx_http_codr_json.h"
#include "ngx_http_codr_job.h"
#include "ngx_http_codr_hold.h"
#include "ngx_http_codr_ticket.h"
#include "ngx_http_codr_redis_watch.h"


#define NGX_HTTP_CODR_CONTROL_TIME  30         /* seconds it is good for */


typedef struct {
    ngx_http_codr_redis_t       *redis;
    ngx_http_codr_redis_used_pt  handler;
    void                        *data;
} ngx_http_codr_redeemed_t;


static void ngx_http_codr_redis_redeemed(void *data, redisReply *reply);
static void ngx_http_codr_control_stop(ngx_http_codr_redis_t *redis,
    const u_char *id);


ngx_int_t
ngx_http_codr_redis_used(ngx_http_codr_redis_t *redis, ngx_str_t *jti,
    time_t expires, ngx_http_codr_redis_used_pt handler, void *data)
{
    u_char                          seconds[NGX_INT64_LEN];
    u_char                          name[2 * NGX_HTTP_CODR_REDIS_NAME];
    ngx_http_codr_redeemed_t       *redeemed;
    ngx_http_codr_redis_command_t   command;

    redeemed = ngx_alloc(sizeof(ngx_http_codr_redeemed_t), ngx_cycle->log);
    if (redeemed == NULL) {
        return NGX_ERROR;
    }

    redeemed->redis = redis;
    redeemed->handler = handler;
    redeemed->data = data;

    command.argc = 0;
    ngx_http_codr_redis_word(&command, "SET");
    ngx_http_codr_redis_arg(&command, name,
                            ngx_snprintf(name, sizeof(name), "%Vused_token:%V",
                                         &redis->conf->prefix, jti)
                            - name);
    ngx_http_codr_redis_word(&command, "1");
    ngx_http_codr_redis_word(&command, "NX");
    ngx_http_codr_redis_word(&command, "EX");

    /* where a clock is behind ours it is good for longer */

    ngx_http_codr_redis_arg(&command, seconds,
                            ngx_sprintf(seconds, "%T",
                                        ngx_max(expires - ngx_time(), 1)
                                        + 2 * NGX_HTTP_CODR_TICKET_SKEW)
                            - seconds);

    if (ngx_http_codr_redis_send(redis, &command, ngx_http_codr_redis_redeemed,
                                 redeemed)
        != NGX_OK)
    {
        ngx_free(redeemed);
        return NGX_ERROR;
    }

    return NGX_OK;
}


static void
ngx_http_codr_redis_redeemed(void *data, redisReply *reply)
{
    ngx_http_codr_redeemed_t  *redeemed = data;

    ngx_int_t  rc;

    rc = NGX_ERROR;

    if (reply && reply->type == REDIS_REPLY_STATUS) {
        rc = NGX_OK;

    } else if (reply && reply->type == REDIS_REPLY_NIL) {
        rc = NGX_DECLINED;

    } else if (reply && reply->type == REDIS_REPLY_ERROR) {
        ngx_http_codr_redis_failed(redeemed->redis, reply);
    }

    redeemed->handler(redeemed->data, rc);

    ngx_free(redeemed);
}


ngx_int_t
ngx_http_codr_redis_stop(ngx_http_codr_redis_t *redis, const u_char *id)
{
    ngx_http_codr_control_t  control;

    ngx_memzero(&control, sizeof(ngx_http_codr_control_t));
    ngx_str_set(&control.control, "stop");

    return ngx_http_codr_redis_ask(redis, id, &control);
}


static ngx_int_t
ngx_http_codr_control_sign(ngx_http_codr_redis_t *redis, ngx_pool_t *pool,
    const u_char *id, ngx_http_codr_control_t *control, ngx_str_t *token)
{
    ngx_str_t              name, own, *key;
    ngx_http_codr_json_t   j;

    key = ngx_http_codr_ticket_key(redis->mcf, &own);

    if (key == NULL) {
        return NGX_ERROR;
    }

    name.data = (u_char *) id;
    name.len = CODR_JOB_ID_LEN;

    ngx_http_codr_json_init(&j, pool, 512);
    ngx_http_codr_json_open(&j, NULL);
    ngx_http_codr_json_text(&j, "control", &control->control);
    ngx_http_codr_json_text(&j, "job_id", &name);

    if (control->stream[0]) {
        name.data = control->stream;
        name.len = NGX_HTTP_CODR_STREAM_NAME;

        ngx_http_codr_json_text(&j, "stream", &name);
        ngx_http_codr_json_number(&j, "offset", control->offset);
        ngx_http_codr_json_number(&j, "size", control->size);
        ngx_http_codr_json_number(&j, "credit", control->credit);
    }

    ngx_http_codr_json_number(&j, "exp",
                              ngx_time() + NGX_HTTP_CODR_CONTROL_TIME);
    ngx_http_codr_json_close(&j);

    return j.failed ? NGX_ERROR
                    : ngx_http_codr_jwt_sign(pool, key, j.start,
                                             j.pos - j.start, token);
}


ngx_int_t
ngx_http_codr_redis_ask(ngx_http_codr_redis_t *redis, const u_char *id,
    ngx_http_codr_control_t *control)
{
    ngx_int_t    rc;
    ngx_str_t    token;
    ngx_pool_t  *pool;

    pool = redis->up ? ngx_create_pool(2048, ngx_cycle->log) : NULL;

    if (pool == NULL) {
        return NGX_ERROR;
    }

    rc = ngx_http_codr_control_sign(redis, pool, id, control, &token);

    if (rc == NGX_OK) {
        ngx_http_codr_redis_publish(redis, id, ":control", token.data,
                                    token.len);
    }

    ngx_destroy_pool(pool);

    return rc;
}


static ngx_uint_t
ngx_http_codr_control_is(const char *control, const char *name)
{
    return control && ngx_strcmp(control, name) == 0;
}


/* Of claims that are signed: whether they are of now, and of this job. */

static ngx_int_t
ngx_http_codr_control_read(json_t *claims, const u_char *id,
    ngx_http_codr_control_t *control)
{
    double       exp;
    const char  *job_id, *stream;

    ngx_memzero(control, sizeof(ngx_http_codr_control_t));

    job_id = json_string_value(json_object_get(claims, "job_id"));
    stream = json_string_value(json_object_get(claims, "stream"));
    exp = json_number_value(json_object_get(claims, "exp"));

    if (job_id == NULL || ngx_strlen(job_id) != CODR_JOB_ID_LEN
        || ngx_memcmp(job_id, id, CODR_JOB_ID_LEN) != 0
        || !(exp > (double) ngx_time()))
    {
        return NGX_DECLINED;
    }

    if (stream) {
        if (ngx_strlen(stream) != NGX_HTTP_CODR_STREAM_NAME) {
            return NGX_DECLINED;
        }

        ngx_memcpy(control->stream, stream, NGX_HTTP_CODR_STREAM_NAME);
    }

    control->offset = json_integer_value(json_object_get(claims, "offset"));
    control->size = json_integer_value(json_object_get(claims, "size"));
    control->credit = json_integer_value(json_object_get(claims, "credit"));

    return NGX_OK;
}


static void
ngx_http_codr_control_do(ngx_http_codr_redis_t *redis, const u_char *id,
    const char *what, ngx_http_codr_control_t *control)
{
    if (ngx_http_codr_control_is(what, "stop")) {
        ngx_http_codr_control_stop(redis, id);

    } else if (control->stream[0] == '\0') {
        return;

    } else if (ngx_http_codr_control_is(what, "watch")) {
        ngx_http_codr_relay_watch(redis, id, control);

    } else if (ngx_http_codr_control_is(what, "more")) {
        ngx_http_codr_relay_more(redis, control);

    } else if (ngx_http_codr_control_is(what, "leave")) {
        ngx_http_codr_relay_leave(redis, control);
    }
}


void
ngx_http_codr_redis_control(ngx_http_codr_redis_t *redis, const u_char *id,
    const u_char *text, size_t len)
{
    json_t                   *claims;
    ngx_str_t                 own, *key;
    ngx_pool_t               *pool;
    ngx_http_codr_control_t   control;

    key = ngx_http_codr_ticket_key(redis->mcf, &own);
    pool = key ? ngx_create_pool(4096, ngx_cycle->log) : NULL;

    if (pool == NULL) {
        return;
    }

    claims = ngx_http_codr_jwt_verify(pool, key, text, len);

    if (claims
        && ngx_http_codr_control_read(claims, id, &control) == NGX_OK)
    {
        ngx_http_codr_control_do(redis, id,
                                 json_string_value(json_object_get(claims,
                                                                   "control")),
                                 &control);
    }

    json_decref(claims);
    ngx_destroy_pool(pool);
}


static void
ngx_http_codr_control_ignore_output(void *data, codr_output_t *output)
{
    /* none was asked for */
}


static void
ngx_http_codr_control_ignore_answer(void *data, ngx_http_codr_answer_t *a)
{
    /* its end comes by the usual ways */
}


static void
ngx_http_codr_control_ignore(void *data)
{
    /* nobody waits */
}


static const ngx_http_codr_fetch_handler_t  ngx_http_codr_control_fetch = {
    ngx_http_codr_control_ignore_output,
    ngx_http_codr_control_ignore_answer,
    ngx_http_codr_control_ignore
};


/* The worker that has its socket stops it; one that none has, any of them. */

static void
ngx_http_codr_control_stop(ngx_http_codr_redis_t *redis, const u_char *id)
{
    ngx_pool_t                *pool;
    ngx_http_codr_job_t       *job;
    ngx_http_codr_stored_t     record;
    ngx_http_codr_question_t   question;

    job = ngx_http_codr_job_find(redis->mcf, id);

    if (job) {
        ngx_http_codr_job_send(job, CODR_FRAME_STOP);
        return;
    }

    pool = ngx_create_pool(4096, ngx_cycle->log);
    if (pool == NULL) {
        return;
    }

    if (ngx_http_codr_records_read(redis->mcf, pool, id, &record) == NGX_OK
        && record.state < NGX_HTTP_CODR_RECORD_COMPLETED
        && (record.pid == 0 || ngx_worker == 0))
    {
        ngx_memzero(&question, sizeof(ngx_http_codr_question_t));
        question.id = id;
        question.stop = 1;

        (void) ngx_http_codr_fetch(redis->mcf, &question,
                                   &ngx_http_codr_control_fetch, NULL,
                                   ngx_cycle->log);
    }

    ngx_destroy_pool(pool);
}
