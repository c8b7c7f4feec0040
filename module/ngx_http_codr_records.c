
/*
 * Records of jobs, shared by all workers.  Every job that was accepted ends
 * exactly once, as finished, failed or stopped, whichever worker hears of it
 * and whichever is gone by then.  Finished ones leave, oldest first, when their
 * time is over or their room is needed; unfinished ones never.
 */

#include "ngx_http_codr_records.h"
#include "ngx_http_codr_id.h"
#include "ngx_http_codr_json.h"
#include "ngx_http_codr_redis_save.h"


#define NGX_HTTP_CODR_RECORDS_EXPIRE   4       /* at a time */
#define NGX_HTTP_CODR_RECORDS_COMPILE  2048    /* bytes of a compiler's words */
#define NGX_HTTP_CODR_RECORDS_MESSAGE  1024


enum {
    records_accepted = 0,
    records_finished,
    records_failed,
    records_stopped,
    records_unfinished
};


static void ngx_http_codr_records_finish(ngx_http_codr_store_t *store,
    ngx_http_codr_stored_t *record, ngx_http_codr_answer_t *a,
    ngx_str_t *result);
static ngx_int_t ngx_http_codr_records_result(ngx_pool_t *pool,
    ngx_http_codr_answer_t *a, ngx_http_codr_job_t *job, ngx_str_t *text);


/* What the calendar's clock says, but never less than it said before: it can
   be set while a job runs. */

static uint64_t
ngx_http_codr_records_now(uint64_t before)
{
    uint64_t     ms;
    ngx_time_t  *now;

    now = ngx_timeofday();
    ms = (uint64_t) now->sec * 1000 + now->msec;

    return ngx_max(ms, before);
}


/* The worker that ended it may be ahead of this one. */

ngx_uint_t
ngx_http_codr_records_old(ngx_http_codr_stored_t *record, ngx_msec_t ttl)
{
    return record->completed_ms
           && (ngx_msec_int_t) (ngx_current_msec - record->ended)
              >= (ngx_msec_int_t) ttl;
}


const char *
ngx_http_codr_record_name(ngx_uint_t state)
{
    static const char  *names[] = {
        "queued", "queued", "processing", "completed", "failed"
    };

    return names[state];
}


/* With the mutex held, unless it returns NULL: the zone of a job's record. */

ngx_http_codr_store_t *
ngx_http_codr_records_lock(ngx_http_codr_main_conf_t *mcf)
{
    ngx_http_codr_store_t  *store;

    store = ngx_http_codr_store(mcf);

    if (store) {
        ngx_shmtx_lock(&store->pool->mutex);
    }

    return store;
}


ngx_http_codr_stored_t *
ngx_http_codr_records_find(ngx_http_codr_store_t *store, const u_char *id)
{
    u_char  bytes[NGX_HTTP_CODR_NODE_ID];

    if (ngx_http_codr_id_bytes(bytes, id, CODR_JOB_ID_LEN) != NGX_OK) {
        return NULL;
    }

    return (ngx_http_codr_stored_t *)
           ngx_http_codr_node_find(&store->records, bytes);
}


void
ngx_http_codr_records_free(ngx_http_codr_store_t *store,
    ngx_http_codr_stored_t *record)
{
    ngx_queue_remove(&record->queue);
    ngx_http_codr_node_delete(&store->records, &record->node);

    if (record->result.data) {
        ngx_slab_free_locked(store->pool, record->result.data);
    }

    ngx_slab_free_locked(store->pool, record);
}


ngx_int_t
ngx_http_codr_records_drop_locked(ngx_http_codr_store_t *store)
{
    ngx_queue_t  *q;

    q = ngx_queue_head(&store->records.queue);

    if (q == ngx_queue_sentinel(&store->records.queue)) {
        return NGX_DECLINED;
    }

    ngx_http_codr_records_free(store,
                              ngx_queue_data(q, ngx_http_codr_stored_t, queue));
    return NGX_OK;
}


