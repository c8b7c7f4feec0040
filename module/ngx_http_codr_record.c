
/*
 * A job has ended: what is counted, what the variables show of it, its line in
 * the log.  What the variables show lives in the request's pool, once for all
 * jobs of a socket.  Runs in workers.
 */

#include "ngx_http_codr_job.h"
#include "ngx_http_codr_job_log.h"
#include "ngx_http_codr_metrics.h"


typedef struct {
    u_char                     job_id[CODR_JOB_ID_LEN];
    u_char                     tag[CODR_TAG_MAX];
    u_char                     language[CODR_NAME_MAX];
    u_char                     exit_status[NGX_INT64_LEN];
    u_char                     sha256[64];
} ngx_http_codr_record_t;


static void
ngx_http_codr_record_text(ngx_str_t *s, u_char *place, size_t size,
    ngx_str_t *text)
{
    s->len = ngx_min(text->len, size);
    s->data = place;

    if (s->len) {
        ngx_memcpy(place, text->data, s->len);
    }
}


static void
ngx_http_codr_record_name(ngx_str_t *s, const char *name)
{
    s->data = (u_char *) name;
    s->len = name ? ngx_strlen(name) : 0;
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
ngx_http_codr_record_set(ngx_http_codr_last_t *last,
    ngx_http_codr_record_t *record, ngx_http_codr_ended_t *e,
    ngx_http_codr_answer_t *a)
{
    ngx_memzero(last, sizeof(ngx_http_codr_last_t));

    ngx_http_codr_record_text(&last->job_id, record->job_id,
                              sizeof(record->job_id), &e->job_id);
    ngx_http_codr_record_text(&last->tag, record->tag, sizeof(record->tag),
                              &e->tag);
    ngx_http_codr_record_text(&last->language, record->language,
                              sizeof(record->language), &e->language);
    ngx_http_codr_record_text(&last->code_sha256, record->sha256,
                              sizeof(record->sha256), &e->sha256);

    if (a == NULL) {
        ngx_http_codr_record_name(&last->status,
                                  codr_status_name(CODR_STATUS_STOPPED));

    } else if (a->type != CODR_FRAME_COMPLETE) {
        ngx_http_codr_record_name(&last->status, codr_error_name(a->code));

    } else {
        ngx_http_codr_record_name(&last->status, codr_status_name(a->status));
        ngx_http_codr_record_figures(last, record, a);
    }
}


/* Of a request, which it is the last job of by now; without log somebody else
   writes its line. */

static void
ngx_http_codr_record_request(ngx_http_request_t *r, ngx_http_codr_ended_t *e,
    ngx_http_codr_answer_t *a, ngx_uint_t log)
{
    ngx_http_codr_ctx_t        *ctx, line;
    ngx_http_codr_main_conf_t  *mcf;

    ctx = ngx_http_get_module_ctx(r, ngx_http_codr_module);
    mcf = ngx_http_get_module_main_conf(r, ngx_http_codr_module);

    if (ctx->record == NULL) {
        ctx->record = ngx_palloc(r->pool, sizeof(ngx_http_codr_record_t));
        if (ctx->record == NULL) {
            return;
        }
    }

    ngx_http_codr_record_set(&ctx->last, ctx->record, e, a);

    if (!log) {
        return;
    }

    line = *ctx;

    if (e->owner.len) {
        line.owner = e->owner;
        line.key_id = e->key_id;
    }

    ngx_http_codr_job_log(mcf, r, &line);
}


static void
ngx_http_codr_record_of(ngx_http_codr_ended_t *e, ngx_http_codr_job_t *job)
{
    ngx_memzero(e, sizeof(ngx_http_codr_ended_t));

    e->job_id.len = job->identified ? CODR_JOB_ID_LEN : 0;
    e->job_id.data = job->id;
    e->sha256.len = job->sha256[0] ? sizeof(job->sha256) : 0;
    e->sha256.data = job->sha256;
    e->tag = job->tag;
    e->language = job->language;
    e->owner = job->owner;
    e->key_id = job->key_id;
    e->trace = job->trace;
    e->started = job->started;
}


void
ngx_http_codr_record(ngx_http_request_t *r, ngx_http_codr_job_t *job,
    ngx_http_codr_answer_t *a)
{
    ngx_http_codr_ended_t  e;

    if (a == NULL && job->outlives) {
        return;                                /* it has not ended */
    }

    ngx_http_codr_record_of(&e, job);

    if (job->reports) {
        ngx_http_codr_metrics_ended(job->mcf, &e.language, e.started, a);
    }

    ngx_http_codr_record_request(r, &e, a, job->reports);
}


void
ngx_http_codr_record_alone(ngx_http_codr_job_t *job,
    ngx_http_codr_answer_t *a)
{
    ngx_http_codr_ended_t  e;

    ngx_http_codr_record_of(&e, job);
    ngx_http_codr_ended(job->mcf, &e, a);
}


void
ngx_http_codr_ended(ngx_http_codr_main_conf_t *mcf, ngx_http_codr_ended_t *e,
    ngx_http_codr_answer_t *a)
{
    ngx_http_codr_ctx_t     ctx;
    ngx_http_codr_record_t  record;

    ngx_http_codr_metrics_ended(mcf, &e->language, e->started, a);

    ngx_memzero(&ctx, sizeof(ngx_http_codr_ctx_t));

    ctx.owner = e->owner;
    ctx.key_id = e->key_id;
    ctx.trace = e->trace;

    ngx_http_codr_record_set(&ctx.last, &record, e, a);
    ngx_http_codr_job_log(mcf, NULL, &ctx);
}


void
ngx_http_codr_refused(ngx_http_request_t *r, ngx_http_codr_execute_t *x,
    ngx_http_codr_answer_t *refusal)
{
    ngx_http_codr_ended_t       e;
    ngx_http_codr_main_conf_t  *mcf;

    mcf = ngx_http_get_module_main_conf(r, ngx_http_codr_module);

    ngx_http_codr_metrics_rejected(mcf, (ngx_uint_t) refusal->code);

    ngx_memzero(&e, sizeof(ngx_http_codr_ended_t));

    if (x) {
        e.tag = x->tag;
        e.owner = x->who.owner;
        e.key_id = x->who.key_id;

        if (x->language) {
            e.language = x->language->name;
        }

        if (x->sha256[0]) {
            e.sha256.len = sizeof(x->sha256);
            e.sha256.data = x->sha256;
        }
    }

    ngx_http_codr_record_request(r, &e, refusal, 1);
}
