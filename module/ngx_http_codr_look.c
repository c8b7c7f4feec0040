
/*
 * A request of the job API that waits for what the helper knows of a job.
 * Whatever is learned of the job's end goes into its record first, so that
 * nobody is told what the record does not say.  Runs in workers.
 */

#include "ngx_http_codr_jobs.h"
#include "ngx_http_codr_adrift.h"
#include "ngx_http_codr_records_list.h"

#include <signal.h>


static void ngx_http_codr_look_cleanup(void *data);
static void ngx_http_codr_look_output(void *data, codr_output_t *output);
static void ngx_http_codr_look_answer(void *data, ngx_http_codr_answer_t *a);
static void ngx_http_codr_look_done(void *data);
static void ngx_http_codr_look_lost(ngx_http_codr_look_t *look);


static const ngx_http_codr_fetch_handler_t  ngx_http_codr_look_fetch = {
    ngx_http_codr_look_output,
    ngx_http_codr_look_answer,
    ngx_http_codr_look_done
};


ngx_int_t
ngx_http_codr_look(ngx_http_codr_look_t *look)
{
    ngx_int_t            rc;
    ngx_http_cleanup_t  *cln;
    ngx_http_request_t  *r;

    r = look->request;

    ngx_http_codr_json_init(&look->streams[0], r->pool, 1024);
    ngx_http_codr_json_init(&look->streams[1], r->pool, 1024);
    ngx_http_codr_json_init(&look->raw, r->pool, 1024);
    ngx_http_codr_json_init(&look->result, r->pool, 1024);

    rc = ngx_http_discard_request_body(r);
    if (rc != NGX_OK) {
        return rc;
    }

    cln = ngx_http_cleanup_add(r, 0);
    if (cln == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    look->question.id = look->id;
    look->fetch = ngx_http_codr_fetch(look->mcf, &look->question,
                                      &ngx_http_codr_look_fetch, look,
                                      r->connection->log);
    if (look->fetch == NULL) {
        return look->answer(look);
    }

    cln->handler = ngx_http_codr_look_cleanup;
    cln->data = look;

    r->main->count++;
    r->read_event_handler = ngx_http_test_reading;
    r->write_event_handler = ngx_http_request_empty_handler;
    r->connection->log->action = "waiting for a job";

    return NGX_DONE;
}


static void
ngx_http_codr_look_cleanup(void *data)
{
    ngx_http_codr_look_t  *look = data;

    if (look->fetch) {
        ngx_http_codr_fetch_close(look->fetch);
        look->fetch = NULL;
    }
}


static void
ngx_http_codr_look_output(void *data, codr_output_t *output)
{
    ngx_http_codr_look_t  *look = data;

    size_t                 len;
    ngx_http_codr_json_t  *stream;

    if (!look->merged) {
        stream = &look->streams[output->stream - 1];
        len = NGX_HTTP_CODR_JOBS_STREAM - (stream->pos - stream->start);
        len = ngx_min(len, output->length);

        ngx_http_codr_json_put(stream, output->data, len);
        return;
    }

    /* what is kept may begin later than asked for; behind a gap it ends */

    if (look->raw.pos == look->raw.start) {
        look->end = output->offset;
    }

    len = NGX_HTTP_CODR_JOBS_OUTPUT - (look->raw.pos - look->raw.start);

    if (look->full || look->end != output->offset || len < output->length) {
        look->full = 1;
        return;
    }

    ngx_http_codr_json_put(&look->raw, output->data, output->length);
    look->end += output->length;
}


static void
ngx_http_codr_look_answer(void *data, ngx_http_codr_answer_t *a)
{
    ngx_http_codr_look_t  *look = data;

    const char           *code;
    ngx_http_codr_job_t   job;

    if (a->type == CODR_FRAME_RECORD) {
        look->known = 1;
        ngx_http_codr_records_learn(look->mcf, look->id, a);
        return;
    }

    if (!look->known) {
        look->missing = (a->code == CODR_ERROR_NOT_FOUND);
        return;
    }

    if (a->type == CODR_FRAME_FETCHED) {
        return;
    }

    ngx_memzero(&job, sizeof(ngx_http_codr_job_t));
    ngx_memcpy(job.id, look->id, CODR_JOB_ID_LEN);
    job.identified = 1;
    job.tag = look->record.tag;
    job.cached = a->cached;

    look->ended = 1;

    (void) ngx_http_codr_adrift_end(look->mcf, look->request->pool, look->id,
                                    a);

    if (a->type == CODR_FRAME_COMPLETE) {
        ngx_http_codr_json_complete(&look->result, a, &job);

    } else if (ngx_http_codr_answer_compiler(a)) {
        ngx_http_codr_json_uncompiled(&look->result, a, &job);

    } else {
        code = codr_error_name(a->code);
        look->failed = 1;
        ngx_http_codr_json_name(&look->result, "code",
                                code ? code : "internal");
        ngx_http_codr_json_error(&look->result, a, &job);
    }
}


static void
ngx_http_codr_look_done(void *data)
{
    ngx_http_codr_look_t  *look = data;

    ngx_connection_t    *c;
    ngx_http_request_t  *r;

    r = look->request;
    c = r->connection;

    look->fetch = NULL;

    if (look->missing) {
        ngx_http_codr_look_lost(look);
    }

    ngx_http_finalize_request(r, look->answer(look));
    ngx_http_run_posted_requests(c);
}


/* The helper does not know it, and no worker has hold of it: nobody will ever
   tell of its end. */

static void
ngx_http_codr_look_lost(ngx_http_codr_look_t *look)
{
    ngx_http_codr_answer_t  a;

    if (ngx_http_codr_records_read(look->mcf, look->request->pool, look->id,
                                   &look->record)
        != NGX_OK
        || look->record.state >= NGX_HTTP_CODR_RECORD_COMPLETED
        || (look->record.pid && (kill(look->record.pid, 0) == 0
                                 || ngx_errno != ESRCH)))
    {
        return;
    }

    ngx_http_codr_answer_error(&a, CODR_ERROR_INTERNAL,
                               "the helper that ran it was lost");

    (void) ngx_http_codr_adrift_end(look->mcf, look->request->pool, look->id,
                                    &a);
}


static ngx_uint_t
ngx_http_codr_look_same(ngx_str_t *a, ngx_str_t *b)
{
    return a->len == b->len && ngx_memcmp(a->data, b->data, a->len) == 0;
}


/* Where nothing else says who an owner is, it is whoever has the key: also of
   what its tickets were used for, and not of what those of another key were,
   for somebody of the same name. */

ngx_uint_t
ngx_http_codr_look_owned(ngx_http_request_t *r, ngx_str_t *owner,
    ngx_str_t *key_id)
{
    ngx_http_codr_ctx_t       *ctx;
    ngx_http_codr_loc_conf_t  *lcf;

    ctx = ngx_http_get_module_ctx(r, ngx_http_codr_module);
    lcf = ngx_http_get_module_loc_conf(r, ngx_http_codr_module);

    if (lcf->owner == NULL && ctx->key_id.len && key_id->len) {
        return ngx_http_codr_look_same(&ctx->key_id, key_id);
    }

    return ngx_http_codr_look_same(&ctx->owner, owner);
}


ngx_int_t
ngx_http_codr_look_none(ngx_http_request_t *r)
{
    return ngx_http_codr_send_error(r, NGX_HTTP_NOT_FOUND, "not_found",
                                    "there is no such job");
}