static void
ngx_http_codr_records_expire(ngx_http_codr_store_t *store, ngx_msec_t ttl)
{
    ngx_uint_t               i;
    ngx_queue_t             *q;
    ngx_http_codr_stored_t  *record;

    for (i = 0; i < NGX_HTTP_CODR_RECORDS_EXPIRE; i++) {
        q = ngx_queue_head(&store->records.queue);

        if (q == ngx_queue_sentinel(&store->records.queue)) {
            return;
        }

        record = ngx_queue_data(q, ngx_http_codr_stored_t, queue);

        if (!ngx_http_codr_records_old(record, ttl)) {
            return;
        }

        ngx_http_codr_records_free(store, record);
    }
}


static u_char *
ngx_http_codr_records_put(u_char *p, ngx_str_t *dst, ngx_str_t *src)
{
    dst->data = p;
    dst->len = src->len;

    return ngx_cpymem(p, src->data, src->len);
}


ngx_int_t
ngx_http_codr_records_open(ngx_http_codr_job_t *job)
{
    u_char                  *p, id[NGX_HTTP_CODR_NODE_ID];
    ngx_int_t                rc;
    ngx_http_codr_store_t   *store;
    ngx_http_codr_stored_t  *record;

    store = ngx_http_codr_records_lock(job->mcf);

    if (store == NULL) {
        return NGX_ERROR;
    }

    ngx_http_codr_records_expire(store, job->mcf->job_ttl);

    rc = NGX_DECLINED;

    if (ngx_http_codr_id_bytes(id, job->id, CODR_JOB_ID_LEN) != NGX_OK
        || ngx_http_codr_node_find(&store->records, id))
    {
        goto done;
    }

    record = ngx_http_codr_store_alloc_locked(store,
                 sizeof(ngx_http_codr_stored_t) + job->owner.len
                 + job->key_id.len + job->language.len + job->tag.len
                 + job->trace.len);

    if (record == NULL) {
        rc = NGX_ERROR;
        goto done;
    }

    p = (u_char *) record + sizeof(ngx_http_codr_stored_t);
    p = ngx_http_codr_records_put(p, &record->owner, &job->owner);
    p = ngx_http_codr_records_put(p, &record->key_id, &job->key_id);
    p = ngx_http_codr_records_put(p, &record->language, &job->language);
    p = ngx_http_codr_records_put(p, &record->tag, &job->tag);
    (void) ngx_http_codr_records_put(p, &record->trace, &job->trace);
    ngx_memcpy(record->sha256, job->sha256, sizeof(record->sha256));

    record->created_ms = ngx_http_codr_records_now(0);
    record->pid = ngx_pid;
    record->slot = ngx_process_slot;
    record->outlives = job->outlives;
    record->unsaved = (job->mcf->redis_conf != NULL);

    ngx_http_codr_node_insert(&store->records, &record->node, id);
    ngx_queue_insert_tail(&store->unfinished, &record->queue);

    job->recorded = 1;
    rc = NGX_OK;

done:

    ngx_shmtx_unlock(&store->pool->mutex);

    return rc;
}


static void
ngx_http_codr_records_advance(ngx_http_codr_job_t *job, ngx_uint_t state)
{
    ngx_uint_t               changed;
    ngx_http_codr_store_t   *store;
    ngx_http_codr_stored_t  *record;

    if (!job->recorded) {
        return;
    }

    store = ngx_http_codr_records_lock(job->mcf);
    record = ngx_http_codr_records_find(store, job->id);

    changed = (record && record->state < state);

    if (changed) {

        if (record->state == NGX_HTTP_CODR_RECORD_OPEN) {
            store->count[records_accepted]++;
            store->count[records_unfinished]++;
        }

        record->state = state;

        if (state == NGX_HTTP_CODR_RECORD_PROCESSING) {
            record->started_ms = ngx_http_codr_records_now(
                                     record->created_ms);
        }
    }

    ngx_shmtx_unlock(&store->pool->mutex);

    if (changed) {
        ngx_http_codr_redis_note(job->mcf, job->id);
    }
}


void
ngx_http_codr_records_accepted(ngx_http_codr_job_t *job)
{
    ngx_http_codr_records_advance(job, NGX_HTTP_CODR_RECORD_QUEUED);
}


void
ngx_http_codr_records_started(ngx_http_codr_job_t *job)
{
    ngx_http_codr_records_advance(job, NGX_HTTP_CODR_RECORD_PROCESSING);
}


