
/*
 * Jobs that no worker has hold of.  The broker says when one of them has ended;
 * a worker that takes hold of its record asks for the end, writes it, and tells
 * the broker so.  A job that the broker does not know ended with another one.
 * Runs in workers.
 */

#include "ngx_http_codr_adrift.h"
#include "ngx_http_codr_fetch.h"
#include "ngx_http_codr_helper.h"
#include "ngx_http_codr_job.h"
#include "ngx_http_codr_records_list.h"


#define NGX_HTTP_CODR_ADRIFT_AT_ONCE  16       /* questions to the broker */


/* Of which this worker has hold. */

typedef struct {
    ngx_queue_t                queue;
    ngx_http_codr_main_conf_t *mcf;
    u_char                     id[CODR_JOB_ID_LEN];

    unsigned                   known:1;        /* to the helper */
    unsigned                   ended:1;
} ngx_http_codr_adrift_job_t;


struct ngx_http_codr_adrift_s {
    ngx_queue_t                waiting;        /* ..._adrift_job_t */
    ngx_uint_t                 asked;          /* how many questions */
    ngx_uint_t                 inherited;      /* jobs of the worker before */
};


static void ngx_http_codr_adrift_next(ngx_http_codr_main_conf_t *mcf);
static void ngx_http_codr_adrift_lost(ngx_http_codr_main_conf_t *mcf,
    ngx_array_t *ids, const char *reason);
static void ngx_http_codr_adrift_output(void *data, codr_output_t *output);
static void ngx_http_codr_adrift_answer(void *data, ngx_http_codr_answer_t *a);
static void ngx_http_codr_adrift_done(void *data);


static const ngx_http_codr_fetch_handler_t  ngx_http_codr_adrift_fetch = {
    ngx_http_codr_adrift_output,
    ngx_http_codr_adrift_answer,
    ngx_http_codr_adrift_done
};


/* Made when it is first asked for: without a master process the workers'
   init_process hook does not run again for the configuration of a reload. */

static ngx_http_codr_adrift_t *
ngx_http_codr_adrift(ngx_http_codr_main_conf_t *mcf)
{
    if (mcf->adrift == NULL) {
        mcf->adrift = ngx_pcalloc(ngx_cycle->pool,
                                  sizeof(ngx_http_codr_adrift_t));

        if (mcf->adrift) {
            ngx_queue_init(&mcf->adrift->waiting);
        }
    }

    return mcf->adrift;
}


static ngx_pool_t *
ngx_http_codr_adrift_ids(ngx_array_t *ids)
{
    ngx_pool_t  *pool;

    pool = ngx_create_pool(4096, ngx_cycle->log);

    if (pool
        && ngx_array_init(ids, pool, 16, CODR_JOB_ID_LEN) != NGX_OK)
    {
        ngx_destroy_pool(pool);
        pool = NULL;
    }

    return pool;
}


void
ngx_http_codr_adrift_init_process(ngx_http_codr_main_conf_t *mcf)
{
    ngx_array_t              lost;
    ngx_pool_t              *pool;
    ngx_uint_t               n;
    ngx_http_codr_adrift_t  *adrift;

    adrift = ngx_http_codr_adrift(mcf);
    pool = ngx_http_codr_adrift_ids(&lost);

    if (pool == NULL) {
        return;
    }

    n = ngx_http_codr_records_inherit(mcf, &lost);

    if (adrift) {
        adrift->inherited = n;
    }

    ngx_http_codr_adrift_lost(mcf, &lost,
                              "the server process that ran it was lost");
    ngx_destroy_pool(pool);
}


static void
ngx_http_codr_adrift_lost(ngx_http_codr_main_conf_t *mcf, ngx_array_t *ids,
    const char *reason)
{
    u_char                  *id;
    ngx_uint_t               i;
    ngx_http_codr_answer_t   a;

    id = ids->elts;

    for (i = 0; i < ids->nelts; i++) {
        ngx_http_codr_answer_error(&a, CODR_ERROR_INTERNAL, reason);
        (void) ngx_http_codr_adrift_end(mcf, ids->pool,
                                        id + i * CODR_JOB_ID_LEN, &a);
    }
}


