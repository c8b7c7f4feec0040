
/*
 * Counters and histograms over all workers, in the zone.  Their labels are
 * bounded: languages come from the configuration, everything else from enums.
 * Runs in workers.
 */

#include "ngx_http_codr_zone.h"


#define NGX_HTTP_CODR_OTHER  "other"


const uint64_t  ngx_http_codr_times_us[NGX_HTTP_CODR_TIMES - 1] = {
    1000, 2500, 5000, 10000, 25000, 50000, 100000, 250000, 500000, 1000000,
    2500000, 5000000, 10000000, 30000000, 60000000, 300000000, 1800000000
};


/* Its place in the table; the first one when it has none. */

static ngx_http_codr_metrics_language_t *
ngx_http_codr_metrics_find(ngx_http_codr_metrics_t *metrics, ngx_str_t *name)
{
    ngx_uint_t                         i;
    ngx_http_codr_metrics_language_t  *lang;

    lang = metrics->language;

    for (i = 1; i < metrics->languages; i++) {
        if (lang[i].len == name->len
            && ngx_memcmp(lang[i].name, name->data, name->len) == 0)
        {
            return &lang[i];
        }
    }

    return &lang[0];
}


/* Old workers count while this goes on: an entry is whole before it counts,
   and none is ever taken back. */

void
ngx_http_codr_metrics_init(ngx_http_codr_metrics_t *metrics,
    ngx_http_codr_main_conf_t *mcf)
{
    ngx_str_t                          *name;
    ngx_uint_t                          i;
    ngx_http_codr_language_t          **lang;
    ngx_http_codr_metrics_language_t   *entry;

    if (metrics->languages == 0) {
        entry = &metrics->language[0];
        entry->len = sizeof(NGX_HTTP_CODR_OTHER) - 1;
        ngx_memcpy(entry->name, NGX_HTTP_CODR_OTHER, entry->len);
        metrics->languages = 1;
    }

    lang = mcf->languages.elts;

    for (i = 0; i < mcf->languages.nelts; i++) {
        name = &lang[i]->name;

        if (metrics->languages == NGX_HTTP_CODR_METRICS_LANGUAGES
            || name->len > CODR_NAME_MAX
            || ngx_http_codr_metrics_find(metrics, name)
               != &metrics->language[0])
        {
            continue;
        }

        entry = &metrics->language[metrics->languages];
        entry->len = name->len;
        ngx_memcpy(entry->name, name->data, name->len);

        ngx_memory_barrier();
        metrics->languages++;
    }
}


ngx_http_codr_metrics_t *
ngx_http_codr_metrics(ngx_http_codr_main_conf_t *mcf)
{
    ngx_http_codr_shared_t  *shared;

    shared = ngx_http_codr_zone_data(mcf);

    return shared ? &shared->metrics : NULL;
}


static void
ngx_http_codr_metrics_add(ngx_atomic_t *counter, uint64_t n)
{
    (void) ngx_atomic_fetch_add(counter, (ngx_atomic_int_t) n);
}


static void
ngx_http_codr_times_add(ngx_http_codr_times_t *times, uint64_t us)
{
    ngx_uint_t  i;

    for (i = 0; i < NGX_HTTP_CODR_TIMES - 1; i++) {
        if (us <= ngx_http_codr_times_us[i]) {
            break;
        }
    }

    ngx_http_codr_metrics_add(&times->bucket[i], 1);
    ngx_http_codr_metrics_add(&times->sum_us, us);
}


uint64_t
ngx_http_codr_times_count(ngx_http_codr_times_t *times)
{
    uint64_t    n;
    ngx_uint_t  i;

    n = 0;

    for (i = 0; i < NGX_HTTP_CODR_TIMES; i++) {
        n += times->bucket[i];
    }

    return n;
}


const char *
ngx_http_codr_end_name(ngx_uint_t end)
{
    switch (end) {

    case NGX_HTTP_CODR_END_COMPILE_ERROR:
        return codr_error_name(CODR_ERROR_COMPILE_ERROR);

    case NGX_HTTP_CODR_END_COMPILE_LIMIT:
        return codr_error_name(CODR_ERROR_COMPILE_LIMIT);

    case NGX_HTTP_CODR_END_REJECTED:
        return codr_error_name(CODR_ERROR_REJECTED);

    default:
        return codr_status_name(end);
    }
}


