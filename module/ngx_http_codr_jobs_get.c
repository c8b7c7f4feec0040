
/*
 * Answers of the job API: a record, and a job's output.
 */

#include "ngx_http_codr_jobs.h"
#include "ngx_http_codr_ws.h"


static void ngx_http_codr_jobs_result(ngx_http_codr_look_t *look,
    ngx_http_codr_json_t *j);
static void ngx_http_codr_jobs_streams(ngx_http_codr_look_t *look,
    ngx_http_codr_json_t *j);
static ngx_int_t ngx_http_codr_jobs_headers(ngx_http_codr_look_t *look);


static void
ngx_http_codr_jobs_time(ngx_http_codr_json_t *j, const char *key, uint64_t ms)
{
    if (ms) {
        ngx_http_codr_json_time(j, key, ms);

    } else {
        ngx_http_codr_json_null(j, key);
    }
}


ngx_int_t
ngx_http_codr_jobs_record(ngx_http_codr_look_t *look)
{
    ngx_str_t                id;
    ngx_http_request_t      *r;
    ngx_http_codr_json_t     j;
    ngx_http_codr_stored_t  *record;

    r = look->request;
    record = &look->record;

    /* it may have changed while the helper was asked, or have left */

    (void) ngx_http_codr_records_read(look->mcf, r->pool, look->id, record);

    id.data = look->id;
    id.len = CODR_JOB_ID_LEN;

    ngx_http_codr_json_init(&j, r->pool, 4096);
    ngx_http_codr_json_open(&j, NULL);
    ngx_http_codr_json_text(&j, "job_id", &id);
    ngx_http_codr_json_text(&j, "owner", &record->owner);
    ngx_http_codr_json_text(&j, "language", &record->language);

    if (record->tag.len) {
        ngx_http_codr_json_text(&j, "tag", &record->tag);

    } else {
        ngx_http_codr_json_null(&j, "tag");
    }

    ngx_http_codr_json_name(&j, "status",
                            ngx_http_codr_record_name(record->state));
    ngx_http_codr_jobs_time(&j, "created_at", record->created_ms);
    ngx_http_codr_jobs_time(&j, "started_at", record->started_ms);
    ngx_http_codr_jobs_time(&j, "completed_at", record->completed_ms);

    if (record->state >= NGX_HTTP_CODR_RECORD_COMPLETED) {
        ngx_http_codr_jobs_result(look, &j);
    }

    if (record->unsaved && record->completed_ms) {
        ngx_http_codr_json_bool(&j, "unsaved", 1);
    }

    ngx_http_codr_json_close(&j);

    return j.failed ? NGX_HTTP_INTERNAL_SERVER_ERROR
                    : ngx_http_codr_send_json(r, NGX_HTTP_OK, j.start,
                                              j.pos - j.start);
}


/* As the helper has it, else the shorter one of the record. */

static void
ngx_http_codr_jobs_result(ngx_http_codr_look_t *look, ngx_http_codr_json_t *j)
{
    ngx_uint_t  failed;

    failed = (look->record.state == NGX_HTTP_CODR_RECORD_FAILED);

    ngx_http_codr_json_open(j, failed ? "error" : "result");

    if (look->ended && look->failed == failed) {
        ngx_http_codr_json_put(j, look->result.start,
                               look->result.pos - look->result.start);
        j->comma = 1;
        j->failed |= look->result.failed;

    } else if (look->record.result.len) {
        ngx_http_codr_json_put(j, look->record.result.data,
                               look->record.result.len);
        j->comma = 1;
    }

    if (!failed) {
        ngx_http_codr_jobs_streams(look, j);
    }

    ngx_http_codr_json_close(j);
}


static void
ngx_http_codr_jobs_streams(ngx_http_codr_look_t *look, ngx_http_codr_json_t *j)
{
    ngx_str_t              text;
    ngx_uint_t             i;
    ngx_http_codr_json_t  *stream;

    static const char  *names[] = { "stdout", "stderr" };

    for (i = 0; i < 2; i++) {
        stream = &look->streams[i];

        if (!look->known) {                    /* its output is kept no more */
            ngx_http_codr_json_null(j, names[i]);
            continue;
        }

        text.data = stream->start;
        text.len = stream->pos - stream->start;

        ngx_http_codr_json_text(j, names[i], &text);

        j->failed |= stream->failed;
    }
}


ngx_int_t
ngx_http_codr_jobs_output(ngx_http_codr_look_t *look)
{
    size_t               len;
    ngx_int_t            rc;
    ngx_buf_t           *b;
    ngx_chain_t          out;
    ngx_http_request_t  *r;

    r = look->request;
    len = look->raw.pos - look->raw.start;

    if (!look->known) {
        return look->missing
               ? ngx_http_codr_send_error(r, NGX_HTTP_NOT_FOUND, "not_found",
                                          "its output is not kept any more")
               : ngx_http_codr_send_error(r, NGX_HTTP_SERVICE_UNAVAILABLE,
                                          "unavailable",
                                          "the helper does not answer");
    }

    if (len == 0) {
        look->end = look->question.offset;
    }

    b = ngx_calloc_buf(r->pool);

    if (b == NULL || look->raw.failed
        || ngx_http_codr_jobs_headers(look) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    r->headers_out.status = NGX_HTTP_OK;
    r->headers_out.content_length_n = len;

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    b->pos = look->raw.start;
    b->last = look->raw.pos;
    b->memory = len ? 1 : 0;
    b->last_buf = 1;
    b->last_in_chain = 1;

    out.buf = b;
    out.next = NULL;

    return ngx_http_output_filter(r, &out);
}


/* Whatever the bytes say: no browser is to make a page of them. */

static ngx_int_t
ngx_http_codr_jobs_headers(ngx_http_codr_look_t *look)
{
    ngx_str_t            value;
    ngx_uint_t           i;
    ngx_http_request_t  *r;

    static ngx_str_t  next = ngx_string("X-Codr-Next-Offset");
    static ngx_str_t  headers[][2] = {
        { ngx_string("X-Content-Type-Options"), ngx_string("nosniff") },
        { ngx_string("Content-Disposition"), ngx_string("attachment") },
        { ngx_string("Cache-Control"), ngx_string("no-store") }
    };

    r = look->request;

    ngx_str_set(&r->headers_out.content_type, "application/octet-stream");
    r->headers_out.content_type_len = r->headers_out.content_type.len;
    r->headers_out.content_type_lowcase = NULL;

    value.data = ngx_pnalloc(r->pool, NGX_INT64_LEN);
    if (value.data == NULL) {
        return NGX_ERROR;
    }

    value.len = ngx_sprintf(value.data, "%uL", look->end) - value.data;

    if (ngx_http_codr_header_out(r, &next, &value) != NGX_OK) {
        return NGX_ERROR;
    }

    for (i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
        if (ngx_http_codr_header_out(r, &headers[i][0], &headers[i][1])
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}
