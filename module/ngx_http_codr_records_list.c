
/*
 * Which records want something: an end that nobody has told yet, or a place in
 * Redis; and what goes there only.
 */

#include "ngx_http_codr_records_list.h"
#include "ngx_http_codr_distant.h"
#include "ngx_http_codr_redis_save.h"

#include <signal.h>


static void
ngx_http_codr_records_add(ngx_array_t *ids, ngx_http_codr_stored_t *record)
{
    u_char  *id;

    id = ngx_array_push(ids);

    if (id) {                                  /* else it stays as it is */
        (void) ngx_hex_dump(id, record->node.id, NGX_HTTP_CODR_NODE_ID);
    }
}


/* Those that live on without a socket are adrift then; the others are over. */

ngx_uint_t
ngx_http_codr_records_inherit(ngx_http_codr_main_conf_t *mcf,
    ngx_array_t *lost)
{
    ngx_uint_t               n;
    ngx_queue_t             *q, *next;
    ngx_http_codr_store_t   *store;
    ngx_http_codr_stored_t  *record;

    store = ngx_http_codr_records_lock(mcf);

    if (store == NULL) {
        return 0;
    }

    n = 0;

    for (q = ngx_queue_head(&store->unfinished);
         q != ngx_queue_sentinel(&store->unfinished);
         q = next)
    {
        next = ngx_queue_next(q);
        record = ngx_queue_data(q, ngx_http_codr_stored_t, queue);

        if (record->pid == 0 || record->slot != ngx_process_slot
            || record->pid == ngx_pid)
        {
            continue;
        }

        if (record->state == NGX_HTTP_CODR_RECORD_OPEN) {
            ngx_http_codr_records_free(store, record);

        } else if (record->outlives) {
            record->pid = 0;
            n++;

        } else {
            ngx_http_codr_records_add(lost, record);
        }
    }

    ngx_shmtx_unlock(&store->pool->mutex);

    return n;
}


/* Those of the unfinished that are wanted. */

static void
ngx_http_codr_records_select(ngx_http_codr_main_conf_t *mcf, ngx_array_t *ids,
    ngx_uint_t (*wanted)(ngx_http_codr_stored_t *record))
{
    ngx_queue_t             *q;
    ngx_http_codr_store_t   *store;
    ngx_http_codr_stored_t  *record;

    store = ngx_http_codr_records_lock(mcf);

    if (store == NULL) {
        return;
    }

    for (q = ngx_queue_head(&store->unfinished);
         q != ngx_queue_sentinel(&store->unfinished);
         q = ngx_queue_next(q))
    {
        record = ngx_queue_data(q, ngx_http_codr_stored_t, queue);

        if (wanted(record)) {
            ngx_http_codr_records_add(ids, record);
        }
    }

    ngx_shmtx_unlock(&store->pool->mutex);
}


static ngx_uint_t
ngx_http_codr_records_is_adrift(ngx_http_codr_stored_t *record)
{
    return record->pid == 0;
}


void
ngx_http_codr_records_adrift(ngx_http_codr_main_conf_t *mcf, ngx_array_t *ids)
{
    ngx_http_codr_records_select(mcf, ids, ngx_http_codr_records_is_adrift);
}


static ngx_uint_t
ngx_http_codr_records_gone(ngx_pid_t pid)
{
    return pid == 0 || (kill(pid, 0) == -1 && ngx_errno == ESRCH);
}


/* A slot that no worker follows in is nobody's either. */

static ngx_uint_t
ngx_http_codr_records_free_for(ngx_http_codr_stored_t *record)
{
    return record->pid == 0
           || (record->outlives && ngx_http_codr_records_gone(record->pid));
}


ngx_int_t
ngx_http_codr_records_hold(ngx_http_codr_main_conf_t *mcf, const u_char *id)
{
    ngx_int_t                rc;
    ngx_http_codr_store_t   *store;
    ngx_http_codr_stored_t  *record;

    store = ngx_http_codr_records_lock(mcf);

    if (store == NULL) {
        return NGX_DECLINED;
    }

    record = ngx_http_codr_records_find(store, id);

    if (record == NULL || record->state >= NGX_HTTP_CODR_RECORD_COMPLETED) {
        rc = NGX_DECLINED;

    } else if (ngx_http_codr_records_free_for(record)) {
        record->pid = ngx_pid;
        record->slot = ngx_process_slot;
        rc = NGX_OK;

    } else {
        rc = NGX_BUSY;
    }

    ngx_shmtx_unlock(&store->pool->mutex);

    return rc;
}


void
ngx_http_codr_records_let_go(ngx_http_codr_main_conf_t *mcf, const u_char *id)
{
    ngx_http_codr_store_t   *store;
    ngx_http_codr_stored_t  *record;

    store = ngx_http_codr_records_lock(mcf);

    if (store == NULL) {
        return;
    }

    record = ngx_http_codr_records_find(store, id);

    if (record && record->pid == ngx_pid) {
        record->pid = 0;
    }

    ngx_shmtx_unlock(&store->pool->mutex);
}