ngx_int_t
ngx_http_codr_adrift_end(ngx_http_codr_main_conf_t *mcf, ngx_pool_t *pool,
    const u_char *id, ngx_http_codr_answer_t *a)
{
    ngx_int_t               rc;
    ngx_http_codr_job_t     job;
    ngx_http_codr_ended_t   e;
    ngx_http_codr_stored_t  record;

    if (ngx_http_codr_records_read(mcf, pool, id, &record) != NGX_OK) {
        return NGX_ABORT;
    }

    ngx_memzero(&job, sizeof(ngx_http_codr_job_t));
    ngx_memcpy(job.id, id, CODR_JOB_ID_LEN);
    job.identified = 1;
    job.tag = record.tag;
    job.cached = a->cached;

    rc = ngx_http_codr_records_end(mcf, id, a, &job);

    if (rc != NGX_OK) {
        return rc;
    }

    ngx_memzero(&e, sizeof(ngx_http_codr_ended_t));

    e.job_id.len = CODR_JOB_ID_LEN;
    e.job_id.data = (u_char *) id;
    e.tag = record.tag;
    e.language = record.language;
    e.owner = record.owner;
    e.key_id = record.key_id;
    e.trace = record.trace;
    e.sha256.len = record.sha256[0] ? sizeof(record.sha256) : 0;
    e.sha256.data = record.sha256;
    e.started = (record.state == NGX_HTTP_CODR_RECORD_PROCESSING);

    ngx_http_codr_ended(mcf, &e, a);

    return NGX_OK;
}


static void
ngx_http_codr_adrift_claim(ngx_http_codr_main_conf_t *mcf, const u_char *id)
{
    if (mcf->channel) {
        ngx_http_codr_channel_claim(mcf->channel, id);
    }
}


/* Asks for the end of one, unless somebody else does. */

static ngx_int_t
ngx_http_codr_adrift_take(ngx_http_codr_main_conf_t *mcf, const u_char *id)
{
    ngx_int_t                    rc;
    ngx_http_codr_adrift_t      *adrift;
    ngx_http_codr_adrift_job_t  *job;

    adrift = ngx_http_codr_adrift(mcf);
    rc = adrift ? ngx_http_codr_records_hold(mcf, id) : NGX_BUSY;

    if (rc != NGX_OK) {
        return rc;
    }

    job = ngx_calloc(sizeof(ngx_http_codr_adrift_job_t), ngx_cycle->log);

    if (job == NULL) {
        ngx_http_codr_records_let_go(mcf, id);
        return NGX_BUSY;
    }

    job->mcf = mcf;
    ngx_memcpy(job->id, id, CODR_JOB_ID_LEN);
    ngx_queue_insert_tail(&adrift->waiting, &job->queue);

    return NGX_OK;
}


ngx_int_t
ngx_http_codr_adrift_offered(ngx_http_codr_main_conf_t *mcf,
    const u_char *payload, size_t len)
{
    int            rc;
    codr_field_t   field;
    codr_fields_t  fields;

    codr_fields_init(&fields, payload, len);

    while ((rc = codr_fields_next(&fields, &field)) == 1) {

        if (field.tag != CODR_FIELD_JOB_ID || codr_field_id(&field) != 0) {
            return NGX_ERROR;
        }

        if (ngx_exiting || ngx_terminate) {
            continue;
        }

        /* one that is not known here may be known to another nginx, if the
           helper is not ours */

        if (ngx_http_codr_adrift_take(mcf, field.data) == NGX_DECLINED
            && !ngx_http_codr_helper_is_foreign(mcf))
        {
            ngx_http_codr_adrift_claim(mcf, field.data);
        }
    }

    ngx_http_codr_adrift_next(mcf);

    return rc == 0 ? NGX_OK : NGX_ERROR;
}


/* One worker is enough, and whoever has inherited jobs. */