ngx_int_t
ngx_http_codr_records_ended(ngx_http_codr_job_t *job,
    ngx_http_codr_answer_t *a)
{
    if (!job->recorded) {
        return NGX_OK;
    }

    job->recorded = 0;
    ngx_http_codr_publish_end(job);

    return ngx_http_codr_records_end(job->mcf, job->id, a, job);
}


/* How a job ends that its client has left. */

void
ngx_http_codr_records_left(ngx_http_codr_job_t *job)
{
    ngx_http_codr_store_t   *store;
    ngx_http_codr_answer_t   a;
    ngx_http_codr_stored_t  *record;

    if (!job->recorded) {
        return;
    }

    if (!job->outlives) {
        ngx_http_codr_answer_stopped(&a);
        (void) ngx_http_codr_records_ended(job, &a);
        return;
    }

    job->recorded = 0;

    store = ngx_http_codr_records_lock(job->mcf);
    record = ngx_http_codr_records_find(store, job->id);

    if (record && record->pid == ngx_pid) {

        if (record->state == NGX_HTTP_CODR_RECORD_OPEN) {
            ngx_http_codr_records_free(store, record);

        } else {
            record->pid = 0;
        }
    }

    ngx_shmtx_unlock(&store->pool->mutex);
}


/* A job that ends before it was accepted never was one. */

ngx_int_t
ngx_http_codr_records_end(ngx_http_codr_main_conf_t *mcf, const u_char *id,
    ngx_http_codr_answer_t *a, ngx_http_codr_job_t *job)
{
    ngx_int_t                rc;
    ngx_str_t                result;
    ngx_pool_t              *pool;
    ngx_http_codr_store_t   *store;
    ngx_http_codr_stored_t  *record;

    pool = ngx_create_pool(4096, ngx_cycle->log);

    if (pool == NULL
        || ngx_http_codr_records_result(pool, a, job, &result) != NGX_OK)
    {
        ngx_str_null(&result);                 /* an end all the same */
    }

    rc = NGX_ABORT;
    store = ngx_http_codr_records_lock(mcf);

    if (store == NULL) {
        goto done;
    }

    record = ngx_http_codr_records_find(store, id);

    if (record && record->state == NGX_HTTP_CODR_RECORD_OPEN) {
        ngx_http_codr_records_free(store, record);

    } else if (record && record->state < NGX_HTTP_CODR_RECORD_COMPLETED) {
        ngx_http_codr_records_finish(store, record, a, &result);
        rc = NGX_OK;

    } else if (record) {
        rc = NGX_DECLINED;
    }

    ngx_shmtx_unlock(&store->pool->mutex);

    if (rc == NGX_OK) {
        ngx_http_codr_redis_save(mcf, id);
    }

done:

    if (pool) {
        ngx_destroy_pool(pool);
    }

    return rc;
}


static void
ngx_http_codr_records_finish(ngx_http_codr_store_t *store,
    ngx_http_codr_stored_t *record, ngx_http_codr_answer_t *a,
    ngx_str_t *result)
{
    u_char      *p;
    ngx_uint_t   count;

    /* out of its queue first: room for the result must not be made of it */

    ngx_queue_remove(&record->queue);

    p = result->len ? ngx_http_codr_store_alloc_locked(store, result->len)
                    : NULL;
    if (p) {
        record->result.data = p;
        record->result.len = result->len;
        ngx_memcpy(p, result->data, result->len);
    }

    if (a->type == CODR_FRAME_COMPLETE) {
        record->state = NGX_HTTP_CODR_RECORD_COMPLETED;
        count = (a->status == CODR_STATUS_STOPPED) ? records_stopped
                                                   : records_finished;

    } else if (ngx_http_codr_answer_compiler(a)) {
        record->state = NGX_HTTP_CODR_RECORD_COMPLETED;
        count = records_finished;

    } else {
        record->state = NGX_HTTP_CODR_RECORD_FAILED;
        count = records_failed;
    }

    store->count[count]++;
    store->count[records_unfinished]--;

    record->completed_ms = ngx_http_codr_records_now(
                               ngx_max(record->created_ms,
                                       record->started_ms));
    record->ended = ngx_current_msec;
    record->pid = 0;

    ngx_queue_insert_tail(&store->records.queue, &record->queue);
}