static ngx_uint_t
ngx_http_codr_metrics_end(ngx_http_codr_answer_t *a)
{
    if (a == NULL) {
        return CODR_STATUS_STOPPED;            /* its client left */
    }

    if (a->type == CODR_FRAME_COMPLETE) {
        return (ngx_uint_t) a->status;
    }

    switch (a->code) {

    case CODR_ERROR_COMPILE_ERROR:
        return NGX_HTTP_CODR_END_COMPILE_ERROR;

    case CODR_ERROR_COMPILE_LIMIT:
        return NGX_HTTP_CODR_END_COMPILE_LIMIT;

    case CODR_ERROR_REJECTED:
        return NGX_HTTP_CODR_END_REJECTED;

    default:
        return CODR_STATUS_INTERNAL;
    }
}


static void
ngx_http_codr_metrics_complete(ngx_http_codr_metrics_t *metrics,
    ngx_http_codr_metrics_language_t *lang, ngx_http_codr_answer_t *a)
{
    ngx_http_codr_times_add(&metrics->queue, a->queue_us);

    if (!ngx_http_codr_has(a, EXIT_CODE)) {
        return;                                /* it was stopped there */
    }

    ngx_http_codr_times_add(&lang->stage[CODR_STAGE_RUN], a->wall_us);
    ngx_http_codr_times_add(&lang->start[a->path], a->start_us);

    ngx_http_codr_metrics_add(&metrics->output_bytes, a->output_bytes);
}


void
ngx_http_codr_metrics_ended(ngx_http_codr_main_conf_t *mcf,
    ngx_str_t *language, ngx_uint_t started, ngx_http_codr_answer_t *a)
{
    ngx_http_codr_metrics_t           *metrics;
    ngx_http_codr_metrics_language_t  *lang;

    metrics = ngx_http_codr_metrics(mcf);

    if (metrics == NULL) {
        return;
    }

    lang = ngx_http_codr_metrics_find(metrics, language);

    if (a && a->type == CODR_FRAME_ERROR && !started) {
        ngx_http_codr_metrics_rejected(mcf, a->code);

        if (a->code != CODR_ERROR_REJECTED) {
            return;
        }
    }

    ngx_http_codr_metrics_add(&lang->ends[ngx_http_codr_metrics_end(a)], 1);

    if (a == NULL) {
        return;
    }

    ngx_http_codr_metrics_add(&metrics->cpu_us,
                              a->cpu_us + a->compile_cpu_us);

    if (a->type == CODR_FRAME_COMPLETE) {
        ngx_http_codr_metrics_complete(metrics, lang, a);
    }

    if (ngx_http_codr_has(a, COMPILE_WALL_US)) {
        ngx_http_codr_times_add(&lang->stage[CODR_STAGE_COMPILE],
                                a->compile_wall_us);
    }

    ngx_http_codr_times_add(&lang->job, a->compile_wall_us + a->wall_us);
}


void
ngx_http_codr_metrics_rejected(ngx_http_codr_main_conf_t *mcf,
    ngx_uint_t code)
{
    ngx_http_codr_metrics_t  *metrics;

    metrics = ngx_http_codr_metrics(mcf);

    if (metrics && code < CODR_ERROR_COUNT) {
        ngx_http_codr_metrics_add(&metrics->rejected[code], 1);
    }
}


/* Every worker hears of it, the first one counts; what an older helper has
   said before its end may still be read after it. */

void
ngx_http_codr_metrics_instance(ngx_http_codr_main_conf_t *mcf,
    uint64_t instance)
{
    ngx_atomic_uint_t         old;
    ngx_http_codr_metrics_t  *metrics;

    metrics = ngx_http_codr_metrics(mcf);

    if (metrics == NULL) {
        return;
    }

    old = metrics->instance;

    if (instance > old
        && ngx_atomic_cmp_set(&metrics->instance, old,
                              (ngx_atomic_uint_t) instance)
        && old)
    {
        ngx_http_codr_metrics_add(&metrics->restarts, 1);
    }
}