void
ngx_http_codr_adrift_sweep(ngx_http_codr_main_conf_t *mcf)
{
    u_char                  *id;
    ngx_uint_t               i;
    ngx_pool_t              *pool;
    ngx_array_t              ids;
    ngx_http_codr_adrift_t  *adrift;

    adrift = ngx_http_codr_adrift(mcf);

    if (adrift == NULL || ngx_exiting || ngx_terminate
        || (ngx_worker != 0 && adrift->inherited == 0))
    {
        return;
    }

    pool = ngx_http_codr_adrift_ids(&ids);

    if (pool == NULL) {
        return;
    }

    adrift->inherited = 0;

    ngx_http_codr_records_adrift(mcf, &ids);

    id = ids.elts;

    for (i = 0; i < ids.nelts; i++) {
        (void) ngx_http_codr_adrift_take(mcf, id + i * CODR_JOB_ID_LEN);
    }

    ngx_destroy_pool(pool);

    ngx_http_codr_adrift_next(mcf);
}


void
ngx_http_codr_adrift_end_all(ngx_http_codr_main_conf_t *mcf)
{
    ngx_pool_t   *pool;
    ngx_array_t   ids;

    pool = ngx_http_codr_adrift_ids(&ids);

    if (pool) {
        ngx_http_codr_records_adrift(mcf, &ids);
        ngx_http_codr_adrift_lost(mcf, &ids,
                                  "the helper that ran it was lost");
        ngx_destroy_pool(pool);
    }
}


static void
ngx_http_codr_adrift_next(ngx_http_codr_main_conf_t *mcf)
{
    ngx_queue_t                 *q;
    ngx_http_codr_adrift_t      *adrift;
    ngx_http_codr_question_t     question;
    ngx_http_codr_adrift_job_t  *job;

    adrift = mcf->adrift;

    while (adrift && adrift->asked < NGX_HTTP_CODR_ADRIFT_AT_ONCE
           && !ngx_queue_empty(&adrift->waiting))
    {
        q = ngx_queue_head(&adrift->waiting);
        ngx_queue_remove(q);

        job = ngx_queue_data(q, ngx_http_codr_adrift_job_t, queue);

        ngx_memzero(&question, sizeof(ngx_http_codr_question_t));
        question.id = job->id;

        adrift->asked++;

        if (ngx_http_codr_fetch(mcf, &question, &ngx_http_codr_adrift_fetch,
                                job, ngx_cycle->log)
            == NULL)
        {
            adrift->asked--;
            ngx_http_codr_records_let_go(mcf, job->id);
            ngx_free(job);
        }
    }
}


static void
ngx_http_codr_adrift_output(void *data, codr_output_t *output)
{
    /* none was asked for */
}


static void
ngx_http_codr_adrift_answer(void *data, ngx_http_codr_answer_t *a)
{
    ngx_http_codr_adrift_job_t  *job = data;

    ngx_pool_t              *pool;
    ngx_http_codr_answer_t   lost;

    if (a->type == CODR_FRAME_RECORD) {
        job->known = 1;
        ngx_http_codr_records_learn(job->mcf, job->id, a);
        return;
    }

    if (!job->known && a->code != CODR_ERROR_NOT_FOUND) {
        return;                                /* nobody can tell now */
    }

    if (!job->known) {
        ngx_http_codr_answer_error(&lost, CODR_ERROR_INTERNAL,
                                   "the helper that ran it was lost");
        a = &lost;

    } else if (a->type == CODR_FRAME_FETCHED) {
        return;                                /* it runs: there is time */
    }

    pool = ngx_create_pool(4096, ngx_cycle->log);

    if (pool) {
        job->ended = (ngx_http_codr_adrift_end(job->mcf, pool, job->id, a)
                      != NGX_ERROR);
        ngx_destroy_pool(pool);
    }
}


static void
ngx_http_codr_adrift_done(void *data)
{
    ngx_http_codr_adrift_job_t  *job = data;

    ngx_http_codr_main_conf_t  *mcf;

    mcf = job->mcf;
    mcf->adrift->asked--;

    if (job->ended) {
        ngx_http_codr_adrift_claim(mcf, job->id);

    } else {
        ngx_http_codr_records_let_go(mcf, job->id);
    }

    ngx_free(job);

    ngx_http_codr_adrift_next(mcf);
}
