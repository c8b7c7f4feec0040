
/*
 * What nodes ask of each other through Redis, and of Redis for tickets.  A
 * request to stop a job is signed with the key of tickets: who may write to
 * Redis cannot stop jobs by that alone.  Runs in workers.
 */

#include "ngx_http_codr_redis_save.h"
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
static ngx_int_t ngx_http_codr_control_check(ngx_http_codr_redis_t *redis,
    const u_char *id, const u_char *text, size_t len);
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
    ngx_http_codr_redis_arg(&command, seconds,
                            ngx_sprintf(seconds, "%T",
                                        ngx_max(expires - ngx_time(), 1) + 1)
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
ngx_http_codr_redis_stop(ngx_http_codr_redis_t *redis, ngx_pool_t *pool,
    const u_char *id)
{
    ngx_str_t              name, own, *key, token;
    ngx_http_codr_json_t   j;

    key = ngx_http_codr_ticket_key(redis->mcf, &own);

    if (key == NULL || !redis->up) {
        return NGX_ERROR;
    }

    name.data = (u_char *) id;
    name.len = CODR_JOB_ID_LEN;

    ngx_http_codr_json_init(&j, pool, 256);
    ngx_http_codr_json_open(&j, NULL);
    ngx_http_codr_json_name(&j, "control", "stop");
    ngx_http_codr_json_text(&j, "job_id", &name);
    ngx_http_codr_json_number(&j, "exp",
                              ngx_time() + NGX_HTTP_CODR_CONTROL_TIME);
    ngx_http_codr_json_close(&j);

    if (j.failed
        || ngx_http_codr_jwt_sign(pool, key, j.start, j.pos - j.start, &token)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    ngx_http_codr_redis_publish(redis, id, ":control", token.data, token.len);

    return NGX_OK;
}


void
ngx_http_codr_redis_control(ngx_http_codr_redis_t *redis, const u_char *id,
    const u_char *text, size_t len)
{
    if (ngx_http_codr_control_check(redis, id, text, len) == NGX_OK) {
        ngx_http_codr_control_stop(redis, id);
    }
}


static ngx_int_t
ngx_http_codr_control_check(ngx_http_codr_redis_t *redis, const u_char *id,
    const u_char *text, size_t len)
{
    double       exp;
    json_t      *claims;
    ngx_int_t    rc;
    ngx_str_t    own, *key;
    ngx_pool_t  *pool;
    const char  *job_id, *control;

    key = ngx_http_codr_ticket_key(redis->mcf, &own);
    pool = key ? ngx_create_pool(4096, ngx_cycle->log) : NULL;

    if (pool == NULL) {
        return NGX_ERROR;
    }

    claims = ngx_http_codr_jwt_verify(pool, key, text, len);

    job_id = json_string_value(json_object_get(claims, "job_id"));
    control = json_string_value(json_object_get(claims, "control"));
    exp = json_number_value(json_object_get(claims, "exp"));

    rc = (job_id && control && ngx_strcmp(control, "stop") == 0
          && ngx_strlen(job_id) == CODR_JOB_ID_LEN
          && ngx_memcmp(job_id, id, CODR_JOB_ID_LEN) == 0
          && exp > (double) ngx_time())
         ? NGX_OK : NGX_DECLINED;

    json_decref(claims);
    ngx_destroy_pool(pool);

    return rc;
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