/* Without the program's output, and with no more of a compiler's than is
   bearable: the helper has all of it for as long as there is room. */

static ngx_int_t
ngx_http_codr_records_result(ngx_pool_t *pool, ngx_http_codr_answer_t *a,
    ngx_http_codr_job_t *job, ngx_str_t *text)
{
    const char              *code;
    ngx_http_codr_json_t     j;
    ngx_http_codr_answer_t   copy;

    copy = *a;
    copy.compile_output.len = ngx_min(copy.compile_output.len,
                                      NGX_HTTP_CODR_RECORDS_COMPILE);
    copy.message.len = ngx_min(copy.message.len,
                               NGX_HTTP_CODR_RECORDS_MESSAGE);

    ngx_http_codr_json_init(&j, pool, 2048);

    if (a->type == CODR_FRAME_COMPLETE) {
        ngx_http_codr_json_complete(&j, &copy, job);

    } else if (ngx_http_codr_answer_compiler(a)) {
        ngx_http_codr_json_uncompiled(&j, &copy, job);

    } else {
        code = codr_error_name(a->code);
        ngx_http_codr_json_name(&j, "code", code ? code : "internal");
        ngx_http_codr_json_error(&j, &copy, job);
    }

    text->data = j.start;
    text->len = j.pos - j.start;

    return j.failed ? NGX_ERROR : NGX_OK;
}


ngx_int_t
ngx_http_codr_records_read(ngx_http_codr_main_conf_t *mcf, ngx_pool_t *pool,
    const u_char *id, ngx_http_codr_stored_t *copy)
{
    size_t                   len;
    u_char                  *p;
    ngx_int_t                rc;
    ngx_http_codr_store_t   *store;
    ngx_http_codr_stored_t  *record;

    store = ngx_http_codr_records_lock(mcf);

    if (store == NULL) {
        return NGX_DECLINED;
    }

    rc = NGX_DECLINED;
    record = ngx_http_codr_records_find(store, id);

    if (record == NULL || record->state == NGX_HTTP_CODR_RECORD_OPEN
        || ngx_http_codr_records_old(record, mcf->job_ttl))
    {
        goto done;
    }

    len = record->owner.len + record->key_id.len + record->language.len
          + record->tag.len + record->trace.len + record->result.len;

    p = ngx_pnalloc(pool, len + 1);
    if (p == NULL) {
        goto done;
    }

    *copy = *record;

    p = ngx_http_codr_records_put(p, &copy->owner, &record->owner);
    p = ngx_http_codr_records_put(p, &copy->key_id, &record->key_id);
    p = ngx_http_codr_records_put(p, &copy->language, &record->language);
    p = ngx_http_codr_records_put(p, &copy->tag, &record->tag);
    p = ngx_http_codr_records_put(p, &copy->trace, &record->trace);
    (void) ngx_http_codr_records_put(p, &copy->result, &record->result);

    rc = NGX_OK;

done:

    ngx_shmtx_unlock(&store->pool->mutex);

    return rc;
}


void
ngx_http_codr_records_joined(ngx_http_codr_job_t *job)
{
    ngx_http_codr_stored_t  record;

    if (ngx_http_codr_records_read(job->mcf, job->pool, job->id, &record)
        != NGX_OK)
    {
        return;
    }

    job->owner = record.owner;
    job->key_id = record.key_id;
    job->trace = record.trace;
    ngx_memcpy(job->sha256, record.sha256, sizeof(job->sha256));
}


ngx_int_t
ngx_http_codr_records_tally(ngx_http_codr_main_conf_t *mcf,
    ngx_http_codr_tally_t *tally)
{
    ngx_http_codr_store_t  *store;

    store = ngx_http_codr_records_lock(mcf);

    if (store == NULL) {
        return NGX_DECLINED;
    }

    tally->accepted = store->count[records_accepted];
    tally->finished = store->count[records_finished];
    tally->failed = store->count[records_failed];
    tally->stopped = store->count[records_stopped];
    tally->unfinished = store->count[records_unfinished];

    ngx_shmtx_unlock(&store->pool->mutex);

    return NGX_OK;
}