void
ngx_http_codr_records_learn(ngx_http_codr_main_conf_t *mcf, const u_char *id,
    ngx_http_codr_answer_t *a)
{
    ngx_uint_t               changed;
    ngx_http_codr_store_t   *store;
    ngx_http_codr_stored_t  *record;

    if (!ngx_http_codr_has(a, STARTED_MS)) {
        return;
    }

    store = ngx_http_codr_records_lock(mcf);

    if (store == NULL) {
        return;
    }

    record = ngx_http_codr_records_find(store, id);

    changed = (record && record->state == NGX_HTTP_CODR_RECORD_QUEUED);

    if (changed) {
        record->state = NGX_HTTP_CODR_RECORD_PROCESSING;
        record->started_ms = ngx_max(a->started_ms, record->created_ms);
    }

    ngx_shmtx_unlock(&store->pool->mutex);

    if (changed) {
        ngx_http_codr_redis_note(mcf, id);
    }
}


ngx_int_t
ngx_http_codr_records_save(ngx_http_codr_main_conf_t *mcf, const u_char *id)
{
    ngx_int_t                rc;
    ngx_http_codr_store_t   *store;
    ngx_http_codr_stored_t  *record;

    store = ngx_http_codr_records_lock(mcf);

    if (store == NULL) {
        return NGX_DECLINED;
    }

    rc = NGX_DECLINED;
    record = ngx_http_codr_records_find(store, id);

    if (record && record->unsaved
        && ngx_http_codr_records_gone(record->saver))
    {
        record->saver = ngx_pid;
        rc = NGX_OK;
    }

    ngx_shmtx_unlock(&store->pool->mutex);

    return rc;
}


void
ngx_http_codr_records_saved(ngx_http_codr_main_conf_t *mcf, const u_char *id,
    ngx_uint_t done)
{
    ngx_http_codr_store_t   *store;
    ngx_http_codr_stored_t  *record;

    store = ngx_http_codr_records_lock(mcf);

    if (store == NULL) {
        return;
    }

    record = ngx_http_codr_records_find(store, id);

    if (record) {
        record->saver = 0;
        record->unsaved = !done;
    }

    ngx_shmtx_unlock(&store->pool->mutex);
}


ngx_int_t
ngx_http_codr_records_unsaved(ngx_http_codr_main_conf_t *mcf,
    u_char id[CODR_JOB_ID_LEN])
{
    ngx_int_t                rc;
    ngx_queue_t             *q;
    ngx_http_codr_store_t   *store;
    ngx_http_codr_stored_t  *record;

    store = ngx_http_codr_records_lock(mcf);

    if (store == NULL) {
        return NGX_DECLINED;
    }

    rc = NGX_DECLINED;

    for (q = ngx_queue_head(&store->records.queue);
         q != ngx_queue_sentinel(&store->records.queue) && rc != NGX_OK;
         q = ngx_queue_next(q))
    {
        record = ngx_queue_data(q, ngx_http_codr_stored_t, queue);

        if (record->unsaved
            && !ngx_http_codr_records_old(record, mcf->job_ttl)
            && ngx_http_codr_records_gone(record->saver))
        {
            (void) ngx_hex_dump(id, record->node.id, NGX_HTTP_CODR_NODE_ID);
            record->saver = ngx_pid;
            rc = NGX_OK;
        }
    }

    ngx_shmtx_unlock(&store->pool->mutex);

    return rc;
}


/* One worker is enough for those that are adrift. */

static ngx_uint_t
ngx_http_codr_records_is_live(ngx_http_codr_stored_t *record)
{
    return record->state != NGX_HTTP_CODR_RECORD_OPEN
           && (record->pid == ngx_pid
               || (record->pid == 0 && ngx_worker == 0));
}


void
ngx_http_codr_records_live(ngx_http_codr_main_conf_t *mcf, ngx_array_t *ids)
{
    ngx_http_codr_records_select(mcf, ids, ngx_http_codr_records_is_live);
}


void
ngx_http_codr_records_tokens(ngx_http_codr_job_t *job,
    ngx_http_codr_answer_t *a)
{
    u_char                   digest[2][NGX_HTTP_CODR_TOKEN_DIGEST / 2];
    ngx_http_codr_store_t   *store;
    ngx_http_codr_stored_t  *record;

    if (!job->recorded || job->mcf->redis_conf == NULL
        || ngx_http_codr_distant_digest(job->mcf, "attach", job->id,
                                        &a->attach_token, digest[0])
           != NGX_OK
        || ngx_http_codr_distant_digest(job->mcf, "view", job->id,
                                        &a->view_token, digest[1])
           != NGX_OK)
    {
        return;
    }

    store = ngx_http_codr_records_lock(job->mcf);

    if (store == NULL) {
        return;
    }

    record = ngx_http_codr_records_find(store, job->id);

    if (record) {
        ngx_memcpy(record->tokens, digest, sizeof(digest));
    }

    ngx_shmtx_unlock(&store->pool->mutex);
}
