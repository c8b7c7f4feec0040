
/*
 * What the log's line shows of a job that has ended.  The strings live in the
 * request's pool, once for all jobs of a socket.  Runs in workers.
 */

#include "ngx_http_codr_job.h"
#include "ngx_http_codr_metrics.h"


typedef struct {
    u_char                     job_id[CODR_JOB_ID_LEN];
    u_char                     tag[128];
    u_char                     language[CODR_NAME_MAX];
    u_char                     exit_status[NGX_INT64_LEN];
    u_char                     sha256[64];
} ngx_http_codr_record_t;


static ngx_http_codr_record_t *ngx_http_codr_record_begin(
    ngx_http_request_t *r, ngx_http_codr_last_t **last);
static void ngx_http_codr_record_figures(ngx_http_codr_last_t *last,
    ngx_http_codr_record_t *record, ngx_http_codr_answer_t *a);
static void ngx_http_codr_record_text(ngx_str_t *s, u_char *place, size_t size,
    u_char *data, size_t len);
static void ngx_http_codr_record_name(ngx_str_t *s, const char *name);


void
ngx_http_codr_record(ngx_http_request_t *r, ngx_http_codr_job_t *job,
    ngx_http_codr_answer_t *a)
{
    ngx_http_codr_last_t    *last;
    ngx_http_codr_record_t  *record;

    ngx_http_codr_metrics_ended(job->mcf, &job->language, job->started, a);

    record = ngx_http_codr_record_begin(r, &last);
    if (record == NULL) {
        return;
    }

    ngx_http_codr_record_text(&last->job_id, record->job_id,
                              sizeof(record->job_id), job->id,
                              job->identified ? CODR_JOB_ID_LEN : 0);
    ngx_http_codr_record_text(&last->tag, record->tag, sizeof(record->tag),
                              job->tag.data, job->tag.len);
    ngx_http_codr_record_text(&last->language, record->language,
                              sizeof(record->language), job->language.data,
                              job->language.len);
    ngx_http_codr_record_text(&last->code_sha256, record->sha256,
                              sizeof(record->sha256), job->sha256,
                              sizeof(job->sha256));

    if (a == NULL) {
        ngx_http_codr_record_name(&last->status,
                                  codr_status_name(CODR_STATUS_STOPPED));
        return;
    }

    if (a->type != CODR_FRAME_COMPLETE) {
        ngx_http_codr_record_name(&last->status, codr_error_name(a->code));
        return;
    }

    ngx_http_codr_record_name(&last->status, codr_status_name(a->status));
    ngx_http_codr_record_figures(last, record, a);
}


void
ngx_http_codr_refused(ngx_http_request_t *r, ngx_http_codr_execute_t *x,
    ngx_http_codr_answer_t *refusal)
{
    ngx_http_codr_last_t       *last;
    ngx_http_codr_record_t     *record;
    ngx_http_codr_main_conf_t  *mcf;

    mcf = ngx_http_get_module_main_conf(r, ngx_http_codr_module);

    ngx_http_codr_metrics_rejected(mcf, (ngx_uint_t) refusal->code);

    record = ngx_http_codr_record_begin(r, &last);
    if (record == NULL) {
        return;
    }

    ngx_http_codr_record_name(&last->status, codr_error_name(refusal->code));

    if (x == NULL) {
        return;
    }

    ngx_http_codr_record_text(&last->tag, record->tag, sizeof(record->tag),
                              x->tag.data, x->tag.len);

    if (x->language) {
        ngx_http_codr_record_text(&last->language, record->language,
                                  sizeof(record->language),
                                  x->language->name.data,
                                  x->language->name.len);
    }

    ngx_http_codr_record_text(&last->code_sha256, record->sha256,
                              sizeof(record->sha256), x->sha256,
                              x->sha256[0] ? sizeof(x->sha256) : 0);
}


/* Empty, or NULL without memory. */

static ngx_http_codr_record_t *
ngx_http_codr_record_begin(ngx_http_request_t *r, ngx_http_codr_last_t **last)
{
    ngx_http_codr_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_codr_module);

    if (ctx->record == NULL) {
        ctx->record = ngx_palloc(r->pool, sizeof(ngx_http_codr_record_t));
    }

    *last = &ctx->last;
    ngx_memzero(*last, sizeof(ngx_http_codr_last_t));

    return ctx->record;
}


static void
ngx_http_codr_record_figures(ngx_http_codr_last_t *last,
    ngx_http_codr_record_t *record, ngx_http_codr_answer_t *a)
{
    last->queue_ms = a->queue_us / 1000;
    last->ended = 1;

    if (!ngx_http_codr_has(a, EXIT_CODE)) {
        return;                                /* it never ran */
    }

    ngx_http_codr_record_name(&last->path, codr_path_name(a->path));

    last->exit_status.data = record->exit_status;
    last->exit_status.len = ngx_sprintf(record->exit_status, "%L",
                                        (int64_t) a->exit_code)
                            - record->exit_status;

    last->cpu_ms = a->cpu_us / 1000;
    last->wall_ms = a->wall_us / 1000;
    last->start_ms = a->start_us / 1000;
    last->memory = a->memory_peak;
    last->output_bytes = a->output_bytes;
}


static void
ngx_http_codr_record_text(ngx_str_t *s, u_char *place, size_t size,
    u_char *data, size_t len)
{
    s->len = ngx_min(len, size);
    s->data = place;
    ngx_memcpy(place, data, s->len);
}


static void
ngx_http_codr_record_name(ngx_str_t *s, const char *name)
{
    s->data = (u_char *) name;
    s->len = name ? ngx_strlen(name) : 0;
}
