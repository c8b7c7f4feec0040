
/*
 * What must be before the helper gets any of a job: a record in the zone; and
 * with Redis, an answer: whether its ticket was used elsewhere, and where
 * codr_redis says so, that the job is known there at all.  No answer is a no.
 */

#include "ngx_http_codr_hold.h"
#include "ngx_http_codr_records.h"
#include "ngx_http_codr_redis_save.h"
#include "ngx_http_codr_redis_watch.h"


/* Outlives the job when the answer comes too late. */

typedef struct {
    ngx_http_codr_job_t       *job;            /* NULL: it is gone */
    ngx_http_codr_redis_t     *redis;
} ngx_http_codr_hold_t;


static void
ngx_http_codr_hold_cleanup(void *data)
{
    ngx_http_codr_hold_t  *hold = data;

    hold->job = NULL;
}


static ngx_http_codr_hold_t *
ngx_http_codr_hold_create(ngx_http_codr_job_t *job,
    ngx_http_codr_redis_t *redis)
{
    ngx_pool_cleanup_t    *cln;
    ngx_http_codr_hold_t  *hold;

    cln = ngx_pool_cleanup_add(job->pool, 0);
    hold = cln ? ngx_alloc(sizeof(ngx_http_codr_hold_t), ngx_cycle->log)
               : NULL;

    if (hold == NULL) {
        return NULL;
    }

    hold->job = job;
    hold->redis = redis;

    cln->handler = ngx_http_codr_hold_cleanup;
    cln->data = hold;

    return hold;
}


/* Nothing will call back. */

static void
ngx_http_codr_hold_abort(ngx_http_codr_hold_t *hold)
{
    ngx_pool_cleanup_t  *cln;

    if (hold == NULL) {
        return;
    }

    for (cln = hold->job->pool->cleanup; cln; cln = cln->next) {
        if (cln->data == hold) {
            cln->handler = NULL;
        }
    }

    ngx_free(hold);
}


static void
ngx_http_codr_hold_used(void *data, ngx_int_t rc)
{
    ngx_http_codr_hold_t  *hold = data;

    ngx_http_codr_job_t  *job;

    job = hold->job;

    if (job) {
        ngx_http_codr_hold_abort(hold);

        if (rc == NGX_OK) {
            ngx_http_codr_job_release(job);

        } else if (rc == NGX_DECLINED) {
            ngx_http_codr_count(job->mcf, NGX_HTTP_CODR_AUTH_FAILURES, 1);
            ngx_http_codr_job_deny(job, CODR_ERROR_UNAUTHORIZED,
                                   "a valid key or ticket is needed");
        } else {
            ngx_http_codr_job_deny(job, CODR_ERROR_UNAVAILABLE,
                                   "tickets cannot be checked at the moment");
        }

        return;
    }

    ngx_free(hold);
}


static void
ngx_http_codr_hold_begun(void *data, redisReply *reply)
{
    ngx_http_codr_hold_t  *hold = data;

    ngx_http_codr_job_t  *job;

    job = hold->job;

    if (reply && reply->type == REDIS_REPLY_ERROR) {
        ngx_http_codr_redis_failed(hold->redis, reply);
    }

    if (job == NULL) {
        ngx_free(hold);
        return;
    }

    ngx_http_codr_hold_abort(hold);

    if (reply && reply->type != REDIS_REPLY_ERROR) {
        ngx_http_codr_job_release(job);

    } else {
        ngx_http_codr_job_deny(job, CODR_ERROR_UNAVAILABLE,
                               "jobs cannot be recorded at the moment");
    }
}


void
ngx_http_codr_job_release(ngx_http_codr_job_t *job)
{
    if (--job->held == 0) {
        ngx_http_codr_job_flush(job);
    }
}


/* Before the helper is asked: a job that cannot be recorded is not run. */

static ngx_int_t
ngx_http_codr_hold_record(ngx_http_codr_job_t *job,
    ngx_http_codr_answer_t *refusal)
{
    ngx_int_t  rc;

    rc = ngx_http_codr_records_open(job);

    if (rc == NGX_DECLINED) {
        ngx_http_codr_answer_error(refusal, CODR_ERROR_BAD_MESSAGE,
                                   "there is a job of this id");

    } else if (rc != NGX_OK) {
        ngx_http_codr_answer_error(refusal, CODR_ERROR_UNAVAILABLE,
                                   "there is no room for another job");
    }

    return rc;
}


static ngx_int_t
ngx_http_codr_hold_ask(ngx_http_codr_job_t *job, ngx_http_codr_execute_t *x)
{
    ngx_http_codr_hold_t   *hold;
    ngx_http_codr_redis_t  *redis;

    redis = ngx_http_codr_redis(job->mcf);

    if (job->mcf->redis_conf == NULL) {
        return NGX_OK;
    }

    if (redis == NULL || ngx_http_codr_publish_create(redis, job) != NGX_OK) {
        return NGX_ERROR;
    }

    if (x->who.jti.len) {
        hold = ngx_http_codr_hold_create(job, redis);

        if (hold == NULL
            || ngx_http_codr_redis_used(redis, &x->who.jti, x->who.expires,
                                        ngx_http_codr_hold_used, hold)
               != NGX_OK)
        {
            ngx_http_codr_hold_abort(hold);
            return NGX_ERROR;
        }

        job->held++;
    }

    if (redis->conf->required) {
        hold = ngx_http_codr_hold_create(job, redis);

        if (hold == NULL
            || ngx_http_codr_redis_begin(redis, job, ngx_http_codr_hold_begun,
                                         hold)
               != NGX_OK)
        {
            ngx_http_codr_hold_abort(hold);
            return NGX_ERROR;
        }

        job->held++;
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_codr_hold(ngx_http_codr_job_t *job, ngx_http_codr_execute_t *x,
    ngx_http_codr_answer_t *refusal)
{
    if (ngx_http_codr_hold_record(job, refusal) != NGX_OK) {
        return NGX_ERROR;
    }

    if (ngx_http_codr_hold_ask(job, x) != NGX_OK) {
        ngx_http_codr_answer_error(refusal, CODR_ERROR_UNAVAILABLE,
                                   "Redis cannot be asked at the moment");
        return NGX_ERROR;
    }

    return NGX_OK;
}
